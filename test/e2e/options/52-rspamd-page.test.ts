/** rspamd's own page, as its owner comes to it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { freePort } from "../../check/dnsworld.ts";
import { eventually } from "../../eventually.ts";
import { checkout, cloudId, onHost, stackOutput } from "../mailhost.ts";

test("one command opens rspamd's page; it shows nothing without its password", async () => {
  const port = await freePort();
  const child = spawn(process.execPath, ["cli/main.ts", "rspamd", "--port", String(port)], {
    cwd: checkout,
    env: { ...process.env, MAILHOST_CLOUD_ID: cloudId },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const password = String((await stackOutput()).rspamdPassword);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ask = (path: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers });
  try {
    await eventually("the tunnel is open", 20, async () => (await ask("/")).status === 200);
    assert.match(await (await ask("/")).text(), /<title>Rspamd Web Interface<\/title>/);
    assert.equal((await ask("/stat")).status, 401);
    assert.equal((await ask("/stat", { password: "wrong" })).status, 401);
    const stat = await ask("/stat", { password });
    assert.equal(stat.status, 200);
    assert.equal(typeof ((await stat.json()) as { scanned?: unknown }).scanned, "number");
    assert.match(said, new RegExp(`http://127\\.0\\.0\\.1:${port}/`));
    assert.ok(!said.includes(password));
  } finally {
    child.kill("SIGINT");
    await once(child, "exit");
  }
  // Neither to the host's own programs; those who may open the socket learn and ask as before.
  assert.match(await onHost("rspamc -h 127.0.0.1:11334 stat 2>&1 || true"), /401|nauthorized/);
  assert.match(await onHost("rspamc -h /run/rspamd/controller.sock stat"), /Messages scanned: \d+/);
});
