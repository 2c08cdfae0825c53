/**
 * One stack that grows from one domain to a hundred, of ten mailboxes each. What is done every day stays quick and small, and
 * programs that are not ours agree on every record.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import type { Document } from "yaml";
import type { CheckResult } from "../../check/types.ts";
import { keepInStack, onHost, type Ran, succeed, up } from "../e2e/mailhost.ts";
import { daneVerdicts, ensureVerifiers, inTable, plannedSets, verifiers } from "../e2e/verifiers.ts";
import { timed, within } from "../e2e/yardstick.ts";
import { ownCloud } from "./own-cloud.ts";

const people = ["ann", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"];
const zones = ["example.org", "example.com"] as const;

/** The first two are zones themselves, and all others lie in these. */
function domainsOf(count: number): readonly { readonly name: string; readonly zone: string }[] {
  return Array.from({ length: count }, (_, index) => {
    const zone = zones[index % 2] ?? zones[0];
    return { name: index < 2 ? zone : `d${index}.${zone}`, zone };
  });
}

const addressesOf = (count: number, names: readonly string[]) =>
  domainsOf(count).flatMap(({ name }) => names.map((person) => `${person}@${name}`));

function write(stack: Document, count: number): void {
  const mailboxes = Object.fromEntries(people.map((person) => [person, {}]));
  const domains = domainsOf(count).map(({ name, zone }) => [
    name,
    { since: "2026-11-21", ...(name !== zone && { zone }), mailboxes, aliases: { info: ["ann", "bob"] } },
  ]);
  stack.setIn(["config", "mailhost:domains"], stack.createNode(Object.fromEntries(domains)));
}

ownCloud((stack) => write(stack, 1), ensureVerifiers);
const { stsOf, validated, zoneVerdict } = verifiers();

/** Processes that this one has started, those that they have, and so on (proc_pid_children(5)). */
function below(pid: number): readonly number[] {
  return globSync(`/proc/${pid}/task/*/children`)
    .flatMap((path) => said(path).split(" ").filter(Boolean).map(Number))
    .flatMap((child) => [child, ...below(child)]);
}

/** A file of a process's; nothing where that has ended. */
function said(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Runs a command of the product. @returns how it ran, and the most memory (MB) that all its processes have had together */
async function weighed(args: readonly string[]): Promise<Ran & { readonly megabytes: number }> {
  let megabytes = 0;
  const timer = setInterval(() => {
    // A page that several share counts in parts (proc_pid_smaps(5), Pss).
    const sizes = below(process.pid).map((pid) =>
      Number(/^Pss:\s+(\d+)/m.exec(said(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0),
    );
    megabytes = Math.max(megabytes, sizes.reduce((sum, size) => sum + size, 0) / 1024);
  }, 250);
  try {
    return { ...(await succeed(args)), megabytes };
  } finally {
    clearInterval(timer);
  }
}

/** Seconds of a preview without changes, as on the machine of the bars: the shorter of two. And its memory. */
async function preview(): Promise<{ readonly seconds: number; readonly megabytes: number }> {
  const tries = [];
  for (const _ of [1, 2]) {
    const { done, slower } = await timed(() => weighed(["pulumi", "preview"]));
    assert.match(done.stdout, /\n {4}\d+ unchanged\n/);
    assert.doesNotMatch(done.stdout, /to (create|update|delete|replace)/);
    tries.push({ seconds: done.seconds / slower, megabytes: done.megabytes });
  }
  return {
    seconds: Math.min(...tries.map(({ seconds }) => seconds)),
    megabytes: Math.max(...tries.map(({ megabytes }) => megabytes)),
  };
}

/** Seconds of the first size's preview. */
let first: number | undefined;

/** Seconds that the check may take, by the number of domains. */
const bars = { 1: 10, 5: 10, 100: 60 } as const;

for (const size of [1, 5, 100] as const)
  describe(`${size} domains of ten mailboxes`, () => {
    if (size > 1)
      before(async () => {
        keepInStack((stack) => write(stack, size));
        await up();
      });

    test("a preview takes three times as long as that of one domain, and 1.5 GB, at most", async (t) => {
      const { seconds, megabytes } = await preview();
      first ??= seconds;
      const figures = `${seconds.toFixed(1)} s, ${(seconds / first).toFixed(1)} times that of one; ${Math.round(megabytes)} MB`;
      t.diagnostic(figures);
      assert.ok(seconds <= 3 * first, figures);
      assert.ok(megabytes <= 1500, figures);
    });

    test("the check finds all right, in its time, and mailauth agrees with each domain's mail", async (t) => {
      const { stdout } = await within(t, "npm run check", bars[size], () => succeed(["check", "--json"]));
      const results = JSON.parse(stdout) as readonly CheckResult[];
      assert.deepEqual(
        results.filter(({ right }) => !right),
        [],
      );
      const judged = results.filter(({ item, text }) => item === "outgoing" && text.includes(" is judged "));
      assert.deepEqual(
        judged.map(({ text }) => text.replaceAll(/ \d{8}[re] /g, " ")),
        domainsOf(size).map(
          ({ name }) =>
            `mail of ${name} is judged SPF pass, DKIM pass, DKIM pass, DMARC pass, by example.net`,
        ),
      );
    });

    test("delv validates every record from the root down, as it is planned", async (t) => {
      const planned = await plannedSets();
      const questions = [...planned.keys()].map((key) => {
        const [type = "", name = ""] = key.split(":");
        return { type: type.toUpperCase() as "TXT", name };
      });
      assert.deepEqual(await validated(questions), planned);
      t.diagnostic(`${questions.length} record sets`);
    });

    test("ldns verifies the zones", async () => {
      for (const zone of new Set(domainsOf(size).map((domain) => domain.zone)))
        assert.match(await zoneVerdict(zone), /^(Zone is verified and complete|OK)$/, zone);
    });

    test("a sender that knows MTA-STS finds each domain's policy", async () => {
      for (const { name } of domainsOf(size))
        assert.match(
          await stsOf(name),
          /STSFetchResult\.VALID: 1>, \('\w+', \{'mx': \['mail\.example\.org'\], 'version': 'STSv1', 'mode': 'testing'/,
          name,
        );
    });

    test("a sender that insists on DANE verifies the host, by way of each domain", async () => {
      const names = domainsOf(size).map(({ name }) => name);
      assert.deepEqual(
        await daneVerdicts(names),
        names.map(() => "Verified"),
      );
    });

    test("Postfix's tables have each mailbox and alias, and certbot gets a certificate", async () => {
      const mailboxes = addressesOf(size, people);
      const aliases = addressesOf(size, ["info"]);
      assert.deepEqual(await inTable("mailboxes", mailboxes), mailboxes);
      assert.deepEqual(await inTable("aliases", aliases), aliases);
      await onHost("/usr/local/lib/mailhost/certificate now 2>&1");
    });
  });

test("with a hundred domains, one more mailbox is there in 20 seconds, and takes mail", async (t) => {
  keepInStack((stack) =>
    stack.setIn(["config", "mailhost:domains", "d50.example.org", "mailboxes", "kim"], {}),
  );
  await within(t, "up of one more mailbox", 20, () => up());
  const kim = "kim@d50.example.org";
  assert.deepEqual(await inTable("mailboxes", [kim]), [kim]);
  assert.match(await onHost(`doveadm user ${kim}`), /d50\.example\.org\/kim/);
});
