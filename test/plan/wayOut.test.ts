import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { type AddressInfo, createServer } from "node:net";
import { it } from "node:test";
import { promisify } from "node:util";
import { wayOut } from "../../plan/wayOut.ts";

/** What the shell says of a server on this machine that greets so. */
async function said(greeting: string, to: (port: number) => { name: string; port: number }): Promise<string> {
  const server = createServer((socket) => socket.end(greeting)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  try {
    const { stdout } = await promisify(execFile)("sh", [
      "-ec",
      wayOut(to((server.address() as AddressInfo).port)),
    ]);
    return stdout;
  } finally {
    server.close();
  }
}

it("who is greeted can send", async () => {
  assert.equal(await said("220 mx.example.net ESMTP\r\n", (port) => ({ name: "127.0.0.1", port })), "open\n");
});

it("who is not has the reason", async () => {
  const here = (port: number) => ({ name: "127.0.0.1", port });
  assert.equal(await said("554 No *service*\r\n", here), "blocked 554 No *service*\n");
  assert.equal(await said("", here), "blocked\n");
  assert.match(await said("", () => ({ name: "127.0.0.1", port: 1 })), /^blocked .*Connection refused\n$/);
});

it("without an address nothing is known", async () => {
  assert.equal(await said("220 here\r\n", (port) => ({ name: "nobody.invalid", port })), "unknown\n");
});
