import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { reachable } from "../../components/reachable.ts";

const from = ["203.0.113.7/32"];

test("whoever answers is there; a refusal is an answer too", async () => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await reachable({ address: "127.0.0.1", port, from, deadline: 1000 });
  await new Promise((resolve) => server.close(resolve));
  await reachable({ address: "127.0.0.1", port, from, deadline: 1000 });
});

test("silence ends in a sentence that leads to the stack file", async () => {
  // No connection goes there (RFC 919).
  await assert.rejects(
    reachable({ address: "255.255.255.255", port: 22, from, deadline: 300, patience: 100 }),
    (error) => {
      assert.match(String(error), /Nobody answers at 255\.255\.255\.255 port 22 after 0 seconds/);
      assert.match(String(error), /in mailhost:ssh\.from \(203\.0\.113\.7\/32\)\?/);
      assert.match(String(error), /curl https:\/\/checkip\.amazonaws\.com/);
      return true;
    },
  );
});
