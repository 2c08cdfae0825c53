/** Dangerous attachments and links that lie, as a sender whose own mail is in order sends them. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { mailHost, otherSide, received, submit, unique } from "../mail.ts";

const host = await mailHost();
const peer = await otherSide();
const ann = "ann@example.org";

// Whom somebody here has written to is not asked to come again, however odd the message.
before(async () => {
  await submit(host, { from: ann, to: `sales@${peer.domain}`, subject: unique("order") });
});

/** The message as it lies in the mailbox's Inbox or Junk. */
async function delivered(raw: string, subject: string): Promise<string> {
  const sent = await peer.send({ from: `sales@${peer.domain}`, to: ann, raw });
  assert.equal(sent.code, 250, sent.response);
  return received(host, ann, subject);
}

const head = (subject: string) =>
  `From: sales@${peer.domain}\r\nTo: ${ann}\r\nSubject: ${subject}\r\nDate: ${new Date().toUTCString()}\r\nMessage-ID: <${subject.replaceAll(" ", ".")}@${peer.domain}>\r\nMIME-Version: 1.0\r\n`;

const program = Buffer.from(`MZ${"\0".repeat(200)}`).toString("base64");
const attached = (subject: string, name: string) =>
  `${head(subject)}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nYour invoice.\r\n--b\r\nContent-Type: application/octet-stream; name="${name}"\r\nContent-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${program}\r\n--b--\r\n`;

test("a program that calls itself a document is named in the message's headers", async () => {
  const subject = unique("invoice");
  assert.match(
    await delivered(attached(subject, "invoice.pdf.exe"), subject),
    /MIME_DOUBLE_BAD_EXTENSION\(\d/,
  );
});

for (const extension of ["exe", "scr", "js", "vbs", "lnk", "hta"])
  test(`so is what runs when it is opened: .${extension}`, async () => {
    const subject = unique(`a ${extension}`);
    assert.match(
      await delivered(attached(subject, `viewer.${extension}`), subject),
      /MIME_BAD_EXTENSION\(\d/,
    );
  });

test("a rule weighs what the stack says", async () => {
  const subject = unique("good");
  const raw = `${head(subject)}Content-Type: text/plain\r\n\r\nPlain words.\r\n`;
  assert.match(await delivered(raw, subject), /MIME_GOOD\(-0\.30\)/);
});

test("a link that shows another address than it leads to is named in the message's headers", async () => {
  const subject = unique("account");
  const raw = `${head(subject)}Content-Type: text/html\r\n\r\n<html><body><p>Dear customer, log in at <a href="http://login.attacker.com/x">https://www.mybank.org/login</a> today.</p></body></html>\r\n`;
  assert.match(await delivered(raw, subject), /PHISHING\(\d/);
});
