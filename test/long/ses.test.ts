/**
 * Amazon SES by one word in the stack file: what waits behind a blocked port 25 leaves through it, what it must not see goes
 * straight, what it refuses because of the account waits, and by one `up` it is gone again without a trace.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createTransport } from "nodemailer";
import type { ReceivedMessage } from "../../check/otherside.ts";
import { changesSince, footprint } from "../e2e/footprint.ts";
import { mailHost, otherSide, received, submit } from "../e2e/mail.ts";
import {
  aws,
  cloudFolder,
  keepInStack,
  mailhost,
  onHost,
  previewSteps,
  succeed,
  up,
} from "../e2e/mailhost.ts";
import {
  account,
  answer,
  delivered,
  enqueue,
  forwarded,
  port25,
  queueIsEmpty,
  ses,
  waiting,
} from "../e2e/sending.ts";
import { pairs, upLater } from "../e2e/turns.ts";
import { eventually } from "../eventually.ts";
import { ownCloud } from "./own-cloud.ts";

ownCloud();

const many = "many@example.net";
const withoutRelay = new Set<string>();
const state = () => readFileSync(join(cloudFolder, "aws", "aws.json"), "utf8");
const login = async () => {
  const [, username = "", password = ""] =
    /:587 (AKIA\w+):(\S+)/.exec(await onHost("cat /etc/postfix/relay-login")) ?? [];
  return { username, password };
};

test("port 25 is blocked, and one word lets out what waits", { timeout: 1_200_000 }, async (t) => {
  keepInStack((stack) =>
    stack.setIn(["config", "mailhost:domains", "example.org", "aliases", "friend"], "yves@example.net"),
  );
  await up();
  for (const line of await footprint()) withoutRelay.add(line);
  await port25(true);
  await enqueue("blocked", 50);
  assert.equal(await waiting(), 50);

  keepInStack((stack) => stack.setIn(["config", "mailhost:relay"], "ses"));
  const [ran] = await Promise.all([up(), enqueue("meanwhile", 50)]);
  t.diagnostic(`up that makes everything at SES: ${ran.seconds.toFixed(1)} s`);
  assert.match(ran.stdout + ran.stderr, /Amazon SES keeps a new account in a sandbox/);
  await queueIsEmpty(120);
  const { address } = await ses();
  assert.deepEqual(await delivered("blocked", 50), { [address]: 50 });
  assert.deepEqual(await delivered("meanwhile", 50), { [address]: 50 });
  await succeed(["check"]);
  assert.deepEqual(await previewSteps(), []);
});

/** A message through SES, as it arrived at the other side. */
async function throughSes(from: string, subject: string): Promise<ReceivedMessage> {
  const peer = await otherSide();
  await submit(await mailHost(), { from, to: many, subject });
  return eventually("it came", 30, async () => {
    const come = await peer.messages({ to: many });
    return come.find((message) => message.subject === subject) ?? false;
  });
}

/** The domain's own key record is what SES's signature is judged by; the host's signature stayed at home. */
function signedBy(selector: string, { from, verdict }: ReceivedMessage): void {
  assert.deepEqual(
    verdict.dkim.map((one) => [one.domain, one.selector, one.result, one.aligned]),
    [
      [from.split("@")[1], selector, "pass", true],
      ["amazonses.com", "local", "pass", false],
    ],
  );
}

test("SPF, DKIM and DMARC are aligned, for each domain", async () => {
  for (const from of ["ann@example.org", "carol@example.com"]) {
    const domain = from.split("@")[1] ?? "";
    const got = await throughSes(from, `aligned ${domain}`);
    assert.match(got.envelope.from, new RegExp(`@bounce\\.${domain}$`));
    assert.deepEqual(
      { spf: got.verdict.spf.result, domain: got.verdict.spf.domain },
      { spf: "pass", domain: `bounce.${domain}` },
    );
    signedBy("20261121r", got);
    assert.equal(got.verdict.dmarc.result, "pass");
    assert.equal(got.from, from);
  }
});

test("at its turn the domain's next key goes to SES, and is what it signs with", async () => {
  await upLater(1);
  const next = (await pairs("example.org")).find(({ state }) => state === "published");
  await upLater(91);
  signedBy(`${next?.generation}r`, await throughSes("ann@example.org", "the next key"));
});

test("what is forwarded, and bounces, go straight: SES takes neither", async () => {
  const host = await mailHost();
  await port25(false);
  assert.equal((await forwarded("past SES")).client.address, host.publicIp);
  await answer({ mode: "reject", to: "nobody@example.net" });
  await submit(host, { from: "ann@example.org", to: "nobody@example.net", subject: "refused there" });
  // SES took it, and tells the sender by itself.
  const bounce = await received(host, "ann@example.org", "Delivery Status Notification");
  assert.match(bounce, /From: MAILER-DAEMON@amazonses\.com/);
  await answer({ mode: "accept" });
});

test("in the sandbox mail waits, and goes when the account is out of it", async () => {
  const host = await mailHost();
  await account({ sesSandbox: true });
  await submit(host, { from: "ann@example.org", to: many, subject: "sandbox 1" });
  await eventually("it is put off", 30, async () =>
    /Amazon SES: Email address is not verified.*many@example\.net/.test(await onHost("postqueue -j")),
  );
  assert.match((await mailhost(["check"])).stdout, /recipients that Amazon SES does not send to: 1/);
  await account({ sesSandbox: false });
  await queueIsEmpty(60);
  assert.deepEqual(await delivered("sandbox", 1), { [(await ses()).address]: 1 });
});

test("the login is where root alone reads it, and no key stands anywhere in clear", async () => {
  const { password } = await login();
  assert.equal(Buffer.from(password, "base64").length, 33);
  assert.match(await onHost("stat -c '%U %a' /etc/postfix/relay-login*"), /^(root 600\n){2}$/);
  const found = await onHost(`grep -rlF '${password}' /etc /usr/local /var/lib/mailhost || true`);
  assert.deepEqual(found.trim().split("\n").sort(), [
    "/etc/postfix/relay-login",
    "/etc/postfix/relay-login.lmdb",
  ]);
  const { sesIdentities, users } = JSON.parse(state()) as {
    sesIdentities: Record<string, { dkim: { privateKey: string } }>;
    users: Record<string, { keys: Record<string, { secret: string }> }>;
  };
  const secrets = [
    password,
    ...Object.values(sesIdentities).map(({ dkim }) => dkim.privateKey.slice(-200, -140)),
    ...Object.values(users).flatMap(({ keys }) => Object.values(keys).map(({ secret }) => secret)),
  ];
  assert.equal(secrets.length, 4);
  const shown = [
    (await succeed(["pulumi", "stack", "export"])).stdout,
    (await succeed(["pulumi", "preview", "--diff"])).stdout,
    readFileSync(join(cloudFolder, "aws", "aws.log"), "utf8"),
  ];
  for (const [index, text] of shown.entries()) {
    assert.ok(text.length > 100);
    for (const secret of secrets) assert.ok(!text.includes(secret), `${index}`);
  }
});

test("what somebody deleted at SES is made again", async () => {
  await aws("DeleteEmailIdentity", { EmailIdentity: "example.org" });
  const host = await mailHost();
  await submit(host, { from: "ann@example.org", to: many, subject: "deleted 1" });
  await eventually("it waits", 30, async () =>
    /Amazon SES: Email address/.test(await onHost("postqueue -j")),
  );
  await up();
  await queueIsEmpty(60);
  assert.deepEqual(await delivered("deleted", 1), { [(await ses()).address]: 1 });
});

test("the word is taken out under load: each message once, and no trace", {
  timeout: 1_200_000,
}, async () => {
  const { publicIp } = await mailHost();
  const { host, address, authority } = await ses();
  const { username: user, password: pass } = await login();
  await answer({ mode: "defer" });
  await enqueue("held", 50);
  await eventually("all wait", 60, async () => (await waiting()) === 50);
  keepInStack((stack) => stack.deleteIn(["config", "mailhost:relay"]));
  await Promise.all([up(), enqueue("off", 50)]);
  await answer({ mode: "accept" });
  await queueIsEmpty(120);
  assert.deepEqual(await delivered("held", 50), { [publicIp]: 50 });
  const off = Object.keys(await delivered("off", 50));
  assert.ok(
    off.every((from) => [publicIp, address].includes(from)),
    String(off),
  );

  const { came, went } = await changesSince(withoutRelay);
  // The host's keys have taken turns meanwhile; files have their names.
  const own = (lines: readonly string[]) => lines.filter((one) => !/^[0-9a-f]{64} /.test(one));
  const traces = own(came).filter((one) => !/\b\d{8}[er]\._domainkey\./.test(one));
  assert.deepEqual({ traces, went: own(went) }, { traces: [], went: [] });
  const { sesIdentities, users } = JSON.parse(state()) as Record<string, object>;
  assert.deepEqual({ sesIdentities, users }, { sesIdentities: {}, users: {} });
  const transport = createTransport({
    ...{ host: address, port: 587, requireTLS: true, auth: { user, pass } },
    tls: { servername: host, ca: [authority] },
  });
  await assert.rejects(transport.verify(), /535 Authentication Credentials Invalid/);
  transport.close();
  assert.deepEqual(await previewSteps(), []);
  await succeed(["check"]);
});
