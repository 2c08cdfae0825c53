import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { items } from "../../check/items.ts";
import { itemsOnHost } from "../../check/itemsOnHost.ts";
import { recordSets } from "../../check/recordsets.ts";
import { secretsDocument } from "../../plan/bundle.ts";
import type { DailyCheck } from "../../plan/dailyCheck.ts";
import { hostExits } from "../../plan/egress.ts";
import { makePlan } from "../../plan/plan.ts";
import { program } from "../../plan/program.ts";
import type { Known, Secrets } from "../../plan/types.ts";
import { noSecrets } from "../noSecrets.ts";
import { settingsWith } from "./settings.ts";

const moment = { today: "2026-11-22", rotation: {}, ramps: {} };
const planOf = (keys: Readonly<Record<string, unknown>>, today = moment.today) =>
  makePlan(settingsWith(keys), { ...moment, today });
const bundleOf = (keys: Readonly<Record<string, unknown>>, today?: string) =>
  planOf(keys, today).bundles.find(({ name }) => name === "daily-check");

function secretsFor(keys: Readonly<Record<string, unknown>>): Secrets {
  const plan = planOf(keys);
  const names = [...plan.dkim, ...plan.tlsKeys].map(({ name }) => name);
  const known: Known = {
    stack: "prod",
    facts: {
      publicIpv4: "192.0.2.25",
      publicKeys: Object.fromEntries(names.map((name) => [name, `public part of ${name}`])),
    },
    ds: { "example.org": "2371 13 2 ABCD" },
  };
  const secret = (name: string) => `SECRET ${name}`;
  return {
    ...noSecrets,
    known,
    dkimPrivateKeys: { one: secret("dkim") },
    tlsKeys: { one: secret("tls") },
    passwordHashes: { one: secret("hash") },
    generated: { one: secret("generated") },
  };
}

/** What the host reads of its file. */
function told(keys: Readonly<Record<string, unknown>>, today?: string): { text: string; read: DailyCheck } {
  const bundle = bundleOf(keys, today) ?? assert.fail("no bundle");
  const file = bundle.secretFiles.find(({ path }) => path.endsWith(".json")) ?? assert.fail("no file");
  const text = file.content(secretsFor(keys));
  return { text, read: JSON.parse(text) as DailyCheck };
}

describe("dailyCheck", () => {
  it("off it is absent, and so it is by default", () => {
    assert.equal(bundleOf({}), undefined);
    assert.equal(bundleOf({ dailyCheck: false }), undefined);
    assert.notEqual(bundleOf({ dailyCheck: true }), undefined);
  });

  it("the host gets the plan as a check from outside has it, itself among the bundles", () => {
    const keys = { dailyCheck: { to: "ann@example.net" } };
    const { read } = told(keys);
    const plan = planOf(keys);
    assert.equal(read.to, "ann@example.net");
    assert.equal(read.webhook, undefined);
    assert.deepEqual(
      read.bundles.map(({ name }) => name),
      plan.bundles.map(({ name }) => name),
    );
    const { facts } = secretsFor(keys).known;
    const sets = (records: typeof read.records | typeof plan.records) =>
      recordSets({
        ...read,
        resolver: "",
        credentials: {},
        records,
        facts: { ...facts, acmeAccount: "%ACME_ACCOUNT%" },
      });
    assert.deepEqual(sets(read.records), sets(plan.records));
  });

  it("no secret gets into it but the webhook, however many the stack has", () => {
    const secrets = {
      relay: { host: "smtp.example.net", username: "customer", password: "SECRET-relay", spf: [] },
      lockedStore: { passphrase: "SECRET passphrase, a long one" },
      domains: {
        "example.org": {
          since: "2026-11-21",
          mailboxes: { ann: {}, bob: { passwordHash: `{SHA512-CRYPT}$6$SECRET$${"h".repeat(86)}` } },
        },
      },
      dailyCheck: { webhook: "https://hooks.example.net/word" },
    };
    const { text, read } = told(secrets);
    assert.doesNotMatch(text, /SECRET/);
    assert.equal(read.webhook, "https://hooks.example.net/word");
    assert.equal(text.split("https://hooks.example.net/word").length, 2);
    // The store is one all the same, and the relay is known.
    assert.notEqual(read.settings.options.lockedStore, false);
    assert.equal(read.settings.options.relay.host, "smtp.example.net");
  });

  it("the same stack gives the same bytes from one day to the next, and the same code the same program", () => {
    assert.equal(told({ dailyCheck: true }).text, told({ dailyCheck: true }, "2026-11-23").text);
    const bundle = bundleOf({ dailyCheck: true }) ?? assert.fail();
    const document = secretsDocument(bundle, secretsFor({ dailyCheck: true })) ?? "";
    assert.equal(document, secretsDocument(bundle, secretsFor({ dailyCheck: true })));
    assert.ok(program("check/onHost.ts").length < 200_000, "it has grown: what does it import?");
    assert.doesNotMatch(program("check/onHost.ts"), new RegExp(process.cwd()));
  });

  it("the program is one file that needs nothing beside it", () => {
    const folder = mkdtempSync(join(tmpdir(), "mailhost-daily-"));
    try {
      writeFileSync(join(folder, "check.cjs"), program("check/onHost.ts"));
      assert.throws(
        () => execFileSync(process.execPath, ["check.cjs", "told.json"], { cwd: folder, stdio: "pipe" }),
        // Of this machine, which is no mail host.
        (error: Error & { status?: number }) =>
          error.status === 2 && /no such file.*daily-check\.json/.test(error.message),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("the host looks at all that takes no mailbox's password, and at no page of the web", () => {
    const names = new Set(itemsOnHost.map(({ name }) => name));
    assert.deepEqual(
      items.filter(({ name }) => !names.has(name)).map(({ name }) => name),
      ["senders", "logins", "web", "outgoing", "incoming", "policies"],
    );
    assert.deepEqual(
      items.filter((item) => itemsOnHost.includes(item)),
      itemsOnHost,
    );
  });

  it("a webhook at a port of its own is let out where the ways out are restricted", () => {
    const ports = (dailyCheck: unknown) =>
      hostExits(settingsWith({ egress: "restricted", dailyCheck }))?.flatMap(({ ports }) => ports);
    assert.ok(ports({ webhook: "https://hooks.example.net:8443/" })?.includes(8443));
    assert.deepEqual(ports({ webhook: "https://hooks.example.net/" }), ports(false));
  });

  it("an address of this host, a webhook without TLS and one that is none are refused, and the webhook is not shown", () => {
    const refuse = (dailyCheck: unknown, message: RegExp) =>
      assert.throws(() => settingsWith({ dailyCheck }), message);
    refuse({ to: "bob@example.org" }, /dailyCheck\.to.*is of this very host/);
    refuse({ to: "root@mail.example.org" }, /dailyCheck\.to.*is of this very host/);
    refuse({ to: "bob" }, /dailyCheck\.to.*is not a mail address/);
    refuse({ webhook: "http://hooks.example.net/word" }, /dailyCheck\.webhook.*is not an https URL/);
    assert.throws(
      () => settingsWith({ dailyCheck: { webhook: "hooks.example.net/word" } }),
      (error: Error) => !error.message.includes("/word"),
    );
  });
});
