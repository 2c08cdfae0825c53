import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../eventually.ts";
import { count, imap, type MailHost, mailHost, otherSide, submit, unique } from "../mail.ts";
import { aws, onHost, previewSteps, resourceId, succeed, up, world } from "../mailhost.ts";
import { redis } from "../redis.ts";
import { answer } from "../sending.ts";

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
    const subject = unique(`load ${number}`);
    const sent = await peer
      .send({ from: "zoe@example.net", to: "bob@example.org", subject, timeout: 5 })
      .catch(() => undefined);
    if (sent?.accepted) accepted.push(subject);
  }
  return accepted;
}

/** Searches that take what comes in into the index of searches, until they are told to stop or their host is gone. */
async function search(host: MailHost, stop: AbortSignal): Promise<void> {
  const client = await imap(host, "bob@example.org");
  client.on("error", () => {});
  // A host without power closes no connection.
  stop.addEventListener("abort", () => client.close());
  try {
    await client.mailboxOpen("INBOX");
    while (!stop.aborted && client.usable) await client.search({ body: "load" });
  } catch {
    // The power is gone.
  }
}

/** A message that is not where it should be: in which folder it lies, or what waits. */
async function whereIs(subject: string): Promise<string> {
  return await onHost(
    `doveadm fetch -u bob@example.org 'mailbox uid hdr.x-spamd-result hdr.received' header subject '${subject}'; postqueue -p`,
  );
}

/** @param copies of each: one, unless what was done with it may have been forgotten */
async function allArrived(subjects: readonly string[], copies: readonly number[] = [1]): Promise<void> {
  assert.ok(subjects.length > 0, "nothing was accepted");
  const host = await mailHost();
  for (const subject of subjects) {
    const found = await count(host, "bob@example.org", subject, { seconds: 60 });
    if (!copies.includes(found)) assert.fail(`${subject}: ${found}\n${await whereIs(subject)}`);
  }
}

test("after a reboot under load everything comes back by itself, and no accepted message is lost", async () => {
  const boot = () => onHost("cat /run/this-boot 2>/dev/null || echo another");
  await onHost("echo this >/run/this-boot");
  const stop = new AbortController();
  const loading = load(stop.signal);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  // The connection may end with the host.
  await onHost("systemctl reboot").catch(() => "");
  await eventually("it is another boot", 90, async () => (await boot()).trim() === "another");
  await upAgain();
  stop.abort();
  await allArrived(await loading);
  await succeed(["check"]);
});

test("a power cut under load, which loses all that is not on the disk, loses no accepted message", async () => {
  const host = await mailHost();
  const stop = new AbortController();
  const loading = load(stop.signal);
  const searching = search(host, stop.signal);
  await new Promise((resolve) => setTimeout(resolve, 5000));
  await world("power-cut?losing");
  stop.abort();
  const accepted = await loading;
  await searching;
  await world("start");
  await upAgain();
  // What Postfix had handed over in the last moment it may hand over again: it does not remember that it did.
  await allArrived(accepted, [1, 2]);
});

test("the machine deleted behind Pulumi's back comes back the same, its mail and its queue with it", async (t) => {
  const host = await mailHost();
  const hostKey = await onHost("cat /etc/ssh/ssh_host_ed25519_key.pub");
  const certificate = await onHost("sha256sum </srv/tls/fullchain.pem");
  const subject = unique("kept");
  await submit(host, { from: "ann@example.org", to: "ann@example.org", subject });
  assert.equal(await count(host, "ann@example.org", subject), 1);
  // One message waits in the queue while the machine is lost: the other side does not want it yet.
  const late = { mode: "defer", to: "late@example.net" };
  await answer(late);
  const waiting = await submit(host, { from: "ann@example.org", to: late.to, subject: "waits in the queue" });
  await eventually("it is in the queue", 30, async () => (await onHost("postqueue -j")).includes(late.to));

  // What the filter has learned is on the volume, too.
  await onHost(
    `printf 'From: a@example.net\\nSubject: pills\\n\\n%s\\n' "$(seq -s' word' 100)" >/tmp/spam
     rspamc -h /run/rspamd/controller.sock learn_spam /tmp/spam
     # By itself it does so within a quarter of an hour (redis.conf).
     ${redis} save`,
  );
  const learned = await onHost(`${redis} hmget RS learns_spam learns_ham`);
  assert.match(learned, /^[1-9]/);

  await aws("TerminateInstances", { InstanceIds: [await resourceId("server-instance")] });
  const ran = await up();
  t.diagnostic(`up after the machine was deleted: ${ran.seconds.toFixed(1)} s`);

  // Which run first sees a key that is to come is no matter of the machine.
  const lasting = (outputs: MailHost) =>
    JSON.stringify(outputs, (key, value: unknown) => (key === "seen" ? undefined : value), 2);
  assert.equal(lasting(await mailHost()), lasting(host));
  assert.equal(await onHost("cat /etc/ssh/ssh_host_ed25519_key.pub"), hostKey);
  assert.equal(await onHost("sha256sum </srv/tls/fullchain.pem"), certificate);
  assert.equal(await count(host, "ann@example.org", subject), 1);
  assert.equal(await onHost(`${redis} hmget RS learns_spam learns_ham`), learned);
  await (await imap(host, "bob@example.org")).logout();
  await answer({ mode: "accept" });
  await onHost("postqueue -f");
  assert.ok(await (await otherSide()).waitFor(waiting.messageId, 60), "the queue was lost");
  await succeed(["check"]);
  assert.deepEqual(await previewSteps(), []);
});
