import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { decode, encode, TRUNCATED_RESPONSE } from "dns-packet";
import { ask } from "../../dns/client.ts";

test("ask: a server that drips its answer by TCP holds nobody for longer than the timeout", async () => {
  const server = createServer((socket) => {
    const drip = setInterval(() => socket.write(Buffer.of(1)), 50);
    socket.on("error", () => {}).on("close", () => clearInterval(drip));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const short = createSocket("udp4");
  short.on("message", (bytes, { port, address }) => {
    const { id, questions } = decode(bytes);
    short.send(encode({ type: "response", id, flags: TRUNCATED_RESPONSE, questions }), port, address);
  });
  short.bind(port, "127.0.0.1");
  await once(short, "listening");
  const began = performance.now();
  try {
    await assert.rejects(
      ask(`127.0.0.1:${port}`, "example.org", "TXT", { timeout: 300 }),
      /no answer by TCP/,
    );
    assert.ok(performance.now() - began < 5000);
  } finally {
    server.close();
    short.close();
  }
});
