import assert from "node:assert/strict";
import { test } from "node:test";
import { unexplained } from "../logs.ts";

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
    // 50-spam and 61-trusted send more than the limit.
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
