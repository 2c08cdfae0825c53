import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import type { SshAccess } from "../../ssh/client.ts";
import { runProgram, settled, stack } from "./program.ts";

/** A host of its own, which can be frozen. */
const HOST = `
import { sshServer } from "${join(import.meta.dirname, "../ssh/server.ts")}";
process.stdout.write(JSON.stringify(await sshServer({ after() {} }, "127.91.25.6")));
`;

test("a host that freezes in the middle of its answer holds no run up, and no connection to it is left", async (t) => {
  const said: string[] = [];
  t.mock.method(pulumi.log, "info", async (text: string) => {
    said.push(text);
  });
  const folder = mkdtempSync(join(tmpdir(), "mailhost-frozen-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const asked = join(folder, "asked");
  execFileSync("mkfifo", [asked]);
  const sudo = join(folder, "sudo");
  writeFileSync(sudo, `#!/bin/sh\necho "$@" >${asked}\nexec sleep 300\n`);
  chmodSync(sudo, 0o755);
  const host = spawn(process.execPath, ["--input-type=module", "-e", HOST], {
    env: { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` },
    stdio: ["ignore", "pipe", "inherit"],
    // What it runs goes with it.
    detached: true,
  });
  t.after(() => process.kill(-(host.pid ?? 0), "SIGKILL"));
  const [text] = (await once(host.stdout, "data")) as [Buffer];
  const ssh = JSON.parse(text.toString()) as SshAccess;

  const frozen = readFile(asked, "utf8").then((command) => {
    process.kill(host.pid ?? 0, "SIGSTOP");
    return command;
  });
  const before = { "_dmarc.example.org": { policy: "none", since: "2026-01-01T00:00:00.000Z", why: "" } };
  const domains = { ...stack.domains, "example.org": { ...stack.domains["example.org"], dmarc: "ramp" } };
  const run = await runProgram({ ...stack, domains }, { outputs: { ssh, policyRamps: before } });
  assert.match(await frozen, /reports weigh/);
  assert.deepEqual(await settled(pulumi.output(run.outputs.policyRamps)), before);
  assert.match(said.join("\n"), /What the reports say is not known: the host did not say it in 30 seconds/);
  assert.ok(!process.getActiveResourcesInfo().includes("TCPSocketWrap"), "the connection is still there");
});
