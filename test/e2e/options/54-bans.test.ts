/** Who guesses passwords is let in nowhere, and nobody else is kept out. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../../local/run.ts";
import { eventually } from "../../eventually.ts";
import { mailHost } from "../mail.ts";
import { cloudInfo, onHost } from "../mailhost.ts";
import { asNeighbour, type Talk, talks, withNeighbours } from "../neighbour.ts";
import { octets } from "../trusted.ts";

const { slot } = cloudInfo();
const host = await mailHost();
const inside = (await onHost("hostname -I")).trim().split(" ")[0] ?? "";
const list = "/usr/local/lib/mailhost/bans";
const ann = "ann@example.org";
const doors = [
  { port: 22, tls: false, until: "SSH-2.0" },
  { port: 25, tls: false, until: "220 " },
  { port: 465, tls: true, until: "220 " },
  { port: 587, tls: false, until: "220 " },
  { port: 993, tls: true, until: "* OK" },
];

/** The doors that answer. */
async function openTo(from: string): Promise<readonly number[]> {
  const answers = await talks(
    slot,
    doors.map((door) => ({ ...door, from, to: inside, steps: [] })),
  );
  return doors.filter((_, index) => answers[index] !== undefined).map(({ port }) => port);
}

const imapLogin = (from: string, password: string): Talk => ({
  from,
  to: inside,
  port: 993,
  tls: true,
  steps: [["* OK", `a login ${ann} ${password}`]],
  until: "a ",
});

const plain = Buffer.from(`\0${ann}\0guess`).toString("base64");

const submissionLogin = (from: string): Talk => ({
  from,
  to: inside,
  port: 465,
  tls: true,
  steps: [
    ["220 ", "EHLO guesser.example.net"],
    ["250 ", `AUTH PLAIN ${plain}`],
  ],
  until: "535 ",
});

const twoLoginsOn25 = (from: string): Talk => ({
  from,
  to: inside,
  port: 25,
  tls: false,
  steps: [
    ["220 ", "EHLO guesser.example.net"],
    ["250 ", `AUTH PLAIN ${plain}`],
    ["503 ", `AUTH PLAIN ${plain}`],
    ["503 ", "QUIT"],
  ],
  until: "221 ",
});

async function sshLogin(from: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "mailhost-guess-"));
  try {
    const key = join(folder, "key");
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    const options = [
      "BatchMode=yes",
      "IdentitiesOnly=yes",
      "StrictHostKeyChecking=no",
      "UserKnownHostsFile=/dev/null",
    ];
    const flags = options.flatMap((option) => ["-o", option]);
    await asNeighbour(slot, ["ssh", "-b", from, "-i", key, ...flags, `admin@${inside}`, "true"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const failuresOf = async (address: string) =>
  Number(
    await onHost(
      `journalctl --sync; journalctl -t dovecot -o cat | grep -c "${address},.* users: Password mismatch" || true`,
    ),
  );

test("an address whose logins fail on IMAP, submission, 25 and SSH is banned on every port, and no other", () =>
  withNeighbours(slot, [250, 251], async ([guesser = "", household = ""]) => {
    assert.deepEqual(await openTo(guesser), [22, 25, 465, 587, 993]);

    // Dovecot lets each next guess of an address wait longer; nobody waits for its answers here.
    const answers = talks(slot, [
      ...Array.from({ length: 5 }, (_, index) => imapLogin(guesser, `guess${index}`)),
      submissionLogin(guesser),
      submissionLogin(guesser),
    ]);
    await assert.rejects(sshLogin(guesser), /Permission denied/);
    assert.doesNotMatch(await onHost(list), new RegExp(guesser), "seven or eight failures are not ten");
    assert.match((await talks(slot, [twoLoginsOn25(guesser)]))[0] ?? "", /^221 /);
    await eventually("the ban", 20, async () => (await onHost(list)).includes(`${guesser} `));
    await answers;

    assert.deepEqual(await openTo(guesser), []);
    assert.deepEqual(await openTo(household), [22, 25, 465, 587, 993]);

    // The firewall's own rules made anew, and all of nftables: the ban stays.
    await onHost("nft -f /etc/nftables.conf");
    assert.deepEqual(await openTo(guesser), []);
    await onHost("systemctl restart nftables");
    await eventually("the ban again", 10, async () => (await openTo(guesser)).length === 0);

    // Somebody at home can log in, so a forgotten device there with an old password locks nobody out.
    const home = imapLogin(household, host.credentials[ann] ?? "");
    assert.match((await talks(slot, [home]))[0] ?? "", /^a OK /);
    const before = await failuresOf(household);
    const old = talks(
      slot,
      Array.from({ length: 12 }, () => imapLogin(household, "old")),
    );
    await eventually("twelve failures", 20, async () => (await failuresOf(household)) >= before + 12);
    assert.doesNotMatch(await onHost(list), new RegExp(household));
    await old;
    assert.deepEqual(await openTo(household), [22, 25, 465, 587, 993]);

    assert.match(await onHost(list), new RegExp(`^${guesser} +until \\S+ \\S+, banned once$`, "m"));
    assert.equal(await onHost(`${list} lift ${guesser}`), `${guesser} may come in again\n`);
    assert.deepEqual(await openTo(guesser), [22, 25, 465, 587, 993]);
    assert.equal(await onHost(list), "nobody is banned\n");
  }));

test("a trusted machine is never banned, however many logins fail there, and not by an older ban either", () =>
  withNeighbours(slot, [octets.printer], async ([printer = ""]) => {
    const failures = async () =>
      Number(
        await onHost(
          `journalctl --sync; journalctl -t postfix/smtpd -o cat | grep -c "disconnect from .*\\[${printer}\\].* auth=0/2" || true`,
        ),
      );
    const before = await failures();
    await talks(
      slot,
      Array.from({ length: 6 }, () => twoLoginsOn25(printer)),
    );
    await eventually("twelve failures", 20, async () => (await failures()) >= before + 6);
    assert.equal(await onHost(list), "nobody is banned\n");
    assert.deepEqual(await openTo(printer), [22, 25, 465, 587, 993]);

    // Banned before the stack file named it.
    await onHost(
      `echo "${printer} $(($(date +%s) + 600)) 1" >>/run/mailhost-bans/bans; systemctl restart mailhost-bans`,
    );
    await eventually("it is forgotten", 10, async () => (await onHost(list)) === "nobody is banned\n");
    assert.deepEqual(await openTo(printer), [22, 25, 465, 587, 993]);
  }));

test("who comes back after a ban is banned for longer, and an IPv6 network is banned as one", () =>
  withNeighbours(slot, [252], async ([guesser = ""]) => {
    const guess = async () => {
      await talks(
        slot,
        Array.from({ length: 5 }, () => twoLoginsOn25(guesser)),
      );
      await eventually("the ban", 10, async () => (await onHost(list)).includes(`${guesser} `));
    };
    const minutes = async () =>
      Number(
        new RegExp(`${guesser} timeout (\\d+)m`).exec(
          await onHost("nft list set inet mailhost_bans banned_v4"),
        )?.[1],
      );
    await guess();
    assert.equal(await minutes(), 10);
    // As if its time were over.
    await onHost(`nft delete element inet mailhost_bans banned_v4 "{ ${guesser} }"`);
    await guess();
    await eventually("the second ban", 10, async () => (await minutes()) === 40);
    await onHost(`${list} lift ${guesser}`);
    assert.equal(await onHost(`${list} lift 2001:db8:1:2:3:4:5:6`), "2001:db8:1:2::/64 was not banned\n");
  }));
