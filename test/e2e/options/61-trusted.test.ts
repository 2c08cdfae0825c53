/** Machines that send through the host without being anybody's mailbox. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually } from "../../eventually.ts";
import { count, imap, mailHost, otherSide, unique } from "../mail.ts";
import { cloudInfo, onHost, stackOutput } from "../mailhost.ts";
import { asNeighbour } from "../neighbour.ts";
import { redis } from "../redis.ts";
import { judged } from "../sending.ts";
import { certificateOf, fromMachine, type MachineLetter, octets } from "../trusted.ts";

const { slot } = cloudInfo();
const peer = await otherSide();
const inside = (await onHost("hostname -I")).trim().split(" ")[0] ?? "";
const at = (octet: number) => `198.18.${slot}.${octet}`;
const outside = `machines@${peer.domain}`;

const printer = { at: at(octets.printer), host: inside, from: "scanner@example.org", to: outside };
const nas = {
  ...printer,
  at: at(octets.stranger),
  from: "nas@example.org",
  certificate: certificateOf("nas").file,
};

async function shop(): Promise<MachineLetter> {
  const { trustedHosts } = (await stackOutput()) as {
    trustedHosts: Readonly<Record<string, { readonly login: string; readonly password: string }>>;
  };
  const login = trustedHosts.shop ?? assert.fail("no login");
  return { ...printer, at: at(octets.stranger), from: "orders@example.com", login };
}

before(async () => {
  for (const octet of Object.values(octets))
    await asNeighbour(slot, ["ip", "address", "add", `${at(octet)}/32`, "dev", "lo"]);
});
after(async () => {
  for (const octet of Object.values(octets))
    await asNeighbour(slot, ["ip", "address", "del", `${at(octet)}/32`, "dev", "lo"]);
});

/** It is taken, goes out signed, and the other side finds nothing to say against it. */
async function goesOut(letter: MachineLetter): Promise<void> {
  const subject = unique(`machine ${letter.from}`);
  assert.equal(await fromMachine({ ...letter, subject }), "250 sent");
  await eventually("it has come", 30, async () => {
    const found = (await peer.messages({ to: outside })).filter((message) => message.subject === subject);
    assert.deepEqual(found.map(judged), ["pass pass+pass pass"]);
    return true;
  });
}

test("by its network, on both ports, inside TLS, and not on port 25", async () => {
  await onHost(`${redis} del mailhost_outgoing_printer`);
  await goesOut(printer);
  await goesOut({ ...printer, port: 587, from: "scanner+2@example.org" });
  assert.match(await fromMachine({ ...printer, port: 25 }), /^554 5\.7\.1 .*Relay access denied/);
  const stranger = { ...printer, at: at(octets.stranger) };
  for (const port of [465, 587] as const)
    assert.match(await fromMachine({ ...stranger, port }), /^554 5\.7\.1 .*: Access denied/);
});

test("by its certificate, from anywhere, and by no other", async () => {
  await goesOut(nas);
  await goesOut({ ...nas, port: 587 });
  const { file } = certificateOf("somebody");
  assert.match(await fromMachine({ ...nas, certificate: file }), /^554 5\.7\.1 .*: Access denied/);
});

test("by its login, which opens nothing else", async () => {
  const letter = await shop();
  await goesOut(letter);
  const { login, password } = letter.login ?? assert.fail();
  await assert.rejects(imap(await mailHost(), login, password));
  const wrong = { ...letter, login: { login, password: `${password}x` } };
  assert.match(await fromMachine(wrong), /^535 5\.7\.8 /);
});

test("each is held to its senders, in the envelope and in From", async () => {
  for (const letter of [printer, nas, await shop()]) {
    assert.match(
      await fromMachine({ ...letter, from: "ann@example.org" }),
      /^554 5\.7\.1 <ann@example\.org>: Sender address rejected: The trusted host \w+ may not send as this address/,
    );
    assert.match(
      await fromMachine({ ...letter, headerFrom: "ann@example.org" }),
      /^554 5\.7\.1 The From header has <ann@example\.org>, which is no sender of \w+/,
    );
    assert.match(await fromMachine({ ...letter, from: "" }), /^554 5\.7\.1 /);
  }
});

test("people in a trusted network are who they log in as", async () => {
  const host = await mailHost();
  const login = { login: "ann@example.org", password: host.credentials["ann@example.org"] ?? "" };
  await goesOut({ ...printer, from: "ann@example.org", login });
  assert.match(await fromMachine({ ...printer, login }), /^553 5\.7\.1 .*not owned by user ann@example\.org/);
});

test("a limit of its own, and the owner is told", async () => {
  const host = await mailHost();
  const told = (expected: number) =>
    count(host, "ann@example.org", "printer has reached its limit of 3", { expected });
  const before = await told(0);
  await onHost(`${redis} del mailhost_outgoing_printer mailhost_outgoing_printer_told`);
  for (let sent = 0; sent < 3; sent++) assert.equal(await fromMachine(printer), "250 sent");
  assert.match(await fromMachine(printer), /^451 4\.7\.1 printer may write to 3 recipients an hour/);
  assert.equal(await fromMachine(nas), "250 sent");
  assert.equal(await told(before + 1), before + 1);
});
