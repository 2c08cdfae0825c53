import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import type { Weighed } from "../../plan/ramps.ts";
import { sshServer } from "../ssh/server.ts";
import { runProgram, settled, stack } from "./program.ts";

const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
const state = (policy: string, days: number) => ({ policy, since: ago(days), why: "" });
const seen = (reporter: string, failed: number) => ({ reporter, passed: 50, failed, altered: 0, strange: 0 });
const mail = (failed: number) => ({
  reporters: [seen("one.example", 0), seen("two.example", failed)],
  failing: failed > 0 ? [{ ip: "198.18.0.40", messages: failed }] : [],
  strangers: [],
});
const weighed: Weighed = {
  dmarc: { "example.org": mail(0), "example.com": mail(9), "later.example.org": mail(0) },
  tls: [],
};

test("each policy moves that may, what is said is why, and what is written down is what the world can see", async (t) => {
  const ssh = await sshServer(t, "127.91.25.3");
  const said: string[] = [];
  for (const kind of ["info", "warn"] as const)
    t.mock.method(pulumi.log, kind, async (text: string) => {
      said.push(`${kind}: ${text}`);
    });
  // The host, as far as it is asked: sudo runs sh, runuser the program.
  const folder = mkdtempSync(join(tmpdir(), "mailhost-ramps-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const programs = {
    sudo: 'shift\nexec "$@"',
    runuser: `echo "$@" >${folder}/asked\ncat <<'end'\n${JSON.stringify(weighed)}\nend`,
  };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const { PATH } = process.env;
  process.env.PATH = `${folder}${delimiter}${PATH}`;
  t.after(() => {
    process.env.PATH = PATH;
  });

  const domain = (keys: object) => ({ since: "2026-11-21", mailboxes: { ann: {} }, dmarc: "ramp", ...keys });
  const before = {
    "_dmarc.example.org": state("none", 40),
    "_dmarc.later.example.org": state("none", 40),
    "_mta-sts": state("testing", 40),
  };
  const run = await runProgram(
    {
      ...stack,
      mtaSts: "ramp",
      domains: {
        "example.org": domain({}),
        "example.com": domain({}),
        "later.example.org": domain({ zone: "example.org" }),
      },
    },
    {
      outputs: { ssh, publicIp: "198.18.0.40", policyRamps: before },
      // Of example.com the stack file has said until now what its policy is.
      resources: {
        one: {
          type: "cloudflare:index/dnsRecord:DnsRecord",
          outputs: { type: "TXT", name: "_dmarc.example.com", content: '"v=DMARC1; p=quarantine; adkim=s"' },
        },
        other: { type: "pulumi:pulumi:Stack" },
      },
      // As by an `up` of other things.
      untouched: { "dns-txt:_dmarc.later.example.org": { content: '"v=DMARC1; p=none; adkim=s"' } },
    },
  );
  const dmarc = (name: string) => run.find(`dns-txt:_dmarc.${name}`).inputs;
  const today = ago(0).slice(0, 10);
  assert.match(String(dmarc("example.org").content), /p=quarantine;/);
  assert.equal(
    dmarc("example.org").comment,
    `mailhost a1b2c3: DMARC: quarantine since ${today}: 100 messages, 2 reporters, 0 failed`,
  );
  assert.match(String(dmarc("example.com").content), /p=quarantine;/);
  assert.match(String(run.find("web-script").inputs.content), /"mode: testing"/);

  const ramps = (await settled(pulumi.output(run.outputs.policyRamps))) as typeof before;
  assert.deepEqual(
    Object.entries(ramps).map(([name, { policy, since }]) => [name, policy, since.slice(0, 10)]),
    [
      ["_dmarc.example.org", "quarantine", today],
      ["_dmarc.example.com", "quarantine", today],
      ["_dmarc.later.example.org", "none", ago(40).slice(0, 10)],
      ["_mta-sts", "testing", ago(40).slice(0, 10)],
    ],
  );
  assert.match(said.join("\n"), /^info: example\.org, DMARC: from none to quarantine\. 100 own messages /m);
  assert.match(
    said.join("\n"),
    /^warn: example\.com, DMARC: quarantine since \S+, 0 of 30 days\. Of 109 own messages 9 fail \(198\.18\.0\.40: 9; seen by two\.example\)\. The policy stays quarantine: /m,
  );
  assert.match(
    said.join("\n"),
    /^info: MTA-STS: testing since \S+, and not enforce yet\. The reports tell of 0 /m,
  );
});
