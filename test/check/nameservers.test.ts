/** The host's own zones, looked at step by step; the servers are played, so that each step can be wrong by itself. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { after, before, beforeEach, test } from "node:test";
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode } from "dns-packet";
import { withCauses } from "../../check/consequences.ts";
import { nameservers } from "../../check/items/nameservers.ts";
import { settingsWith } from "../options/settings.ts";
import { lines, target } from "./fixtures.ts";

/** Loopback addresses that are nobody else's: a nameserver is always asked at port 53. */
const [registryAt, hostAt, copyAt] = ["127.91.28.1", "127.91.28.2", "127.91.28.3"];
const zone = "example.org";
const digest = "AB".repeat(32);
const ds = `${zone}. 3600 IN DS 4711 13 2 ${digest}`;

interface Server {
  readonly serial: number;
  readonly ns: readonly string[];
  readonly signed: boolean;
  /** Whether it answers for the zone. */
  readonly serves: boolean;
}

interface World {
  ns: readonly string[];
  glue: string;
  ds: readonly string[];
  host: Server;
  /** Undefined: it is silent. */
  copy: Server | undefined;
}

const both = ["ns1.example.org", "ns2.example.net"];
const good: Server = { serial: 7, ns: both, signed: true, serves: true };
let world: World;
beforeEach(() => {
  world = { ns: both, glue: hostAt, ds: [digest], host: good, copy: good };
});

const sockets = [registryAt, hostAt, copyAt].map((address) => ({ address, socket: createSocket("udp4") }));
before(async () => {
  for (const { address, socket } of sockets) {
    socket.on("message", (packet, from) => {
      const { id, questions = [] } = decode(packet);
      const said =
        address === registryAt ? fromRegistry(questions[0]?.type) : fromServer(address, questions[0]?.type);
      if (said === undefined) return;
      const known = id === undefined ? {} : { id };
      socket.send(encode({ type: "response", ...known, questions, ...said }), from.port, from.address);
    });
    await new Promise<void>((resolve) => socket.bind(53, address, resolve));
  }
});
after(() => {
  for (const { socket } of sockets) socket.close();
});

const nsOf = (names: readonly string[]): Answer[] =>
  names.map((data) => ({ type: "NS", name: zone, data, ttl: 60 }));

function fromRegistry(type: string | undefined) {
  if (type === "DS")
    return {
      answers: world.ds.map(
        (text): Answer => ({
          type: "DS",
          name: zone,
          ttl: 60,
          data: { keyTag: 4711, algorithm: 13, digestType: 2, digest: Buffer.from(text, "hex") },
        }),
      ),
    };
  return {
    authorities: nsOf(world.ns),
    additionals: [{ type: "A" as const, name: "ns1.example.org", data: world.glue, ttl: 60 }],
  };
}

function fromServer(address: string, type: string | undefined) {
  const server = address === hostAt ? world.host : world.copy;
  if (server === undefined) return undefined;
  // RCODE 5: refused.
  if (!server.serves) return { flags: 5 };
  const soa: Answer = {
    type: "SOA",
    name: zone,
    ttl: 60,
    data: { mname: "ns1.example.org", rname: "postmaster.example.org", serial: server.serial },
  };
  const signature: Answer = {
    type: "RRSIG",
    name: zone,
    ttl: 60,
    data: {
      typeCovered: "SOA",
      algorithm: 13,
      labels: 2,
      originalTTL: 60,
      expiration: 1,
      inception: 0,
      keyTag: 4711,
      signersName: zone,
      signature: Buffer.alloc(64),
    },
  };
  const answers = type === "NS" ? nsOf(server.ns) : [soa, ...(server.signed ? [signature] : [])];
  return { flags: AUTHORITATIVE_ANSWER, answers };
}

const settings = settingsWith({
  dns: { provider: "host", host: { secondaries: { "ns2.example.net": { addresses: [copyAt] } } } },
});
const where = target({
  settings,
  facts: { publicIpv4: hostAt, publicKeys: {} },
  ds: { [zone]: ds },
  nameservers: { org: [registryAt] },
});
const wrongs = async () => (await lines(nameservers, where)).filter((line) => !line.startsWith("right: "));

test("where all is well, each step is a line", async () => {
  assert.deepEqual(await lines(nameservers, where), [
    `right: example.org: the registry sends the world to ns1.example.org with the address ${hostAt} and ns2.example.net`,
    "right: example.org: the DS record at the registry is that of the zone's key",
    "right: example.org: ns1.example.org and ns2.example.net serve it, signed, with the serial 7",
  ]);
});

test("a stack whose zones are elsewhere has nothing of it", async () => {
  assert.deepEqual(await lines(nameservers, { ...where, settings: settingsWith({}) }), []);
});

const server = (changes: Partial<Server>): Server => ({ ...good, ...changes });
for (const [what, put, line] of [
  [
    "another nameserver at the registry",
    () => Object.assign(world, { ns: ["ns1.example.org", "ns9.example.net"] }),
    "the registry names ns1.example.org and ns9.example.net as its nameservers, and it is served by ns1.example.org and ns2.example.net",
  ],
  [
    "glue of an old address",
    () => Object.assign(world, { glue: "192.0.2.9" }),
    `the registry has the address of ns1.example.org as 192.0.2.9 (glue), and it is ${hostAt}`,
  ],
  [
    "no DS record",
    () => Object.assign(world, { ds: [] }),
    "it is signed, and the registry has no DS record, so nobody sees whether an answer is forged",
  ],
  [
    "the DS record of another key",
    () => Object.assign(world, { ds: ["CD".repeat(32)] }),
    `the DS record at the registry is 4711 13 2 ${"CD".repeat(32)}, and the zone's key has 4711 13 2 ${digest}: resolvers that validate find nothing in it`,
  ],
  [
    "a host without the zone",
    () => Object.assign(world, { host: server({ serves: false }) }),
    "the host does not serve it: it answers REFUSED",
  ],
  [
    "a zone that is not signed",
    () => Object.assign(world, { host: server({ signed: false }) }),
    "what the host serves is not signed",
  ],
  [
    "a zone that names others",
    () => Object.assign(world, { host: server({ ns: ["ns1.example.org"] }) }),
    "the host names ns1.example.org as its nameservers, not ns1.example.org and ns2.example.net",
  ],
  [
    "a secondary without the zone",
    () => Object.assign(world, { copy: server({ serves: false }) }),
    `its nameserver ns2.example.net (${copyAt}) does not serve it: it answers REFUSED`,
  ],
  [
    "an old copy",
    () => Object.assign(world, { copy: server({ serial: 6 }) }),
    `its nameserver ns2.example.net (${copyAt}) has the serial 6, and the host 7: its copy is an old one`,
  ],
  [
    "a copy without signatures",
    () => Object.assign(world, { copy: server({ signed: false }) }),
    `its nameserver ns2.example.net (${copyAt}) leaves the signatures out`,
  ],
  [
    "a silent secondary",
    () => Object.assign(world, { copy: undefined }),
    `its nameserver ns2.example.net (${copyAt}) gives no answer`,
  ],
] as const)
  test(`${what} is one line, and no other`, async () => {
    put();
    assert.deepEqual(await wrongs(), [`wrong: example.org: ${line}`]);
  });

test("what a resolver makes of it is told by its cause", () => {
  const line = (item: string, about: string) => ({
    ...{ item, about, group: "Names" as const, right: false, text: about, remedy: "Mend it." },
  });
  const found = withCauses([
    line("nameservers", "nameservers.ds.example.org"),
    line("validation", "validation.dnssec.example.org"),
    { ...line("validation", "validation.example.org"), unanswered: true },
    line("validation", "validation.dnssec.example.com"),
  ]);
  assert.deepEqual(
    found.map(({ cause }) => cause),
    [undefined, "nameservers.ds.example.org", "nameservers.ds.example.org", undefined],
  );
});
