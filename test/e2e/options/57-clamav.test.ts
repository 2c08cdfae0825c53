/** Viruses: known ones are refused by name, in both directions; where nobody looks mail passes, and says so. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bringSignature, takeSignature, virus } from "../clamav.ts";
import { mailHost, otherSide, received, submit, unique } from "../mail.ts";
import { mailhost, onHost } from "../mailhost.ts";

const host = await mailHost();
const peer = await otherSide();
const refusal = "554 5.7.1 This message carries a virus: Test.Known.UNOFFICIAL";

const letter = (from: string, to: string, subject: string, attachment: string) =>
  [
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${subject}`,
    `Date: ${new Date().toUTCString()}`,
    `Message-ID: <${subject.replaceAll(" ", "-")}@${from.split("@")[1]}>`,
    "MIME-Version: 1.0",
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "Content-Type: text/plain",
    "",
    "See the attachment.",
    "--b",
    'Content-Type: application/octet-stream; name="readme.bin"',
    "Content-Transfer-Encoding: base64",
    "",
    Buffer.from(attachment).toString("base64"),
    "--b--",
    "",
  ].join("\r\n");

const fromOutside = (subject: string, attachment: string) => {
  const [from, to] = ["zoe@example.net", "bob@example.org"];
  return peer.send({ from, to, raw: letter(from, to, subject, attachment) });
};

/** A message whose attachment nobody has looked at before. @returns it as it came, with the rules that spoke */
async function passes(what: string): Promise<string> {
  const subject = unique(what);
  const sent = await fromOutside(subject, `nothing that anybody knows: ${subject}`);
  assert.ok(sent.accepted, sent.response);
  return await received(host, "bob@example.org", subject);
}

before(takeSignature);
after(bringSignature);

test("without signatures there is no scanner: mail passes and says so, and the check names it", async () => {
  assert.match(await passes("not looked at"), /CLAM_VIRUS_FAIL\(0\.00\)/);
  const { code, stdout } = await mailhost(["check"]);
  assert.equal(code, 1);
  assert.match(stdout, /mail is not looked at for viruses: ClamAV has no signatures/);
  assert.match(stdout, /, 1 wrong$/m);
});

test("signatures that come start it, and what they know is refused by name, coming in and going out", async () => {
  await bringSignature();
  const refused = await fromOutside(unique("virus"), virus);
  assert.equal(refused.response.trim(), refusal);
  const [from, to] = ["ann@example.org", "yves@example.net"];
  await assert.rejects(submit(host, { from, to, raw: letter(from, to, unique("virus"), virus) }), {
    response: refusal,
  });
  assert.doesNotMatch(await passes("no virus"), /CLAM_VIRUS/);
});

test("a scanner that takes what it does not answer holds no mail up", async () => {
  await onHost("systemctl kill --signal=STOP clamav-daemon.service");
  try {
    assert.match(await passes("nobody answers"), /CLAM_VIRUS_FAIL\(0\.00\)/);
  } finally {
    await onHost("systemctl kill --signal=CONT clamav-daemon.service");
  }
});

test("nobody but rspamd asks it, and systemd locks it and its updates up", async () => {
  const ask = (user: string) =>
    onHost(
      `setpriv --reuid=${user} --regid=$(id -g ${user}) --clear-groups python3 -c '
import socket
clamd = socket.socket(socket.AF_UNIX)
clamd.connect("/run/clamav/clamd.ctl")
clamd.sendall(b"zPING\\0")
print(clamd.recv(100))' 2>&1 || true`,
    );
  assert.match(await ask("_rspamd"), /PONG/);
  assert.match(await ask("nobody"), /PermissionError/);
  await onHost(
    "systemd-analyze security --no-pager --threshold=50 clamav-daemon.service clamav-freshclam.service >/dev/null",
  );
});
