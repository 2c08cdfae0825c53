/**
 * The locked store on a host that is really torn from its power: nothing on its disks can be read, it takes no mail until
 * somebody has said the passphrase, and then nothing is missing. The store is not switched on or off under mail.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Document } from "yaml";
import type { CheckResult } from "../../check/types.ts";
import { count, mailHost, otherSide, submit } from "../e2e/mail.ts";
import {
  cloudFolder,
  keepInStack,
  mailhost,
  nothingLeft,
  onHost,
  previewSteps,
  type Ran,
  succeed,
  up,
  withStack,
  world,
} from "../e2e/mailhost.ts";
import { eventually } from "../eventually.ts";

const passphrase = `the first ${randomBytes(6).toString("hex")}`;
const second = `the second ${randomBytes(6).toString("hex")}`;
const third = `the third ${randomBytes(6).toString("hex")}`;
let recoveryKey = "";
/** Stands in a letter, and is looked for on the disks. */
const word = `needle${randomBytes(8).toString("hex")}`;

const store = (value: unknown) => (stack: Document) =>
  stack.setIn(["config", "mailhost:lockedStore"], stack.createNode(value));
const tryUp = () => mailhost(["pulumi", "up", "--yes", "--skip-preview"]);
const unlock = (input: readonly string[], ...args: readonly string[]) =>
  mailhost(["unlock", ...args], { input: input.map((line) => `${line}\n`).join("") });

function assertCode(ran: Ran, code: number): void {
  assert.equal(ran.code, code, ran.stdout + ran.stderr);
}

/** Files below these places that have these bytes in them, compressed or not at all. */
function filesWith(text: string, ...places: readonly string[]): readonly string[] {
  try {
    const found = execFileSync("grep", ["-r", "-l", "-a", "-F", "-e", text, ...places], { encoding: "utf8" });
    return found.trim().split("\n");
  } catch (error) {
    const { status, stdout = "" } = error as { status?: number; stdout?: string };
    // 2 is that a socket or a vanished file could not be read.
    if (status === 1 || status === 2) return stdout.trim() === "" ? [] : stdout.trim().split("\n");
    throw error;
  }
}

const volumes = () => join(cloudFolder, "volumes");
const rootDisks = () =>
  readdirSync(join(cloudFolder, "machines")).map((id) => join(cloudFolder, "machines", id, "upper"));

async function answers(port: number): Promise<boolean> {
  const { publicIp } = await mailHost();
  return await new Promise((resolve) => {
    const socket = connect({ host: publicIp, port, timeout: 5000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .on("connect", () => end(true))
      .on("error", () => end(false))
      .on("timeout", () => end(false));
  });
}

const mailPorts = [25, 465, 587, 993];

async function cutAndStart(): Promise<void> {
  await world("power-cut?losing");
  await world("start");
  await eventually("somebody can log in", 90, async () =>
    /running|degraded/.test(await onHost("systemctl is-system-running || true")),
  );
}

async function sendFromOutside(subject: string): Promise<boolean> {
  const side = await otherSide();
  return (await side.send({ from: "zoe@example.net", to: "ann@example.org", subject })).accepted;
}

before(async () => {
  await nothingLeft();
  // Whom nobody knows would be asked to come again in five minutes.
  keepInStack((stack) => stack.setIn(["config", "mailhost:spam"], stack.createNode({ greylist: 0 })));
});
after(nothingLeft);

test("a new volume begins with the passphrase of a person, who is told the recovery key", async (t) => {
  keepInStack(store(true));
  const stopped = await mailhost(["start"]);
  assert.notEqual(stopped.code, 0);
  assert.match(
    stopped.stdout,
    /the volume's store is still to be made[\s\S]*`npm run unlock -- --stack NAME`/,
  );
  const made = await unlock([passphrase]);
  assertCode(made, 0);
  recoveryKey = /^ +((?:[A-Z2-7]{4}-){7}[A-Z2-7]{4})$/m.exec(made.stdout)?.[1] ?? assert.fail(made.stdout);
  const started = await succeed(["start"]);
  t.diagnostic(`npm start with an open store: ${started.seconds.toFixed(1)} s`);
  assert.deepEqual(await previewSteps(), []);
});

test("what quotes mail is on no disk: not on the volume, not on the root disk; the passphrase is nowhere", async () => {
  const host = await mailHost();
  await submit(host, {
    from: "bob@example.org",
    to: "ann@example.org",
    subject: `kept ${word}`,
    text: `${word}\n`,
  });
  assert.equal(await count(host, "ann@example.org", `kept ${word}`), 1);
  // By standard input: sudo writes its command lines into the journal.
  const probes = ["/srv/mail/probe", "/var/spool/postfix/probe", "/var/lib/rspamd/probe"];
  await succeed(["host", "--", "sudo", "tee", ...probes], { input: `${word}\n` });
  // Beside the store, on the same disk: what lies there is found.
  const beside = `beside${word.slice(6)}`;
  await succeed(["host", "--", "sudo", "tee", "/volume/probe"], { input: `${beside}\n` });
  await onHost("sync");
  assert.equal(filesWith(beside, volumes()).length, 1);
  assert.deepEqual(filesWith(word, volumes(), ...rootDisks()), []);
  assert.deepEqual(filesWith(passphrase, cloudFolder), []);
  assert.deepEqual(filesWith(recoveryKey, cloudFolder), []);
  assert.deepEqual(filesWith("PRIVATE KEY", volumes()), []);
  for (const disk of rootDisks()) assert.deepEqual(readdirSync(join(disk, "etc/rspamd/dkim")), []);
  for (const disk of rootDisks()) assert.deepEqual(readdirSync(join(disk, "etc/mailhost/tls")), []);
  assert.match(await onHost("ls /etc/rspamd/dkim"), /\.key/);
  assert.equal(await onHost("swapon --show --noheadings"), "");
  assert.match(await onHost("cat /etc/apt/apt.conf.d/52mailhost"), /Automatic-Reboot "false";/);
});

test("after a power cut it is locked: it says so, takes no mail, and is well otherwise", async (t) => {
  await submit(await mailHost(), {
    from: "bob@example.org",
    to: "ann@example.org",
    subject: "a moment before",
  });
  await cutAndStart();
  assert.equal((await onHost("/usr/local/lib/mailhost/store state")).trim(), "locked");
  assert.match(await onHost("cat /run/motd.d/mailhost-store"), /THIS HOST IS LOCKED/);
  assert.equal((await onHost("systemctl is-system-running")).trim(), "running");
  assert.deepEqual(await Promise.all(mailPorts.map(answers)), [false, false, false, false]);
  assert.equal(await sendFromOutside("while locked"), false);
  // Names tell of mail, too: not one folder of it can be read.
  assert.doesNotMatch(await onHost("ls -R /volume/store"), /mail|example|postfix/);

  const checked = await mailhost(["check", "--json"]);
  assertCode(checked, 1);
  const results = JSON.parse(checked.stdout) as readonly CheckResult[];
  assert.deepEqual(
    results.map(({ item, remedy }) => [item, remedy]),
    [["locked", "Open it with its passphrase: `npm run unlock`. Then check again."]],
  );
  await withStack(
    (stack) => stack.setIn(["config", "mailhost:logs"], stack.createNode({ days: 7 })),
    async () => {
      const ran = await tryUp();
      assert.notEqual(ran.code, 0);
      assert.match(
        ran.stdout,
        /the host is locked, and nothing was changed\. Run `npm run unlock -- --stack NAME`/,
      );
    },
  );

  assertCode(await unlock(["not the passphrase"]), 3);
  assert.equal(await answers(25), false);
  const opened = await unlock([passphrase]);
  assertCode(opened, 0);
  t.diagnostic(`opened, and what waited runs: ${opened.seconds.toFixed(1)} s`);
  assert.deepEqual(await Promise.all(mailPorts.map(answers)), [true, true, true, true]);
  assert.equal(await onHost("ls /run/motd.d"), "");
  assert.equal(await sendFromOutside("while locked"), true);
  const host = await mailHost();
  for (const subject of ["while locked", `kept ${word}`])
    assert.equal(await count(host, "ann@example.org", subject), 1, subject);
  // Twice where the power went between its delivery and its end in the queue: better than never.
  assert.ok((await count(host, "ann@example.org", "a moment before")) >= 1);
  await up();
  await succeed(["check"]);
  assert.deepEqual(await previewSteps(), []);
});

test("locked by hand it closes; a changed passphrase opens it, the old one does not, the recovery key sets another", async () => {
  assertCode(await unlock(["a wrong passphrase", second], "--change"), 3);
  assertCode(await unlock([passphrase, "too short"], "--change"), 1);
  assertCode(await unlock([passphrase, second], "--change"), 0);
  await onHost("systemctl stop mailhost-store");
  assert.deepEqual(await Promise.all(mailPorts.map(answers)), [false, false, false, false]);
  assert.equal((await onHost("/usr/local/lib/mailhost/store state")).trim(), "locked");
  assert.doesNotMatch(await onHost("ls /volume/store"), /mail/);
  assertCode(await unlock([passphrase]), 3);
  assertCode(await unlock([second]), 0);
  await onHost("systemctl stop mailhost-store");
  assertCode(await unlock([recoveryKey.replace(/^...../, "AAAA-"), third], "--recover"), 3);
  assertCode(await unlock([recoveryKey.toLowerCase(), third], "--recover"), 0);
  await onHost("systemctl stop mailhost-store");
  assertCode(await unlock([second]), 3);
  assertCode(await unlock([third]), 0);
  const renewed = await unlock([third], "--recovery-key");
  assertCode(renewed, 0);
  assertCode(await unlock([recoveryKey, passphrase], "--recover"), 3);
  await succeed(["check"]);
});

test("a secret of the stack opens it without a question; one that is another than the store's stops the deployment", async () => {
  await withStack(store({ passphrase: second }), async () => {
    const ran = await tryUp();
    assert.notEqual(ran.code, 0);
    assert.match(ran.stdout, /that is not the store's passphrase; nothing was changed/);
    assert.ok(!ran.stdout.includes(second));
  });
  await withStack(store({ passphrase: third }), async () => {
    await up();
    await cutAndStart();
    const opened = await unlock([]);
    assertCode(opened, 0);
    await succeed(["check"]);
    assert.deepEqual(await previewSteps(), []);
    // It is in the state, and in clear nowhere on the host.
    assert.deepEqual(filesWith(third, volumes(), ...rootDisks()), []);
  });
  await up();
});

test("it is not taken off under mail either", async () => {
  await withStack(store(false), async () => {
    const ran = await tryUp();
    assert.notEqual(ran.code, 0);
    assert.match(ran.stdout, /lies in a locked store, which the stack file does not speak of/);
  });
  await up();
  assert.equal(await count(await mailHost(), "ann@example.org", `kept ${word}`), 1);
  await succeed(["check"]);
});
