/**
 * The second story's host (test/e2e/options/): every option that a stack may ask for is switched on by one `up`, used by
 * the files between, and switched off by one `up`.
 */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Document } from "yaml";
import { logo } from "../options/logo.ts";
import { annsKey } from "../options/openpgpKey.ts";
import { cloudFolder, publishAs, stackOutput } from "./mailhost.ts";
import { smarthost, useRelay } from "./sending.ts";
import { trusted } from "./trusted.ts";
import { webhook } from "./webhook.ts";

const mailbox = (address: string) => {
  const [name, domain] = address.split("@");
  return ["config", "mailhost:domains", domain, "mailboxes", name];
};

/** Six who have many devices. Dovecot checks such a hash a hundred times as fast as a generated password's. */
export const crowd = [1, 2, 3, 4, 5, 6].map((number) => `crowd${number}@example.com`);
export const crowdsPassword = "many devices";
const crowdsHash = () => {
  const salt = randomBytes(8);
  const digest = createHash("sha256").update(crowdsPassword).update(salt).digest();
  return `{SSHA256}${Buffer.concat([digest, salt]).toString("base64")}`;
};

/** Who is there before anything is switched on, beside the people of the stack file as it is. */
export function morePeople(stack: Document): void {
  stack.setIn(mailbox("dave@example.org"), stack.createNode({}));
  stack.setIn(mailbox("erin@example.org"), stack.createNode({}));
  for (const address of crowd) stack.setIn([...mailbox(address), "passwordHash"], crowdsHash());
  stack.setIn(["config", "mailhost:domains", "example.org", "aliases", "friend"], "yves@example.net");
  stack.setIn(
    ["config", "mailhost:domains", "example.org", "aliases", "everybody"],
    ["ann@example.org", "carol@example.com", "yves@example.net"],
  );
  stack.setIn(["config", "mailhost:domains", "example.org", "aliases", "full"], "dave");
}

/** The subject of a message that came for Erin meanwhile. */
export const keptWhileSuspended = "kept while suspended";

/** ClamAV is refused on a smaller machine. */
export function largerMachine(stack: Document): void {
  const type = process.arch === "arm64" ? "t4g.medium" : "t3a.medium";
  stack.setIn(["config", "mailhost:server", "instanceType"], type);
}

/** Everything on, with what this cloud has. */
export async function everything(): Promise<(stack: Document) => void> {
  return everythingWith(await smarthost(), trusted());
}

/** The same, told what a cloud has. An option goes here in a form that is in no other test's way. */
export function everythingWith(
  relay: Parameters<typeof useRelay>[1],
  machines: ReturnType<typeof trusted>,
): (stack: Document) => void {
  return (stack) => {
    const set = (key: string, value: unknown) =>
      stack.setIn(["config", `mailhost:${key}`], stack.createNode(value));
    set("backupMx", { "friend.example.net": "mx.example.net" });
    set("bimi", { "example.org": { logo } });
    set("clamav", true);
    set("dns", { zones: { "example.net": "byHand", "example.info": "route53" } });
    set("dailyCheck", { to: "watch@example.net", webhook });
    set("egress", "restricted");
    set("feedback", true);
    set("feedbackId", { sender: "examplemail" });
    set("incomingLimit", { connections: 30, messages: 300 });
    set("lists", {
      refuse: ["nina@example.net"],
      welcome: ["walter@example.net"],
      dns: [{ zone: "bl.example.net", score: 20, remove: "https://bl.example.net/remove" }],
    });
    set("logs", { days: 10, size: 400 });
    set("managesieve", true);
    set("neural", true);
    set("openpgpKeys", { "ann@example.org": annsKey });
    set("parked", {
      "shop.example.org": { zone: "example.org" },
      "example.info": {},
      "old.example.net": { zone: "example.net" },
    });
    set("pop3s", true);
    set("queue", {
      days: 3,
      bounceDays: 2,
      warnAfterHours: 12,
      firstRetryMinutes: 4,
      lastRetryMinutes: 30,
    });
    set("secondMx", ["mx.example.net"]);
    set("sharedFolders", true);
    set("rspamdPage", true);
    set("spam", { scores: { MIME_GOOD: -0.3 } });
    set("trustedHosts", machines);
    set("web", { names: ["webmail.example.com"] });
    useRelay(stack, relay);
    stack.setIn([...mailbox("ann@example.org"), "appPasswords"], stack.createNode(["phone", "laptop"]));
    stack.setIn([...mailbox("dave@example.org"), "quota"], 0.002);
    stack.setIn([...mailbox("erin@example.org"), "suspended"], true);
    stack.setIn([...mailbox("erin@example.org"), "appPasswords"], stack.createNode(["phone"]));
    // Half an hour off, all year round.
    stack.setIn(["config", "mailhost:server", "timeZone"], "Asia/Kolkata");
  };
}

/**
 * What somebody does who keeps the zone `example.net` by hand: puts in what the stack shows.
 * @returns the lines of the zone file
 */
export async function putInByHand(): Promise<readonly string[]> {
  const { dnsZoneFiles } = (await stackOutput()) as { dnsZoneFiles: Readonly<Record<string, string>> };
  const lines = (dnsZoneFiles["example.net"] ?? "").split("\n").filter((line) => /^[^;$]/.test(line));
  for (const line of lines) {
    const [, name = "", type = "", rdata = ""] = /^(\S+) \d+ IN (\S+) (.*)$/.exec(line) ?? [];
    await publishAs(type, `${name}.example.net`, rdata);
  }
  return lines;
}

/** What the last file has to know of the first: how the host was, and its stack file. */
interface Before {
  readonly footprint: readonly string[];
  readonly stackFile: string;
}

const note = () => join(cloudFolder, "before.json");

export function remember(before: Before): void {
  writeFileSync(note(), JSON.stringify(before));
}

export function remembered(): Before {
  return JSON.parse(readFileSync(note(), "utf8")) as Before;
}
