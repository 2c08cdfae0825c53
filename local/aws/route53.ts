/** Route 53: public hosted zones and their record sets. Errors as in the "Amazon Route 53 API Reference". */
import { createHash, randomBytes } from "node:crypto";
import type { Account, Action } from "./account.ts";
import { AwsError, notSimulated, withCode } from "./errors.ts";
import type { Parameters } from "./parameters.ts";
import type { HostedSet } from "./state.ts";

const types = ["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TLSA", "TXT"];

/** Route 53's actions of the same names. */
export const route53Actions: Readonly<Record<string, Action>> = withCode("InvalidInput", {
  ListHostedZonesByName: (account, parameters) => {
    const from = parameters.maybeString("DNSName");
    parameters.end();
    const zones = account.world.dns.route53Zones.toSorted();
    const first = from === undefined ? 0 : zones.findIndex((zone) => zone >= withoutDot(from));
    return { HostedZones: (first < 0 ? [] : zones.slice(first)).map((zone) => shown(account, zone)) };
  },

  GetHostedZone: (account, parameters) => {
    const zone = zoneOf(account, parameters.string("Id"));
    parameters.end();
    return {
      HostedZone: shown(account, zone),
      DelegationSet: { NameServers: account.world.dns.route53Servers },
    };
  },

  ListResourceRecordSets: (account, parameters) => {
    const zone = zoneOf(account, parameters.string("HostedZoneId"));
    parameters.end();
    return {
      ResourceRecordSets: setsOf(account, zone).map(({ name, type, ttl, values }) => ({
        Name: `${name.replace(/^\*/, "\\052")}.`,
        Type: type,
        TTL: ttl,
        ResourceRecords: values.map((Value) => ({ Value })),
      })),
    };
  },

  /** All changes of a batch, or none. */
  ChangeResourceRecordSets: (account, parameters) => {
    const zone = zoneOf(account, parameters.string("HostedZoneId"));
    const batch = parameters.maybeStructure("ChangeBatch");
    const changes = (batch?.structures("Changes") ?? []).map((change) => {
      const set = wantedSet(change.maybeStructure("ResourceRecordSet"));
      const action = change.string("Action");
      change.end();
      return { action, set };
    });
    batch?.maybeString("Comment");
    batch?.end();
    parameters.end();
    // One batch of a zone at a time, as Route 53 does (PriorRequestNotComplete).
    return account.inOrder(`route53 ${zone}`, async () => {
      let sets = setsOf(account, zone);
      for (const { action, set } of changes) sets = changed(sets, action, set, zone);
      for (const { set } of changes) {
        const now = sets.find((other) => isSame(other, set));
        const records = (now?.values ?? []).map((rdata) => ({
          name: set.name,
          type: set.type,
          ttl: set.ttl,
          rdata,
        }));
        await account.world.dns.setRrset(zone, set.name, set.type, records);
      }
      account.state.hostedSets[zone] = [...sets];
      account.save();
      return {
        ChangeInfo: { Id: `/change/C${randomBytes(10).toString("hex").toUpperCase()}`, Status: "INSYNC" },
      };
    });
  },

  /** A change is served before its answer. */
  GetChange: (_account, parameters) => {
    const Id = parameters.string("Id");
    parameters.end();
    return { ChangeInfo: { Id, Status: "INSYNC" } };
  },
});

/** Takes every record out of the zones. */
export async function emptyZones(account: Account): Promise<void> {
  for (const [zone, sets] of Object.entries(account.state.hostedSets))
    for (const { name, type } of sets) await account.world.dns.setRrset(zone, name, type, []);
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, "").toLowerCase();
}

/** Of a name alone, so that a zone's is the same in every cloud. */
function idOf(zone: string): string {
  return `Z${createHash("sha256").update(zone).digest("hex").slice(0, 20).toUpperCase()}`;
}

function zoneOf(account: Account, id: string): string {
  const plain = id.replace(/^\/hostedzone\//, "");
  const found = account.world.dns.route53Zones.find((zone) => idOf(zone) === plain);
  if (found === undefined)
    throw new AwsError("NoSuchHostedZone", `No hosted zone found with ID: ${plain}`, 404);
  return found;
}

function setsOf({ state }: Account, zone: string): readonly HostedSet[] {
  return state.hostedSets[zone] ?? [];
}

function shown(account: Account, zone: string) {
  return {
    Id: `/hostedzone/${idOf(zone)}`,
    Name: `${zone}.`,
    CallerReference: zone,
    Config: { PrivateZone: false },
    // SOA and NS among them.
    ResourceRecordSetCount: setsOf(account, zone).length + 2,
  };
}

function wantedSet(given: Parameters | undefined): HostedSet {
  if (given === undefined) throw new AwsError("InvalidInput", "A change has no ResourceRecordSet");
  const name = withoutDot(given.string("Name")).replace(/^\\052/, "*");
  const type = given.string("Type");
  const ttl = given.integer("TTL");
  const values = given.structures("ResourceRecords").map((record) => {
    const value = record.string("Value");
    record.end();
    return value;
  });
  given.end();
  if (!types.includes(type)) throw notSimulated(`Route 53's records of type ${type}`);
  if (values.length === 0) throw notSimulated("Route 53's alias records");
  const fault = type === "TXT" ? values.map(textFault).find((each) => each !== undefined) : undefined;
  if (fault !== undefined) throw refused(`Invalid Resource Record: 'FATAL problem: ${fault}'`);
  if (new Set(values).size < values.length)
    throw refused(
      `Duplicate Resource Record: '${values.find((value, index) => values.indexOf(value) < index)}'`,
    );
  return { name, type, ttl, values };
}

/** Strings in quotes, each of at most 255 characters ("TXT record type"). */
function textFault(value: string): string | undefined {
  if (!/^"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*$/.test(value))
    return `InvalidCharacterString (Value should be enclosed in quotation marks) encountered with '${value}'`;
  const strings = [...value.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text);
  return strings.some((text) => text.replace(/\\(?:\d{3}|.)/g, "x").length > 255)
    ? `CharacterStringTooLong (Value is too long) encountered with '${value}'`
    : undefined;
}

function isSame(one: HostedSet, other: HostedSet): boolean {
  return one.name === other.name && one.type === other.type;
}

function changed(
  sets: readonly HostedSet[],
  action: string,
  set: HostedSet,
  zone: string,
): readonly HostedSet[] {
  const words = `resource record set [name='${set.name}.', type='${set.type}']`;
  if (set.name !== zone && !set.name.endsWith(`.${zone}`))
    throw refused(`RRSet with DNS name ${set.name}. is not permitted in zone ${zone}.`);
  const there = sets.find((other) => isSame(other, set));
  const others = sets.filter((other) => !isSame(other, set));
  if (action === "DELETE") {
    if (there === undefined) throw refused(`Tried to delete ${words} but it was not found`);
    const same =
      there.ttl === set.ttl && [...there.values].sort().join("\n") === [...set.values].sort().join("\n");
    if (!same)
      throw refused(`Tried to delete ${words} but the values provided do not match the current values`);
    return others;
  }
  if (action !== "CREATE" && action !== "UPSERT")
    throw new AwsError("InvalidInput", `Invalid action: ${action}`);
  if (action === "CREATE" && there !== undefined)
    throw refused(`Tried to create ${words} but it already exists`);
  if (others.some((other) => other.name === set.name && (other.type === "CNAME" || set.type === "CNAME")))
    throw refused(
      `RRSet of type ${set.type} with DNS name ${set.name}. is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone ${zone}.`,
    );
  return [...others, set];
}

function refused(message: string): AwsError {
  return new AwsError("InvalidChangeBatch", `[${message}]`);
}
