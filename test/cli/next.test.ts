/**
 * What the commands that ask a host tell to type next, for the stack that was named: a real `mailhost` in a checkout of its own, whose
 * engine tells of a host that is a real SSH server, which answers as a host would.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it, type TestContext } from "node:test";
import type { ReportSums } from "../../cli/reportLines.ts";
import { collect } from "../../local/run.ts";
import { clientSettings } from "../../plan/clientSettings.ts";
import type { SshAccess } from "../../ssh/client.ts";
import { sshServer } from "../ssh/server.ts";
import { checkoutIn } from "./checkout.ts";

const stackFile = `config:
  aws:region: eu-central-1
  mailhost:hostname: mail.example.org
  mailhost:owner: ann@example.org
  mailhost:ssh: { from: [203.0.113.7/32] }
  mailhost:lockedStore: { passphrase: the passphrase of it }
  mailhost:domains:
    example.org: { since: "2026-11-21", mailboxes: { ann: {} } }
`;
const config = { "mailhost:lockedStore": { objectValue: { passphrase: "the passphrase of it" } } };

/** What the host's programs say; the e2e tests have the real ones. */
const sums: ReportSums = {
  days: 30,
  reports: [
    {
      kind: "tls",
      domain: "example.org",
      sender: "example.net",
      reports: 1,
      verified: "example.net",
      begins: 1_795_219_200,
      ends: 1_795_305_600,
    },
  ],
  dmarc: [],
  tls: [
    {
      domain: "example.org",
      policy: "sts",
      failure: "certificate-expired",
      sessions: 1,
      authentic: 1,
    },
  ],
  complaints: [],
  others: 0,
};
const waiting = JSON.stringify({
  queue_name: "deferred",
  queue_id: "Q1",
  arrival_time: 1_795_382_400,
  message_size: 1652,
  sender: "ann@example.org",
  recipients: [{ address: "zoe@example.net", delay_reason: "connect to x: Connection timed out" }],
});
const answers = `case "$4" in
  *"postqueue -j"*) printf '%s\\n' 1795382700 '${waiting}' === ;;
  *"store state"*) echo locked ;;
  *"store key"*) echo AAAA-BBBB ;;
  *"reports show"*) echo '${JSON.stringify(sums)}' ;;
  *lib/mailhost/deliveries*) echo '{"since":null,"days":[],"failures":[]}' ;;
  *journalctl*) exit 1 ;;
esac
`;

let folder: string;
let checkout: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "cli-next-"));
  checkout = checkoutIn(folder, {
    pulumi: `printf '%s\\n' "$*" >>"$TOLD"
case "$1 $2" in
  "stack output") cat "$OUTPUTS" ;;
  "config --json") echo '${JSON.stringify(config)}' ;;
esac
`,
  });
  mkdirSync(join(folder, "host"));
  writeFileSync(join(folder, "host/sudo"), `#!/bin/sh\n${answers}`, { mode: 0o755 });
  process.env.PATH = `${join(folder, "host")}:${process.env.PATH}`;
});
after(() => rmSync(folder, { recursive: true }));
beforeEach(() => writeFileSync(join(checkout, "Pulumi.home.yaml"), stackFile));

interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param environment beside what every session has */
async function typed(
  t: TestContext,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Said> {
  const ssh: SshAccess = await sshServer(t, "127.0.0.1");
  const told = join(folder, "outputs.json");
  writeFileSync(
    told,
    JSON.stringify({
      ssh,
      publicIp: "192.0.2.1",
      dnsRecords: {},
      mailboxes: {},
      credentials: {},
      clientSettings: clientSettings("mail.example.org"),
    }),
  );
  const child = spawn(process.execPath, [join(checkout, "cli/main.ts"), ...words], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      MAILHOST_HOME: join(folder, "home"),
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      OUTPUTS: told,
      TOLD: join(folder, "told"),
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return await collect(child);
}

/** What is typed, with which exit code it ends, and what it then says on which way. */
const cases: readonly (readonly [words: string, code: number, on: "stdout" | "stderr", says: RegExp])[] = [
  ["queue retry --all", 0, "stdout", /What becomes of it: npx mailhost logs -f --stack home$/m],
  ["queue retry Q2", 1, "stderr", /What became of it: npx mailhost trace Q2 --stack home$/m],
  ["unlock --recovery-key", 0, "stdout", /with it `npx mailhost unlock --recover --stack home`/],
  [
    "leave --to left --no-mail",
    0,
    "stdout",
    /came in between: npx mailhost leave --to ANOTHER-FOLDER --stack home$/m,
  ],
  ["rspamd", 1, "stderr", /into Pulumi\.home\.yaml, then run: npx pulumi up --stack home$/m],
  ["reports", 0, "stdout", /The certificate had expired: run `npx mailhost check --stack home`\./],
  [
    "domain add example.net --yes",
    0,
    "stdout",
    /^A mailbox in it: npx mailhost mailbox add ann@example\.net --stack home$/m,
  ],
];

describe("what is to be typed next is for the stack", () => {
  for (const [line, code, on, says] of cases)
    it(`that was named: ${line}`, async (t) => {
      const said = await typed(t, [...line.split(" "), "--stack", "home"]);
      assert.equal(said.code, code, said.stdout + said.stderr);
      assert.match(said[on], says);
    });

  it("of the session", async (t) => {
    const { stderr } = await typed(t, ["queue", "retry", "Q2"], { MAILHOST_STACK: "home" });
    assert.match(stderr, /What became of it: npx mailhost trace Q2 --stack home$/m);
  });

  it("that was named, though the session has another", async (t) => {
    const words = ["mailbox", "add", "ann@example.org", "--stack", "dev"];
    const { code, stderr } = await typed(t, words, { MAILHOST_STACK: "home" });
    assert.equal(code, 1);
    assert.match(stderr, /npx mailhost mailbox list --stack dev$/m);
  });
});

it("the host that reads no reports is told of by the line that switches them on", async (t) => {
  writeFileSync(join(folder, "host/sudo"), "#!/bin/sh\nexit 9\n");
  const said = await typed(t, ["reports", "--stack", "home", "--json"]);
  writeFileSync(join(folder, "host/sudo"), `#!/bin/sh\n${answers}`);
  assert.equal(said.code, 1);
  const { error } = JSON.parse(said.stdout) as { error: string };
  assert.match(
    error,
    /Write `mailhost:reports: \{\}` into Pulumi\.home\.yaml, then run: npx pulumi up --stack home$/,
  );
});

it("logs says beside its answer that nobody here has the address", async (t) => {
  const stranger = ["logs", "--mailbox", "anne@example.org", "--stack", "home"];
  const plain = await typed(t, stranger);
  assert.deepEqual(
    [plain.code, plain.stdout],
    [0, "No mail from or for anne@example.org since: 1 hour ago\n"],
  );
  assert.match(
    plain.stderr,
    /^No mailbox and no alias of the stack has the address anne@example\.org\. There are: ann@example\.org/,
  );
  const json = await typed(t, [...stranger, "--json"]);
  assert.deepEqual([json.code, JSON.parse(json.stdout)], [0, []]);
  assert.match(json.stderr, /^No mailbox and no alias/);
  assert.equal((await typed(t, ["logs", "--mailbox", "ann@example.org", "--stack", "home"])).stderr, "");
});

it("preview takes its paths from where it is typed, and the engine gets them whole", async (t) => {
  const words = ["--policy-pack", "rules", "--policy-pack-config", "./words.json"];
  await typed(t, ["preview", "--stack", "home", ...words]);
  const line =
    readFileSync(join(folder, "told"), "utf8")
      .split("\n")
      .find((one) => one.startsWith("preview ")) ?? "";
  assert.ok(
    line.includes(
      `--policy-pack ${join(folder, "rules")} --policy-pack-config ${join(folder, "words.json")}`,
    ),
    line,
  );
});
