import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { CheckResult } from "../../check/types.ts";
import { collect } from "../../local/run.ts";

const folder = mkdtempSync(join(tmpdir(), "mailhost-check-"));
after(() => rmSync(folder, { recursive: true, force: true }));

// A stack whose host is a loopback address where nobody is: every look ends soon, and all is wrong.
const settings = {
  hostname: "mail.example.org",
  owner: "ann@example.org",
  ssh: { from: ["127.0.0.0/8"] },
  server: { architecture: "amd64", dataSize: 8 },
  domains: { "example.org": { since: "2026-11-21", mailboxes: { ann: {} } } },
};
const config = Object.fromEntries(
  Object.entries(settings).map(([key, value]) => [
    `mailhost:${key}`,
    typeof value === "string" ? { value } : { objectValue: value },
  ]),
);
const engine = `#!/bin/sh
case $1 in
config) cat <<'END'
${JSON.stringify({ ...config, "aws:region": { value: "eu-central-1" } })}
END
;;
stack) echo '{"publicIp":"127.91.25.3"}' ;;
esac
`;
writeFileSync(join(folder, "pulumi"), engine, { mode: 0o755 });

function command(...args: readonly string[]) {
  return spawn(process.execPath, [join(import.meta.dirname, "../../check/main.ts"), ...args], {
    env: { PATH: `${folder}:/usr/bin:/bin` },
  });
}

test("the help names options and exit codes", async () => {
  const { code, stdout } = await collect(command("--help"));
  assert.equal(code, 0);
  const exitCodes = "Exit code: 0 all is right, 1 something is wrong, 2 it could not look";
  for (const word of ["--domain", "--json", "--watch", "--every", exitCodes])
    assert.ok(stdout.includes(word), word);
});

test("what is wrong ends with 1; no colours where there is no terminal, and plain JSON for programs", async () => {
  const people = await collect(command("--resolver", "127.0.0.1:1"));
  assert.equal(people.code, 1, people.stderr);
  assert.match(people.stdout, /✗ WRONG: port 993 \(imaps\) refuses connections/);
  assert.ok(!people.stdout.includes("\x1b"));
  const programs = await collect(command("--resolver", "127.0.0.1:1", "--json"));
  assert.equal(programs.code, 1);
  const port = (JSON.parse(programs.stdout) as CheckResult[]).find(({ about }) => about === "ports.imaps");
  assert.deepEqual([port?.right, port?.unanswered, port?.group], [false, true, "Ports"]);
});

test("where it cannot look it says why, and ends with 2: another domain, a time that is none, no engine", async () => {
  const foreign = await collect(command("--domain", "example.edu"));
  assert.equal(foreign.code, 2);
  assert.equal(foreign.stderr, "The stack has no domain example.edu. It has: example.org.\n");
  const often = await collect(command("--watch", "--every", "often"));
  assert.equal(often.code, 2);
  assert.equal(often.stderr, '--every is "often": write whole seconds, 1 or more.\n');
});

test("--watch says all once, then nothing where nothing changes, and Ctrl-C ends it with what was last so", async () => {
  const child = command("--resolver", "127.0.0.1:1", "--watch", "--every", "1", "--json");
  const ended = collect(child);
  await once(child.stdout, "data");
  // The next look begins, at which nothing is new.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  child.kill("SIGINT");
  const { code, stdout } = await ended;
  assert.equal(code, 1);
  const [first, ...more] = stdout.trim().split("\n");
  assert.deepEqual(more, []);
  const { wrong, over } = JSON.parse(first ?? "") as { wrong: CheckResult[]; over: CheckResult[] };
  assert.ok(wrong.some(({ about }) => about === "ports.imaps"));
  assert.deepEqual(over, []);
});
