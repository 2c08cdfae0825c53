import assert from "node:assert/strict";
import { test } from "node:test";
import { unexplained } from "../logs.ts";
import { mailHost, otherSide, received, unique } from "../mail.ts";
import { onHost } from "../mailhost.ts";

test("with everything on, too, the logs hold no warning that is not explained", async () => {
  const left = await unexplained("@0", [
    // The page's password is 190 random bits in a file of root's and rspamd's own: a hash of it would hide nothing more.
    /rspamd_controller_password_sane: your (normal|enable) password is not encrypted/,
    // Whoever is told to stop while Postfix is connected is ended after a second; Postfix asks its client to come again.
    /rspamd_check_termination_clause: \w+ process \d+ terminated abnormally .* by signal: Killed/,
    // One `up` brings the options' rules one after the other, each with a reload.
    /cannot find a symbol to enable (CLAM_VIRUS|TRUSTED_HOST) when/,
    // So it is with Dovecot, which ends in this way what is still there from before, whichever process that is.
    /Killed with signal 15|Processes aren't dying after reload|service\([\w-]+\): Sent SIGTERM to/,
    // A trusted host that logs in is a user as well; the settings of the host go first, and are the same.
    /cannot apply settings rule outgoing_user .* already applied by rule outgoing_host/,
    // 10-on kills a deployment in the middle of its logins.
    /^fatal: ssh_packet_send_debug: .*Broken pipe/,
    // 57-clamav stops clamd while it scans.
    /clamav: failed to scan, maximum retransmits exceed/,
    // 50-spam brings more than an address may, and with 61-trusted sends more than the limit.
    /^warning: Message delivery request rate limit exceeded: 301 from \S+ for service smtp$/,
    /(bob@example\.org|printer) is over its limit/,
    // 71-daily-check stops Postfix, whose queue is looked at then, and lets nobody listen at the webhook.
    /^warning: Mail system is down -- accessing queue directly/,
    /^mailhost-check\.service: (Main process exited|Failed with result)|^Failed to start mailhost-check\.service/,
    // 45-crowds comes with more strangers than find room.
    /service\(imap-login\): process_limit \(\d+\) reached/,
    // 40-mailboxes, 54-bans and 61-trusted try wrong passwords.
    /SASL (PLAIN|LOGIN) authentication failed/,
    // 70-web tries them in the browser's place, many at once.
    /IMAP Error: Login failed for carol@example\.com/,
    // It also tries that of a mailbox that is suspended.
    /IMAP Error: Login failed for erin@example\.org/,
    // 64-feedback complains of a message without a text.
    /rspamd_url_text_extract: got empty text part/,
    /\[pool webmail\] server reached max_children setting/,
  ]);
  assert.deepEqual(left, []);
});

test("logs are kept for the days and in the size of the stack file, by journald's own word", async () => {
  const config = await onHost("systemd-analyze cat-config systemd/journald.conf");
  const last = (key: string) => [...config.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].at(-1)?.[1];
  assert.deepEqual([last("MaxRetentionSec"), last("Storage")], ["10day", "persistent"]);
  // At each start journald says what it may take (systemd.journal-fields(7)).
  const said = await onHost(
    "journalctl -q -n 1 -o json --output-fields=MAX_USE MESSAGE_ID=ec387f577b844b8fa948f33cad9a75e6 JOURNAL_NAME='System Journal'",
  );
  assert.equal(Number(JSON.parse(said).MAX_USE), 400 * 1024 * 1024);
});

test("the host's clock shows the stack file's zone: in mail, and for what it does at night", async () => {
  const said = await onHost(
    "timedatectl show -P Timezone; date +%z; systemctl show -P NextElapseUSecRealtime mailhost-expiry.timer | cut -d' ' -f3-",
  );
  assert.equal(said, "Asia/Kolkata\n+0530\n02:00:00 IST\n");
  const subject = unique("zone");
  const sent = await (await otherSide()).send({ from: "zoe@example.net", to: "bob@example.org", subject });
  assert.ok(sent.accepted, sent.response);
  assert.match(
    await received(await mailHost(), "bob@example.org", subject),
    /\(Postfix\) with [\s\S]*? \+0530 \(IST\)/,
  );
});
