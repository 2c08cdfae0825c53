/** What a look costs where there are many domains: nothing may grow faster than they do. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { test } from "node:test";
import { decode, encode, RECURSION_AVAILABLE } from "dns-packet";
import { HostUnderCheck, type Item } from "../../check/host.ts";
import type { Mailbox } from "../../check/imap.ts";
import { delegation } from "../../check/items/delegation.ts";
import { logins } from "../../check/items/logins.ts";
import { records } from "../../check/items/records.ts";
import { spf } from "../../check/items/spf.ts";
import { validation } from "../../check/items/validation.ts";
import { fromOutside } from "../../check/outside.ts";
import { trusting } from "../../check/trust.ts";
import type { CheckTarget } from "../../check/types.ts";
import { makePlan } from "../../plan/plan.ts";
import { parseSettings } from "../../settings/parse.ts";
import { hostname, target, texts } from "./fixtures.ts";

/** Domains of one zone, each with so many mailboxes. */
function settingsOf(domains: number, mailboxes: number) {
  const names = Array.from({ length: domains }, (_, index) => `d${index}.example.org`);
  const people = Array.from({ length: mailboxes }, (_, index) => [`m${index}`, {}]);
  return parseSettings(
    {
      hostname,
      owner: "m0@d0.example.org",
      ssh: { from: ["127.0.0.0/8"] },
      server: { architecture: "amd64" },
      domains: Object.fromEntries(
        names.map((name) => [
          name,
          { since: "2026-11-21", zone: "example.org", mailboxes: Object.fromEntries(people) },
        ]),
      ),
    },
    {},
  );
}

/** A nameserver that counts what it is asked, and knows nothing. */
async function countingServer() {
  const socket = createSocket("udp4");
  let questions = 0;
  socket.on("message", (bytes, { port, address }) => {
    questions += 1;
    const { id, questions: asked } = decode(bytes);
    const empty = {
      type: "response" as const,
      id: id ?? 0,
      flags: RECURSION_AVAILABLE,
      questions: asked ?? [],
    };
    socket.send(encode(empty), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const server = `127.0.0.1:${socket.address().port}`;
  return { server, questions: () => questions, close: () => socket.close() };
}

const aboutNames: readonly Item[] = [records, delegation, validation, spf];

/** How many questions all that is asked of the DNS takes. */
async function questionsFor(domains: number): Promise<number> {
  const { server, questions, close } = await countingServer();
  const settings = settingsOf(domains, 1);
  const plan = makePlan(settings, { today: "2026-11-22", rotation: {}, ramps: {} });
  const host = fromOutside(
    target({
      settings,
      records: plan.records,
      facts: {
        publicIpv4: "192.0.2.1",
        acmeAccount: "",
        publicKeys: Object.fromEntries([...plan.dkim, ...plan.tlsKeys].map(({ name }) => [name, "AAAA"])),
      },
      resolver: server,
      nameservers: { "example.org": [server], org: [server] },
    }),
  );
  await Promise.all(aboutNames.map((item) => item.look(host)));
  close();
  return questions();
}

test("each further domain takes as many questions as the one before, and two for each of its record sets at most", async () => {
  const [one, two, forty] = [await questionsFor(1), await questionsFor(2), await questionsFor(40)];
  const each = two - one;
  assert.equal(forty - two, 38 * each);
  const { records: planned } = makePlan(settingsOf(1, 1), { today: "2026-11-22", rotation: {}, ramps: {} });
  const own = new Set(
    planned.filter(({ name }) => name.endsWith("d0.example.org")).map(({ type, name }) => `${type} ${name}`),
  ).size;
  // At its nameserver, at the resolver, and for SPF.
  assert.ok(each <= 2 * own + 1, `${each} questions for ${own} record sets`);
});

/** Looks at the mailboxes of a host that opens each. */
async function opened(settings: CheckTarget["settings"]) {
  const addresses: string[] = [];
  let [now, most] = [0, 0];
  const credentials = Object.fromEntries(
    settings.domains.flatMap(({ mailboxes }) => mailboxes.map(({ address }) => [address, "a password"])),
  );
  const host = new HostUnderCheck(target({ settings, credentials }), {
    at: "127.0.0.1",
    openMailbox: async (_server, { address }) => {
      addresses.push(address);
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      const close = async () => {
        now -= 1;
      };
      return { close } as unknown as Mailbox;
    },
  });
  return { lines: texts(await logins.look(host)), addresses, most };
}

test("of a thousand mailboxes a hundred are opened, ten at once, some of each domain, the same ones each time", async () => {
  const settings = settingsOf(50, 20);
  const { lines, addresses, most } = await opened(settings);
  assert.deepEqual(lines, [
    "right: 100 of the 1000 mailboxes with a generated password, some of each domain, open by IMAP",
  ]);
  assert.equal(most, 10);
  const domains = Map.groupBy(addresses, (address) => address.split("@")[1]);
  assert.equal(domains.size, 50);
  for (const own of domains.values()) assert.equal(own.length, 2);
  assert.deepEqual((await opened(settings)).addresses.toSorted(), addresses.toSorted());
});

test("of a hundred all are opened", async () => {
  const { lines, addresses } = await opened(settingsOf(10, 10));
  assert.deepEqual(lines, ["right: all 100 mailboxes with a generated password open by IMAP"]);
  assert.equal(new Set(addresses).size, 100);
});

test("the roots are read once, however many connections are made", () => {
  const { roots } = fromOutside(target());
  assert.equal(trusting(roots), trusting(roots));
});
