import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RecordType } from "dns-packet";
import { ask } from "../../dns/client.ts";
import { run, tryRun } from "../run.ts";
import { openStore, type Store } from "../store.ts";
import type { DnsWorld, PublishedRecord } from "../types.ts";
import { mirrorHosts } from "./mirror.ts";
import type { Network } from "./network.ts";
import { rdataText } from "./rdata.ts";
import type { Service } from "./supervisor.ts";

/** Zones of the simulated Cloudflare account. */
const hostedZones = ["example.org", "example.com"] as const;
/** Zones of the simulated AWS account at Route 53. */
const route53Zones = ["example.info"] as const;
/** The other side's zone. */
const peerZone = "example.net";

/** Lists of bad addresses and names that mail hosts ask, with the entry that each has for tests (RFC 5782 section 5). */
const blocklists = {
  "zen.spamhaus.org": "2.0.0.127.zen.spamhaus.org. 60 A 127.0.0.2",
  "bl.spamcop.net": "2.0.0.127.bl.spamcop.net. 60 A 127.0.0.2",
  "dbl.spamhaus.org": "dbltest.com.dbl.spamhaus.org. 60 A 127.0.1.2",
} as const;

/** Those below a top-level domain. */
function blocklistsBelow(top: string): string[] {
  return Object.keys(blocklists).filter((zone) => zone.endsWith(`.${top}`));
}

/** What the server must not lose: the records that came over `setRrset`, by zone. */
interface DnsState {
  records: Record<string, PublishedRecord[]>;
  /** DS records of each zone's key, as its parent publishes them. */
  ds: Record<string, string[]>;
}

/**
 * The DNS of the small internet: a root, its top-level domains, the hosted zones, the other side's, blocklists, Debian's
 * archive, and the reverse zone of the public range; all signed, each with its DS at its parent. One knotd serves
 * them, on the addresses that a real tree would spread over operators. Its zone files are made anew each time it starts
 * from what is kept here, so there is no journal that a power cut could tear.
 */
export class Dns implements DnsWorld {
  readonly zones = hostedZones;
  /** Names of the hosted zones' authoritative servers. */
  readonly nameserverNames = ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"] as const;
  readonly route53Zones = route53Zones;
  /** Names of Route 53's authoritative servers. */
  readonly route53Servers = ["ns-26.awsdns-03.net", "ns-1537.awsdns-00.net"] as const;
  readonly #network: Network;
  readonly #folder: string;
  readonly #store: Store<DnsState>;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(network: Network, folder: string) {
    this.#network = network;
    this.#folder = folder;
    mkdirSync(join(folder, "zones"), { recursive: true, mode: 0o700 });
    this.#store = openStore(folder, "dns.json", () => ({ records: {}, ds: {} }));
  }

  /** Keys, zone files and configuration. @returns the server to start */
  async prepare(): Promise<Service> {
    const folder = this.#folder;
    const conf = join(folder, "knot.conf");
    writeFileSync(conf, this.#configuration());
    if (!existsSync(join(folder, "keys"))) this.#store.data.ds = {};
    for (const zone of this.#tree()) {
      if (this.#store.data.ds[zone.name] !== undefined) continue;
      // One key for both jobs: nobody rolls keys here.
      await run("keymgr", ["-c", conf, zone.name, "generate", "ksk=yes", "zsk=yes"]);
      const lines = (await run("keymgr", ["-c", conf, zone.name, "ds"])).trim().split("\n");
      // Every digest but SHA-1, which nobody should publish any more (RFC 8624 section 3.3).
      this.#store.data.ds[zone.name] = lines
        .map((line) => line.replace(/^\S+ DS /, ""))
        .filter((rdata) => rdata.split(" ")[2] === "2");
    }
    this.#store.save();
    writeFileSync(join(folder, "root.hints"), this.rootHints);
    writeFileSync(join(folder, "root.anchor"), this.trustAnchor);
    return {
      name: "knotd",
      namespace: this.#network.internet,
      command: ["knotd", "-c", conf],
      cwd: folder,
      log: join(folder, "knotd.log"),
      // In turn: a change that is under way when it dies is either kept by then or was refused.
      prepare: () =>
        this.#inTurn(async () => {
          for (const zone of this.#tree()) writeFileSync(this.#zoneFile(zone.name), this.#zoneText(zone));
          // It trusts the number in there, which may be anybody's by now.
          rmSync(join(folder, "knotd.pid"), { force: true });
        }),
      // The last one to be loaded may be any: all of them must answer signed.
      ready: async () => {
        for (const zone of this.#tree()) {
          const answer = await tryRun("knotc", ["-s", this.#socket, "zone-status", zone.name, "+serial"]);
          if (answer === undefined || !/serial: \d+/.test(answer)) return false;
        }
        return true;
      },
    };
  }

  /** Zone-file text for resolvers (`root-hints`). */
  get rootHints(): string {
    return `. 3600000 NS a.root-servers.net.\na.root-servers.net. 3600000 A ${this.#network.addresses.root}\n`;
  }

  /** DS record of the root (`trust-anchor-file`). */
  get trustAnchor(): string {
    return (this.#store.data.ds["."] ?? []).map((rdata) => `. 3600 IN DS ${rdata}\n`).join("");
  }

  async setRrset(
    zone: string,
    name: string,
    type: string,
    records: readonly PublishedRecord[],
  ): Promise<void> {
    if (!this.#tree().some((each) => each.name === zone))
      throw new Error(`The zone ${zone} is not served here.`);
    await this.#inTurn(async () => {
      const kept = (this.#store.data.records[zone] ?? []).filter(
        (each) => each.name !== name || each.type !== type,
      );
      await this.#transaction(zone, async (control) => {
        await control(["zone-unset", zone, `${name}.`, type], "may fail");
        for (const record of records) {
          await control(["zone-set", zone, `${name}.`, String(record.ttl), type, record.rdata]);
        }
      });
      this.#store.data.records[zone] = [...kept, ...records];
      this.#store.save();
      await this.#forget(name, type);
    });
  }

  async setPtr(publicIpv4: string, name: string | undefined): Promise<void> {
    const owner = `${publicIpv4.split(".").reverse().join(".")}.in-addr.arpa`;
    const records =
      name === undefined
        ? []
        : [{ name: owner, type: "PTR", ttl: 300, rdata: `${name.replace(/\.$/, "")}.` }];
    await this.setRrset(this.#reverseZone, owner, "PTR", records);
  }

  async resolve(name: string, type: string): Promise<readonly string[]> {
    const answer = await ask(this.#network.addresses.resolver, name, type as RecordType, { timeout: 2500 });
    if (answer.rcode !== "NOERROR" && answer.rcode !== "NXDOMAIN") {
      throw new Error(`The resolver answers ${answer.rcode} for ${name} ${type}.`);
    }
    return answer.answers.map(rdataText);
  }

  /** The served zone that holds a name. @throws where it lies outside of the small internet */
  zoneOf(name: string): string {
    const found = this.#tree()
      .map((zone) => zone.name)
      .filter((zone) => zone !== "." && (name === zone || name.endsWith(`.${zone}`)))
      .toSorted((one, other) => other.length - one.length)[0];
    if (found === undefined) throw new Error(`No zone that is served here holds ${name}.`);
    return found;
  }

  /** What a resolver needs that knows the small internet by its leaves and asks somebody else about the rest. */
  stubs(): { zone: string; server: string }[] {
    const { nameservers, tld } = this.#network.addresses;
    return [
      ...[...hostedZones, ...route53Zones].map((zone) => ({ zone, server: nameservers[0] })),
      ...[peerZone, "debian.org", ...Object.keys(blocklists), this.#reverseZone].map((zone) => ({
        zone,
        server: tld,
      })),
    ];
  }

  /** Lets the resolvers of this cloud see a change at once: who looks from there wants to know what is. */
  async #forget(name: string, type: string): Promise<void> {
    for (const resolver of ["resolver", "vpc-resolver"]) {
      const conf = join(this.#folder, `${resolver}.conf`);
      // They may be down, and know nothing then.
      // With a delegation's key goes all that it has vouched for.
      const flush = type === "DS" ? ["flush_zone", name] : ["flush_type", name, type];
      await tryRun("unbound-control", ["-q", "-c", conf, ...flush]);
      await tryRun("unbound-control", ["-q", "-c", conf, "flush_negative"]);
    }
  }

  get #reverseZone(): string {
    return `${this.#network.slot}.18.198.in-addr.arpa`;
  }

  get #socket(): string {
    return join(this.#folder, "knot.sock");
  }

  #zoneFile(zone: string): string {
    return join(this.#folder, "zones", zone === "." ? "root" : zone);
  }

  /** Every zone with its nameservers and what it holds from the beginning. */
  #tree(): Zone[] {
    const { root, tld, nameservers, mirror, acme } = this.#network.addresses;
    const operator = ["a.gtld-servers.net."];
    const cloudflare = this.nameserverNames.map((name) => `${name}.`);
    const route53 = this.route53Servers.map((name) => `${name}.`);
    return [
      {
        name: ".",
        servers: ["a.root-servers.net."],
        children: ["org", "com", "net", "info", "edu", this.#reverseZone],
        records: [`a.root-servers.net. 3600 A ${root}`, `a.gtld-servers.net. 3600 A ${tld}`],
      },
      {
        name: "org",
        servers: operator,
        children: ["example.org", "debian.org", ...blocklistsBelow("org")],
        records: [],
      },
      {
        name: "com",
        servers: operator,
        children: ["example.com"],
        records: [
          ...cloudflare.map((name, index) => `${name} 3600 A ${nameservers[index]}`),
          // Whoever wants to know whether mail can leave asks this one; here the other side greets in its place.
          `gmail-smtp-in.l.google.com. 300 A ${this.#network.addresses.peer}`,
        ],
      },
      {
        name: "net",
        servers: operator,
        children: [peerZone, ...blocklistsBelow("net")],
        records: [
          `a.root-servers.net. 3600 A ${root}`,
          `a.gtld-servers.net. 3600 A ${tld}`,
          ...route53.map((name, index) => `${name} 3600 A ${nameservers[index]}`),
        ],
      },
      { name: "info", servers: operator, children: [...route53Zones], records: [] },
      // Of the zones below it somebody else is the nameserver: their registry has what `POST /world/record` tells it.
      { name: "edu", servers: operator, children: [], records: [] },
      ...route53Zones.map((name) => ({ name, servers: route53, children: [], records: [] })),
      ...hostedZones.map((name) => ({ name, servers: cloudflare, children: [], records: [] })),
      {
        name: peerZone,
        servers: operator,
        children: [],
        records: [`acme.${peerZone}. 300 A ${acme}`],
      },
      {
        name: "debian.org",
        servers: operator,
        children: [],
        records: mirrorHosts.map((host) => `${host}. 300 A ${mirror}`),
      },
      ...Object.entries(blocklists).map(([name, record]) => ({
        name,
        servers: operator,
        children: [],
        records: [record],
      })),
      { name: this.#reverseZone, servers: operator, children: [], records: [] },
    ];
  }

  #zoneText(zone: Zone): string {
    const servers = new Map(this.#tree().map((each) => [each.name, each.servers]));
    const delegations = zone.children.flatMap((child) => [
      ...(servers.get(child) ?? []).map((server) => `${child}. 3600 NS ${server}`),
      ...(this.#store.data.ds[child] ?? []).map((rdata) => `${child}. 3600 DS ${rdata}`),
    ]);
    const published = (this.#store.data.records[zone.name] ?? []).map(
      (record) => `${record.name}. ${record.ttl} ${record.type} ${record.rdata}`,
    );
    const apex = zone.name === "." ? "." : `${zone.name}.`;
    return [
      // A name that is missing is asked for again after half a minute: records come and go quickly here.
      `${apex} 3600 SOA ${zone.servers[0]} hostmaster.${peerZone}. ${Math.floor(Date.now() / 1000)} 1800 900 604800 30`,
      ...zone.servers.map((server) => `${apex} 3600 NS ${server}`),
      ...delegations,
      ...new Set([...zone.records, ...published]),
      "",
    ].join("\n");
  }

  #configuration(): string {
    const { root, tld, nameservers } = this.#network.addresses;
    const folder = this.#folder;
    return `server:
    rundir: "${folder}"
    pidfile: "${join(folder, "knotd.pid")}"
    listen: [ ${[root, tld, ...nameservers].map((address) => `${address}@53`).join(", ")} ]
    udp-workers: 1
    tcp-workers: 1
    background-workers: 2
    # Zones load side by side, and none waits for another.
    async-start: on
control:
    listen: "${this.#socket}"
log:
  - target: stdout
    any: info
database:
    storage: "${folder}"
    kasp-db: keys
policy:
  - id: local
    manual: on
    single-type-signing: on
    algorithm: ecdsap256sha256
template:
  - id: default
    storage: "${join(folder, "zones")}"
    zonefile-load: whole
    # The zone file is made anew at each start from what the daemon keeps.
    zonefile-sync: -1
    journal-content: none
    serial-policy: unixtime
    dnssec-signing: on
    dnssec-policy: local
zone:
${this.#tree()
  .map((zone) => `  - domain: "${zone.name}"\n    file: "${this.#zoneFile(zone.name)}"\n`)
  .join("")}`;
  }

  async #transaction(zone: string, work: (control: Control) => Promise<void>): Promise<void> {
    const control: Control = async (words, mode) => {
      const args = ["-b", "-s", this.#socket, ...words];
      await (mode === "may fail" ? tryRun : run)("knotc", args);
    };
    await control(["zone-begin", zone]);
    try {
      await work(control);
      await control(["zone-commit", zone]);
    } catch (error) {
      await control(["zone-abort", zone], "may fail");
      throw error;
    }
  }

  /** knotd knows one transaction of a zone at a time. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work, work);
    this.#queue = done.catch(() => {});
    return done;
  }
}

type Control = (words: readonly string[], mode?: "may fail") => Promise<void>;

interface Zone {
  readonly name: string;
  readonly servers: readonly string[];
  readonly children: readonly string[];
  /** Zone-file lines. */
  readonly records: readonly string[];
}
