import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { attachProviders } from "../../../local/providers/attached.ts";

/** Whether something listens on a loopback port. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

const env = Object.fromEntries(
  Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
);

test("several providers in one process, each on a port of its own, until they are ended", async () => {
  const attached = await attachProviders(["tls", "random"], env);
  const found = /^tls:(\d+),random:(\d+)$/.exec(attached.addresses);
  assert.ok(found, attached.addresses);
  const ports = found.slice(1).map(Number);
  assert.deepEqual(await Promise.all(ports.map(listens)), [true, true]);
  await attached.end();
  assert.deepEqual(await Promise.all(ports.map(listens)), [false, false]);
});

test("a process that does not serve is an error", async () => {
  const broken = { ...env, NODE_OPTIONS: "--require=/nonexistent/module" };
  await assert.rejects(attachProviders(["tls"], broken), /providers do not start/);
});
