/** Record sets of Route 53, and what there is of its zones. */
import type { Properties } from "../framework.ts";
import type { Ec2 } from "./client.ts";
import { awsFunction } from "./functions.ts";
import { awsResource, type CommonInputs } from "./resource.ts";

interface ApiSet {
  readonly Name: string;
  readonly Type: string;
  readonly TTL: number;
  readonly ResourceRecords: readonly { readonly Value: string }[];
}

interface ApiZone {
  readonly Id: string;
  readonly Name: string;
  readonly CallerReference: string;
  readonly ResourceRecordSetCount: number;
}

interface RecordInputs extends CommonInputs {
  readonly zoneId: string;
  readonly name: string;
  readonly type: string;
  readonly ttl?: number;
  readonly records?: readonly string[];
  readonly allowOverwrite?: boolean;
}

/** The API escapes a wildcard's star, and ends names with a dot. */
const plainName = (name: string) =>
  name
    .replace(/^\\052/, "*")
    .replace(/\.$/, "")
    .toLowerCase();

/** Programs write a text without the quotes around it; those inside, between the strings of a long one, they write. */
const apiValue = (type: string, record: string) => (type === "TXT" ? `"${record}"` : record);
const plainValue = (type: string, value: string) => (type === "TXT" ? value.replace(/^"|"$/g, "") : value);

async function setOf(ec2: Ec2, id: string): Promise<ApiSet | undefined> {
  const [, zone, name, type] = /^([^_]+)_(.+)_([A-Z]+)$/.exec(id) ?? [];
  const answer = await ec2.maybe<{ ResourceRecordSets: readonly ApiSet[] }>("ListResourceRecordSets", {
    HostedZoneId: zone,
  });
  return answer?.ResourceRecordSets.find((set) => plainName(set.Name) === name && set.Type === type);
}

async function change(ec2: Ec2, zoneId: unknown, action: string, set: ApiSet): Promise<void> {
  const { ChangeInfo } = await ec2.call<{ ChangeInfo: { Id: string } }>("ChangeResourceRecordSets", {
    HostedZoneId: zoneId,
    ChangeBatch: { Changes: [{ Action: action, ResourceRecordSet: set }] },
  });
  await ec2.call("GetChange", { Id: ChangeInfo.Id });
}

function apiSet({ name, type, ttl = 0, records = [] }: RecordInputs): ApiSet {
  return {
    Name: name,
    Type: type,
    TTL: ttl,
    ResourceRecords: records.map((each) => ({ Value: apiValue(type, each) })),
  };
}

export const record = awsResource<RecordInputs>({
  isGlobal: true,
  inputs: {
    zoneId: { type: "string", required: true, replaceOnChange: true },
    name: { type: "string", required: true, replaceOnChange: true },
    type: { type: "string", required: true, replaceOnChange: true },
    ttl: { type: "integer" },
    records: { type: "list", set: true, items: { type: "string" } },
    allowOverwrite: { type: "boolean" },
  },
  outputs: { fqdn: {} },
  unsimulated: ["aliases", "healthCheckId", "setIdentifier", "weightedRoutingPolicies"],
  create: async (ec2, inputs) => {
    await change(ec2, inputs.zoneId, inputs.allowOverwrite === true ? "UPSERT" : "CREATE", apiSet(inputs));
    return `${inputs.zoneId}_${inputs.name}_${inputs.type}`;
  },
  read: async (ec2, id, { inputs }) => {
    const found = await setOf(ec2, id);
    const name = found && plainName(found.Name);
    return (
      found && {
        outputs: {
          zoneId: id.slice(0, id.indexOf("_")),
          name: name ?? "",
          type: found.Type,
          ttl: found.TTL,
          records: found.ResourceRecords.map(({ Value }) => plainValue(found.Type, Value)),
          fqdn: name ?? "",
          ...(inputs.allowOverwrite !== undefined && { allowOverwrite: inputs.allowOverwrite }),
        },
      }
    );
  },
  update: (ec2, { inputs }) => change(ec2, inputs.zoneId, "UPSERT", apiSet(inputs)),
  /** As it stands, whoever changed it. */
  delete: async (ec2, id, state) => {
    const found = await setOf(ec2, id);
    if (found !== undefined) await change(ec2, state.zoneId, "DELETE", found);
  },
});

/** By its name; private zones are not simulated. */
const getZone = awsFunction(
  { name: { type: "string" }, zoneId: { type: "string" }, privateZone: { type: "boolean" } },
  async (ec2, inputs): Promise<Properties> => {
    const { HostedZones } = await ec2.call<{ HostedZones: readonly ApiZone[] }>("ListHostedZonesByName", {
      DNSName: inputs.name,
    });
    const zone = HostedZones.find(({ Name }) => plainName(Name) === plainName(String(inputs.name)));
    if (zone === undefined) throw new Error("no matching Route 53 Hosted Zone found");
    const { DelegationSet } = await ec2.call<{ DelegationSet: { NameServers: string[] } }>("GetHostedZone", {
      Id: zone.Id,
    });
    const id = zone.Id.replace("/hostedzone/", "");
    return {
      id,
      zoneId: id,
      arn: `arn:aws:route53:::hostedzone/${id}`,
      name: plainName(zone.Name),
      callerReference: zone.CallerReference,
      comment: "",
      linkedServiceDescription: "",
      linkedServicePrincipal: "",
      nameServers: DelegationSet.NameServers,
      primaryNameServer: DelegationSet.NameServers[0] ?? "",
      privateZone: false,
      resourceRecordSetCount: zone.ResourceRecordSetCount,
      tags: {},
    };
  },
);

const getRecords = awsFunction(
  { zoneId: { type: "string", required: true }, nameRegex: { type: "string" } },
  async (ec2, inputs): Promise<Properties> => {
    const { ResourceRecordSets } = await ec2.call<{ ResourceRecordSets: readonly ApiSet[] }>(
      "ListResourceRecordSets",
      { HostedZoneId: inputs.zoneId },
    );
    const wanted = new RegExp(String(inputs.nameRegex ?? ""));
    return {
      id: String(inputs.zoneId),
      zoneId: String(inputs.zoneId),
      resourceRecordSets: ResourceRecordSets.filter(({ Name }) => wanted.test(Name)).map((set) => ({
        name: set.Name,
        type: set.Type,
        ttl: set.TTL,
        resourceRecords: set.ResourceRecords.map(({ Value }) => ({ value: Value })),
      })),
    };
  },
);

export const route53Functions = {
  "aws:route53/getRecords:getRecords": getRecords,
  "aws:route53/getZone:getZone": getZone,
};
