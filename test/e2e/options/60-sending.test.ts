/** Mail that leaves through the relay. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../eventually.ts";
import { onHost } from "../mailhost.ts";
import { cameOnce, forwarded, judged, queueIsEmpty, sendMany, smarthost } from "../sending.ts";

const relay = await smarthost();

test("forwarded mail and bounces go through it, too", async () => {
  const got = await forwarded("forwarded by the relay");
  assert.equal(got.client.address, relay.address);
  assert.equal(judged(got), "pass pass+pass pass");
});

test("the password is where root alone reads it", async () => {
  assert.match(await onHost("stat -c '%U %a' /etc/postfix/relay-login*"), /^(root 600\n){2}$/);
  const found = await onHost(`grep -rlF -e '${relay.password}' /etc /usr/local /var/lib/mailhost || true`);
  assert.deepEqual(found.trim().split("\n").sort(), [
    "/etc/postfix/relay-login",
    "/etc/postfix/relay-login.lmdb",
  ]);
});

test("a relay that does not prove its name gets neither mail nor password", async () => {
  const change = "postconf -P smarthost/unix/smtp_tls_secure_cert_match=other.example.net && postfix reload";
  await onHost(`cp -a /etc/postfix/master.cf /run/master.cf && ${change}`);
  const [subject = ""] = await sendMany("unproven", 1);
  await eventually("it is put off", 30, async () =>
    /Server certificate not verified/.test(await onHost("postqueue -j")),
  );
  // Postfix keeps the time of the next try as the file's: four minutes from the first.
  const left = Number(
    await onHost(
      "echo $(($(find /var/spool/postfix/deferred -type f -printf '%Ts\\n' | sort -n | tail -n 1) - $(date +%s)))",
    ),
  );
  assert.ok(left > 180 && left <= 240, `${left} seconds until the next try`);
  await onHost("cp -a /run/master.cf /etc/postfix/ && rm /run/master.cf && postfix reload");
  await queueIsEmpty(30);
  await cameOnce([subject], relay.address);
});

test("how long and how often mail is tried is as the stack file has it, by Postfix's own word", async () => {
  const said = await onHost(
    "postconf -h maximal_queue_lifetime bounce_queue_lifetime delay_warning_time queue_run_delay minimal_backoff_time maximal_backoff_time",
  );
  assert.deepEqual(said.trim().split("\n"), ["3d", "2d", "12h", "4m", "4m", "30m"]);
});
