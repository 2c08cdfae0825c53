/**
 * docs/runbooks.md and the snapshot of the README, typed as they stand on a host that has what they are for. Each begins with the
 * fault and with how it shows, and ends with what the page says of its end.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { reverseName } from "../../dns/client.ts";
import { mayGrowMounted } from "../e2e/capability.ts";
import { cloudflare, zoneId } from "../e2e/cloudflare.ts";
import { count, imap, mailHost, mxOf, otherSide, submit, unique } from "../e2e/mail.ts";
import {
  aws,
  cloudInfo,
  keepStackText,
  mailhost,
  onHost,
  publish,
  resourceId,
  stackText,
  withoutUpdates,
} from "../e2e/mailhost.ts";
import { answer, port25 } from "../e2e/sending.ts";
import { eventually } from "../eventually.ts";
import { ownCloud } from "./own-cloud.ts";
import { typedPage } from "./typed.ts";

const page = typedPage("docs/runbooks.md");
const readme = typedPage("README.md");
const bob = "bob@example.org";

ownCloud(undefined, withoutUpdates);

/** What the check finds wrong, each with its remedy. */
async function wrong(): Promise<string> {
  const { stdout, stderr } = await mailhost(["check"]);
  return stdout + stderr;
}

/** A message from the other side to Bob. @returns its subject */
async function letterToBob(what: string): Promise<string> {
  const subject = unique(what);
  const peer = await otherSide();
  const sent = await peer.send({ from: "zoe@example.net", to: bob, subject, timeout: 20 });
  assert.ok(sent.accepted, JSON.stringify(sent));
  return subject;
}

test("the page's first lines say which stack is meant, and the check that begins it finds all right", async () => {
  assert.match(await page.type("Runbooks"), /\d+ right, 0 wrong/);
});

test("the address is listed: the check names the list, the commands say who has sent, and it ends", async () => {
  await submit(await mailHost(), { from: bob, to: "yves@example.net", subject: unique("of Bob") });
  const { publicIp } = await mailHost();
  const name = `${reverseName(publicIp).replace(".in-addr.arpa", "")}.zen.spamhaus.org`;
  await publish(name, "127.0.0.2");
  await onHost("unbound-control -q flush_zone spamhaus.org");
  assert.match(await wrong(), /is on the blocklist zen\.spamhaus\.org/);
  assert.match(
    await page.type("The address is listed", 0, 1),
    /sasl_username=bob@example\.org[\s\S]*Nothing waits/,
  );
  await publish(name);
  await onHost("unbound-control -q flush_zone spamhaus.org");
  await page.type("The address is listed", 1);
});

test("port 25 is blocked: what waits is shown, and goes when the way is open", async () => {
  const host = await mailHost();
  await port25(true);
  const { messageId } = await submit(host, { from: bob, to: "yves@example.net", subject: unique("waits") });
  assert.match(await wrong(), /At a new AWS account port 25 is blocked/);
  await eventually("the first try has failed", 90, async () =>
    /timed out/.test(await page.type("Port 25 is blocked", 0, 1)),
  );
  await port25(false);
  // Where Postfix has just tried, it lets the destination rest for a minute.
  await eventually("it has left", 120, async () => {
    await page.type("Port 25 is blocked", 1, 2);
    return await (await otherSide()).waitFor(messageId, 5);
  });
  await page.type("Port 25 is blocked", 2);
});

test("the certificate does not renew, since its name leads elsewhere: the reason shows, up mends it, another one comes", async () => {
  const host = await mailHost();
  const zone = await zoneId("example.org");
  const [record] = await cloudflare<readonly { id: string }[]>(
    "GET",
    `/zones/${zone}/dns_records?type=A&name=${host.hostname}`,
  );
  assert.ok(record);
  // There somebody is, who knows nothing of it.
  const other = cloudInfo().peer.address;
  await cloudflare("PATCH", `/zones/${zone}/dns_records/${record.id}`, { content: other, ttl: 60 });
  // Resolvers forget at once what they would remember for its TTL.
  await publish(host.hostname, other);
  const before = await onHost("openssl x509 -in /srv/tls/fullchain.pem -noout -serial");
  await onHost(
    "mv /srv/letsencrypt/mail /srv/letsencrypt/mail.kept; systemctl start mailhost-certificate || true",
  );
  assert.match(await wrong(), /mailhost-certificate\.service has failed/);
  const said = await page.type("The certificate does not renew", 0, 1);
  assert.match(said, /gave none for mail\.example\.org yet/);
  assert.match(said, new RegExp(other.replaceAll(".", "\\.")));
  await page.type("The certificate does not renew", 1, 2);
  await publish(host.hostname, host.publicIp);
  await page.type("The certificate does not renew", 2);
  assert.notEqual(await onHost("openssl x509 -in /srv/tls/fullchain.pem -noout -serial"), before);
  await onHost("rm -r /srv/letsencrypt/mail.kept");
});

test("the disk is full: mail is put off and not lost, and a larger one takes it", async (t) => {
  t.after(() => onHost("rm -f /srv/ballast"));
  await onHost(`fallocate -l "$(df --output=avail -B 1 /srv | tail -n 1)" /srv/ballast || true; sync`);
  const peer = await otherSide();
  const refused = await peer.send({
    from: "zoe@example.net",
    to: bob,
    subject: unique("no room"),
    timeout: 20,
  });
  assert.equal(refused.accepted, false);
  assert.match(JSON.stringify(refused), /452 4\.3\.1 Insufficient system storage/);
  assert.match(await wrong(), /\/srv is (9\d|100) % full/);
  assert.match(await page.type("The disk is full", 0, 1), /\/srv\n?/);
  await page.type("The disk is full", 1, 2);
  if (!mayGrowMounted()) {
    await onHost("touch /run/this-boot; systemctl reboot").catch(
      () => "the connection may end with the host",
    );
    await eventually("the host is back", 90, async () => {
      const state = await onHost("test -e /run/this-boot || systemctl is-system-running");
      return state.trim() === "running";
    });
  }
  const subject = await letterToBob("there is room");
  assert.equal(await count(await mailHost(), bob, subject), 1);
  await page.type("The disk is full", 2);
  await onHost("rm /srv/ballast");
});

test("a password is stolen: another one, no session, nothing of it in the queue, and its user sends again", async () => {
  const host = await mailHost();
  const stolen = host.credentials[bob] ?? "";
  const thief = await imap(host, bob);
  const closed = new Promise((resolve) => thief.once("close", resolve));
  thief.on("error", () => undefined);
  const late = { mode: "defer", to: "late@example.net" };
  await answer(late);
  for (const _ of [1, 2, 3]) await submit(host, { from: bob, to: late.to, subject: unique("pills") });
  const ofAnn = await submit(host, { from: "ann@example.org", to: late.to, subject: unique("of Ann's") });
  await page.type("A password is stolen", 0, 1);
  const said = await page.type("A password is stolen", 1, 2);
  assert.match(said, /Deleted: 3 messages/);
  assert.match(said, /rip=/);
  await closed;
  await assert.rejects(imap(host, bob, stolen), /cannot log in/);
  await answer({ mode: "accept" });
  await onHost("postqueue -f");
  assert.ok(await (await otherSide()).waitFor(ofAnn.messageId, 90), "others' mail was thrown away");
  await page.type("A password is stolen", 2, 3);
  const anew = await submit(await mailHost(), {
    from: bob,
    to: "yves@example.net",
    subject: unique("again"),
  });
  assert.ok(await (await otherSide()).waitFor(anew.messageId, 30));
  assert.match(await page.type("A password is stolen", 3), /Nothing waits/);
});

test("mail from a snapshot: what was deleted since comes back beside what is there", async () => {
  const subject = await letterToBob("deleted by mistake");
  assert.equal(await count(await mailHost(), bob, subject), 1);
  await onHost("sync");
  await readme.type("Backups");
  await onHost(`doveadm expunge -u ${bob} mailbox INBOX subject '${subject}'`);
  const later = await letterToBob("later");
  assert.equal(await count(await mailHost(), bob, subject, { expected: 0 }), 0);
  const said = await page.type("Mail from a snapshot");
  assert.match(said, /Restored\S* messages=\d+/);
  const host = await mailHost();
  assert.equal(await count(host, bob, subject, { folder: "Restored/INBOX" }), 1);
  assert.equal(await count(host, bob, later), 1);
});

test("the machine is lost: another one, with the same mail", async () => {
  const before = await mailHost();
  const subject = await letterToBob("of the first machine");
  const machine = await resourceId("server-instance");
  await page.type("The machine is lost");
  assert.notEqual(await resourceId("server-instance"), machine);
  assert.deepEqual(await mailHost(), before);
  assert.equal(await count(before, bob, subject), 1);
});

test("the volume from a snapshot: the mail of then, the same passwords", async () => {
  const before = await mailHost();
  const subject = await letterToBob("in the snapshot");
  assert.equal(await count(before, bob, subject), 1);
  await onHost("sync");
  await readme.type("Backups");
  await aws("TerminateInstances", { InstanceIds: [await resourceId("server-instance")] });
  const lost = await resourceId("server-data");
  await eventually("the volume is free", 60, async () => {
    await aws("DeleteVolume", { VolumeId: lost });
    return true;
  });
  await page.type("The volume from a snapshot");
  assert.notEqual(await resourceId("server-data"), lost);
  const after = await mailHost();
  assert.deepEqual(after, before);
  assert.equal(await count(after, bob, subject), 1);
});

test("a domain moves away: the new provider's records stay, nothing of ours does, and its mail is kept until it is deleted", async () => {
  const zone = await zoneId("example.com");
  const path = `/zones/${zone}/dns_records`;
  const records = () =>
    cloudflare<readonly { id: string; type: string; name: string; content: string; comment?: string }[]>(
      "GET",
      `${path}?per_page=500`,
    );
  for (const { id, type, name, content } of await records())
    if (type === "MX" || (type === "TXT" && (/v=spf1/.test(content) || name.startsWith("_dmarc."))))
      if (name === "example.com" || name === "_dmarc.example.com")
        await cloudflare("DELETE", `${path}/${id}`);
  const theirs = { type: "MX", name: "example.com", content: "mx.elsewhere.example", priority: 10, ttl: 300 };
  await cloudflare("POST", path, theirs);
  await page.type("A domain moves away", 0, 1);
  assert.deepEqual(await mxOf("example.com"), ["10 mx.elsewhere.example"]);
  assert.deepEqual(
    (await records()).filter(({ comment }) => comment?.startsWith("mailhost ")).map(({ name }) => name),
    [],
  );
  const sent = await (await otherSide()).send({
    from: "zoe@example.net",
    to: "carol@example.com",
    subject: unique("late"),
    timeout: 20,
  });
  assert.equal(sent.accepted, false);
  assert.match(await page.type("A domain moves away", 1, 2), /carol@example\.com/);
  assert.doesNotMatch(await onHost("ls /srv/mail"), /example\.com/);
  await page.type("A domain moves away", 2);
  keepStackText(stackText());
});

test("all that the page has somebody type was typed", () => {
  assert.deepEqual(page.left(), []);
});
