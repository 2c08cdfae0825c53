/** Elastic IPs: the address, what it is mapped to, and its reverse name. */
import { type Ec2, hasCode, isNotFound, until } from "./client.ts";
import { type ApiTag, accountId, arn, awsResource, type CommonInputs, given } from "./resource.ts";

interface EipInputs extends CommonInputs {
  readonly domain?: string;
  readonly instance?: string;
  readonly address?: string;
  readonly associateWithPrivateIp?: string;
}

interface ApiAddress {
  readonly AllocationId: string;
  readonly PublicIp: string;
  readonly PublicDnsName: string;
  readonly Domain: string;
  readonly PublicIpv4Pool: string;
  readonly NetworkBorderGroup: string;
  readonly AssociationId?: string;
  readonly InstanceId?: string;
  readonly NetworkInterfaceId?: string;
  readonly PrivateIpAddress?: string;
  readonly Tags: readonly ApiTag[];
}

async function describeAddress(ec2: Ec2, allocationId: string): Promise<ApiAddress | undefined> {
  const answer = await ec2.maybe<{ Addresses: ApiAddress[] }>("DescribeAddresses", {
    AllocationIds: [allocationId],
  });
  return answer?.Addresses[0];
}

/** Maps an address, waiting as the official provider does for an instance that is still pending. */
function associate(ec2: Ec2, parameters: object): Promise<string> {
  return until("the instance to take an address", async () => {
    try {
      return (await ec2.call<{ AssociationId: string }>("AssociateAddress", parameters)).AssociationId;
    } catch (error) {
      if (hasCode(error, "IncorrectInstanceState")) return undefined;
      throw error;
    }
  });
}

async function disassociate(ec2: Ec2, associationId: string): Promise<void> {
  try {
    await ec2.call("DisassociateAddress", { AssociationId: associationId });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

interface ApiPtr {
  readonly PtrRecord?: string;
  readonly PtrRecordUpdate?: { readonly Status: string; readonly Reason?: string };
}

async function describePtr(ec2: Ec2, allocationId: string): Promise<ApiPtr | undefined> {
  const answer = await ec2.maybe<{ Addresses: ApiPtr[] }>("DescribeAddressesAttribute", {
    AllocationIds: [allocationId],
    Attribute: "domain-name",
  });
  return answer?.Addresses[0];
}

export const eip = awsResource<EipInputs>({
  inputs: {
    domain: { type: "string", computed: true, oneOf: ["vpc"], replaceOnChange: true },
    instance: { type: "string", computed: true },
    address: { type: "string", replaceOnChange: true },
    associateWithPrivateIp: { type: "string" },
  },
  outputs: {
    arn: {},
    allocationId: {},
    associationId: { changesWith: ["instance"] },
    carrierIp: {},
    customerOwnedIp: {},
    networkInterface: { changesWith: ["instance"] },
    privateDns: { changesWith: ["instance"] },
    privateIp: { changesWith: ["instance"] },
    ptrRecord: {},
    publicDns: {},
    publicIp: {},
    publicIpv4Pool: {},
    networkBorderGroup: {},
  },
  unsimulated: [
    "customerOwnedIpv4Pool",
    "ipamPoolId",
    "networkBorderGroup",
    "networkInterface",
    "publicIpv4Pool",
  ],
  taggedAs: "elastic-ip",
  create: async (ec2, inputs, tags) => {
    const parameters = given({ Domain: inputs.domain ?? "vpc", Address: inputs.address });
    return (await ec2.call<ApiAddress>("AllocateAddress", { ...parameters, ...tags })).AllocationId;
  },
  complete: async (ec2, id, inputs) => {
    if (inputs.instance) await associate(ec2, association(id, inputs));
  },
  read: async (ec2, id) => {
    const found = await describeAddress(ec2, id);
    return (
      found && {
        outputs: {
          arn: arn(ec2, `elastic-ip/${id}`, accountId),
          allocationId: id,
          domain: found.Domain,
          publicIp: found.PublicIp,
          publicDns: found.PublicDnsName,
          publicIpv4Pool: found.PublicIpv4Pool,
          networkBorderGroup: found.NetworkBorderGroup,
          associationId: found.AssociationId ?? "",
          instance: found.InstanceId ?? "",
          networkInterface: found.NetworkInterfaceId ?? "",
          privateIp: found.PrivateIpAddress ?? "",
          privateDns:
            found.PrivateIpAddress === undefined
              ? undefined
              : `ip-${found.PrivateIpAddress.replaceAll(".", "-")}.${ec2.region}.compute.internal`,
          ptrRecord: (await describePtr(ec2, id))?.PtrRecord ?? "",
          carrierIp: "",
          customerOwnedIp: "",
        },
        tags: found.Tags,
      }
    );
  },
  update: async (ec2, { id, inputs, changed }) => {
    if (!changed("instance") && !changed("associateWithPrivateIp")) return;
    const found = await describeAddress(ec2, id);
    if (found?.AssociationId !== undefined) await disassociate(ec2, found.AssociationId);
    if (inputs.instance) await associate(ec2, association(id, inputs));
  },
  delete: async (ec2, id) => {
    const found = await describeAddress(ec2, id);
    if (found?.AssociationId !== undefined) await disassociate(ec2, found.AssociationId);
    await ec2.call("ReleaseAddress", { AllocationId: id });
  },
});

function association(allocationId: string, inputs: EipInputs): object {
  return given({
    AllocationId: allocationId,
    InstanceId: inputs.instance,
    PrivateIpAddress: inputs.associateWithPrivateIp,
    AllowReassociation: true,
  });
}

interface EipAssociationInputs extends CommonInputs {
  readonly allocationId?: string;
  readonly instanceId?: string;
  readonly privateIpAddress?: string;
  readonly allowReassociation?: boolean;
}

const fixed = { type: "string", computed: true, replaceOnChange: true } as const;

export const eipAssociation = awsResource<EipAssociationInputs>({
  inputs: {
    allocationId: fixed,
    instanceId: fixed,
    privateIpAddress: fixed,
    allowReassociation: { type: "boolean", replaceOnChange: true },
  },
  outputs: { networkInterfaceId: {}, publicIp: {} },
  unsimulated: ["networkInterfaceId", "publicIp"],
  check: (inputs) =>
    (["allocationId", "instanceId"] as const)
      .filter((name) => inputs[name] === undefined)
      .map((property) => ({
        property,
        reason: `${property} must be given: the local cloud knows no other way`,
      })),
  create: (ec2, inputs) =>
    associate(
      ec2,
      given({
        AllocationId: inputs.allocationId,
        InstanceId: inputs.instanceId,
        PrivateIpAddress: inputs.privateIpAddress,
        AllowReassociation: inputs.allowReassociation,
      }),
    ),
  read: async (ec2, id) => {
    const answer = await ec2.call<{ Addresses: ApiAddress[] }>("DescribeAddresses", {
      Filters: [{ Name: "association-id", Values: [id] }],
    });
    const found = answer.Addresses[0];
    return (
      found && {
        outputs: {
          allocationId: found.AllocationId,
          instanceId: found.InstanceId ?? "",
          networkInterfaceId: found.NetworkInterfaceId ?? "",
          privateIpAddress: found.PrivateIpAddress ?? "",
          publicIp: found.PublicIp,
        },
      }
    );
  },
  delete: (ec2, id) => disassociate(ec2, id),
});

interface DomainNameInputs extends CommonInputs {
  readonly allocationId: string;
  readonly domainName: string;
}

/** A PTR takes effect behind the call; the official provider waits for ten minutes at most. */
function ptrSettled(ec2: Ec2, allocationId: string): Promise<void> {
  return until(`EC2 EIP Domain Name (${allocationId})`, async () => {
    const update = (await describePtr(ec2, allocationId))?.PtrRecordUpdate;
    if (update?.Status === "FAILED") {
      throw new Error(
        `waiting for EC2 EIP Domain Name (${allocationId}): unexpected state 'FAILED'. last error: ${update.Reason}`,
      );
    }
    return update === undefined ? true : undefined;
  }).then(() => undefined);
}

const setName = async (ec2: Ec2, inputs: DomainNameInputs): Promise<void> => {
  await ec2.call("ModifyAddressAttribute", {
    AllocationId: inputs.allocationId,
    DomainName: inputs.domainName,
  });
  await ptrSettled(ec2, inputs.allocationId);
};

const bare = (name: string) => name.toLowerCase().replace(/\.$/, "");

export const eipDomainName = awsResource<DomainNameInputs>({
  inputs: {
    allocationId: { type: "string", required: true, replaceOnChange: true },
    domainName: { type: "string", required: true },
    timeouts: { type: "any", computed: true },
  },
  outputs: { ptrRecord: { changesWith: ["domainName"] } },
  create: async (ec2, inputs) => {
    await setName(ec2, inputs);
    return inputs.allocationId;
  },
  read: async (ec2, id, { inputs, state }) => {
    const ptr = (await describePtr(ec2, id))?.PtrRecord;
    if (ptr === undefined) return undefined;
    const written = String(inputs.domainName ?? state.domainName ?? "");
    // In the program's own writing, where it means the same name.
    const domainName = bare(written) === bare(ptr) ? written : bare(ptr);
    return { outputs: { allocationId: id, domainName, ptrRecord: ptr } };
  },
  update: async (ec2, { inputs, changed }) => {
    if (changed("domainName")) await setName(ec2, inputs);
  },
  delete: async (ec2, id) => {
    await ec2.call("ResetAddressAttribute", { AllocationId: id, Attribute: "domain-name" });
    await ptrSettled(ec2, id);
  },
});
