import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { callApi } from "../../check/otherside.ts";
import { count, imap, mailHost, otherSide, submit } from "./mail.ts";
import { cloudInfo, eventually, mailhost, onHost, previewSteps, succeed, up, world } from "./mailhost.ts";

const services = "postfix dovecot rspamd redis-server unbound nftables";

async function upAgain(): Promise<void> {
  await eventually("the host is back", 90, async () => {
    const state = await onHost(
      `systemctl is-system-running || true; systemctl is-active ${services} | sort -u`,
    );
    return state.trim() === "running\nactive";
  });
}

/** Mail that comes in until it is told to stop. @returns subjects that were accepted */
async function load(stop: AbortSignal): Promise<readonly string[]> {
  const peer = await otherSide();
  const accepted: string[] = [];
  for (let number = 0; !stop.aborted; number += 1) {
    const subject = `load ${process.pid} ${Date.now()} ${number}`;
    const sent = await peer
      .send({ from: "zoe@example.net", to: "bob@example.org", subject, timeout: 5 })
      .catch(() => undefined);
    if (sent?.accepted) accepted.push(subject);
  }
  return accepted;
}

async function allArrived(subjects: readonly string[]): Promise<void> {
  assert.ok(subjects.length > 0, "nothing was accepted");
  const host = await mailHost();
  for (const subject of subjects)
    assert.equal(await count(host, "bob@example.org", subject, { seconds: 60 }), 1, subject);
}

test("after a reboot everything comes back by itself", async () => {
  await onHost("systemctl reboot").catch(() => undefined);
  await upAgain();
  await succeed(["check"]);
});

test("a power cut under load loses no accepted message", async () => {
  const stop = new AbortController();
  const loading = load(stop.signal);
  await new Promise((resolve) => setTimeout(resolve, 5000));
  await world("power-cut");
  stop.abort();
  const accepted = await loading;
  await world("start");
  await upAgain();
  await allArrived(accepted);
});

test("the machine deleted behind Pulumi's back comes back the same, its mail and its queue with it", async (t) => {
  const host = await mailHost();
  const hostKey = await onHost("cat /etc/ssh/ssh_host_ed25519_key.pub");
  const certificate = await onHost("sha256sum </srv/tls/fullchain.pem");
  await submit(host, {
    from: "ann@example.org",
    to: "ann@example.org",
    subject: "before the machine was lost",
  });
  assert.equal(await count(host, "ann@example.org", "before the machine was lost"), 1);
  // A message that stays in the queue: nobody listens where it wants to go.
  await submit(host, {
    from: "ann@example.org",
    to: "late@example.net",
    subject: "still in the queue",
  }).catch(() => undefined);
  const { stdout } = await succeed(["pulumi", "stack", "export"]);
  const id = (
    JSON.parse(stdout) as { deployment: { resources: readonly { urn: string; id?: string }[] } }
  ).deployment.resources.find(({ urn }) => urn.endsWith("::server-instance"))?.id;
  await callApi(cloudInfo().socket, "/aws/TerminateInstances", {
    method: "POST",
    body: { InstanceIds: [id] },
    timeout: 60,
  });
  const ran = await up();
  t.diagnostic(`up after the machine was deleted: ${ran.seconds.toFixed(1)} s`);
  const again = await mailHost();
  assert.deepEqual(again, host);
  assert.equal(await onHost("cat /etc/ssh/ssh_host_ed25519_key.pub"), hostKey);
  assert.equal(await onHost("sha256sum </srv/tls/fullchain.pem"), certificate);
  assert.equal(await count(again, "ann@example.org", "before the machine was lost"), 1);
  await (await imap(again, "bob@example.org")).logout();
  await succeed(["check"]);
  assert.deepEqual(await previewSteps(), []);
});

// Ten in the long run (KILLS=10), fewer in every run: each is a whole deployment.
const kills = Number(process.env.KILLS ?? 3);
test(`up killed at ${kills} random moments of a first deployment, then up: it converges each time`, async (t) => {
  await succeed(["destroy"]);
  const whole = await succeed(["start"]);
  t.diagnostic(`npm start after npm run destroy: ${whole.seconds.toFixed(1)} s`);
  for (let kill = 0; kill < kills; kill += 1) {
    await succeed(["destroy"]);
    const moment = randomInt(2_000, 45_000);
    t.diagnostic(`kill -9 after ${moment} ms`);
    await mailhost(["start"], { killAfter: moment });
    const ran = await mailhost(["start"]);
    assert.equal(
      ran.code,
      0,
      `killed after ${moment} ms:\n${ran.stdout.slice(-4000)}\n${ran.stderr.slice(-2000)}`,
    );
    assert.deepEqual(await previewSteps(), [], `killed after ${moment} ms`);
  }
});
