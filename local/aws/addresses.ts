import {
  type Account,
  type Action,
  addressOf,
  describe,
  find,
  isAlive,
  saveNetwork,
  tagList,
} from "./account.ts";
import { publicName } from "./catalog.ts";
import { AwsError, notSimulated } from "./errors.ts";
import { newId } from "./ids.ts";
import type { Address } from "./state.ts";

/** How often the forward record is looked up before a PTR is refused. */
const forwardLookups = 5;

/** Elastic IP addresses and their reverse names: EC2's actions of the same names. */
export const addressActions: Readonly<Record<string, Action>> = {
  AllocateAddress: (account, parameters) => {
    const domain = parameters.maybeString("Domain") ?? "vpc";
    const wanted = parameters.maybeString("Address");
    const tags = parameters.tagSpecifications("elastic-ip")["elastic-ip"] ?? {};
    parameters.end();
    if (domain !== "vpc") throw notSimulated("addresses outside a VPC");
    const { state, world } = account;
    if (Object.keys(state.addresses).length >= state.switches.addressLimit) {
      throw new AwsError("AddressLimitExceeded", "The maximum number of addresses has been reached.");
    }
    const taken = new Set([
      ...Object.values(state.addresses).map((address) => address.publicIp),
      ...Object.values(state.instances).flatMap((instance) => instance.ownPublicIp ?? []),
    ]);
    const publicIp = world.publicPool.find((each) => !taken.has(each) && (wanted ?? each) === each);
    if (publicIp === undefined) {
      throw wanted === undefined
        ? new AwsError(
            "InsufficientAddressCapacity",
            "There are not enough available addresses to satisfy the request.",
          )
        : new AwsError("InvalidAddress.NotFound", `Address '${wanted}' not found.`);
    }
    const address: Address = { id: newId("eipalloc"), tags, createdAt: account.now(), publicIp };
    state.addresses[address.id] = address;
    account.save();
    return {
      AllocationId: address.id,
      PublicIp: publicIp,
      Domain: "vpc",
      PublicIpv4Pool: "amazon",
      NetworkBorderGroup: account.region,
    };
  },

  DescribeAddresses: (account, parameters) => {
    const ids = parameters.maybeStrings("AllocationIds");
    const addresses = describe(account, "addresses", ids, parameters.filters(), (address, name) => {
      if (name === "allocation-id") return [address.id];
      if (name === "association-id") return address.association ? [address.association.id] : [];
      if (name === "instance-id") return address.association ? [address.association.instanceId] : [];
      if (name === "public-ip") return [address.publicIp];
      if (name === "domain") return ["vpc"];
      return undefined;
    });
    parameters.end();
    return { Addresses: addresses.map((address) => showAddress(account, address)) };
  },

  ReleaseAddress: async (account, parameters) => {
    const address = find(account, "addresses", parameters.string("AllocationId"));
    parameters.end();
    if (address.association) {
      throw new AwsError("InvalidIPAddress.InUse", `Address ${address.publicIp} is in use.`);
    }
    if (address.ptr !== undefined || address.ptrUpdate?.status === "PENDING") {
      // EC2 user guide, "Create a reverse DNS record for email": it locks the address to the account.
      throw new AwsError(
        "InvalidAddress.Locked",
        `The address with allocation id ${address.id} cannot be released because it is locked to your account.`,
      );
    }
    delete account.state.addresses[address.id];
    await saveNetwork(account);
    return {};
  },

  AssociateAddress: async (account, parameters) => {
    const address = find(account, "addresses", parameters.string("AllocationId"));
    const instance = find(account, "instances", parameters.string("InstanceId"));
    const privateIp = parameters.maybeString("PrivateIpAddress");
    const again = parameters.maybeBoolean("AllowReassociation") ?? false;
    parameters.end();
    const { state } = account;
    if (privateIp !== undefined && privateIp !== instance.privateIp) {
      throw new AwsError(
        "InvalidParameterValue",
        `The private IP address ${privateIp} is not assigned to the network interface '${instance.interfaceId}'`,
      );
    }
    if (instance.state === "pending") {
      throw new AwsError(
        "IncorrectInstanceState",
        `The pending instance '${instance.id}' is not in a valid state for this operation`,
      );
    }
    if (!isAlive(instance)) {
      throw new AwsError("InvalidInstanceID", `The instance ID '${instance.id}' is not in a valid state`);
    }
    const hasGateway = Object.values(state.gateways).some((gateway) => gateway.vpcId === instance.vpcId);
    if (!hasGateway) {
      throw new AwsError(
        "Gateway.NotAttached",
        `Network ${instance.vpcId} is not attached to any internet gateway`,
      );
    }
    if (address.association && !again) {
      if (address.association.instanceId === instance.id) return { AssociationId: address.association.id };
      throw new AwsError(
        "Resource.AlreadyAssociated",
        `resource ${address.id} is already associated with associate-id ${address.association.id}`,
      );
    }
    const before = addressOf(state, instance.id);
    if (before !== undefined) delete before.association;
    address.association = { id: newId("eipassoc"), instanceId: instance.id };
    // The address that came with the launch goes back to the pool, for good.
    delete instance.ownPublicIp;
    await saveNetwork(account);
    return { AssociationId: address.association.id };
  },

  DisassociateAddress: async (account, parameters) => {
    const associationId = parameters.string("AssociationId");
    parameters.end();
    const address = Object.values(account.state.addresses).find(
      (each) => each.association?.id === associationId,
    );
    if (address === undefined) {
      throw new AwsError(
        "InvalidAssociationID.NotFound",
        `The association ID '${associationId}' does not exist`,
      );
    }
    delete address.association;
    await saveNetwork(account);
    return {};
  },

  ModifyAddressAttribute: (account, parameters) => {
    const address = find(account, "addresses", parameters.string("AllocationId"));
    const given = parameters.string("DomainName");
    parameters.end();
    const name = given.toLowerCase().replace(/\.$/, "");
    if (!/^(?=.{1,253}$)([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(name)) {
      throw new AwsError("InvalidParameterValue", `Value (${given}) for parameter domainName is invalid.`);
    }
    address.ptrUpdate = { value: name, status: "PENDING" };
    account.save();
    updatePtr(account, address);
    return { Address: showPtr(address) };
  },

  ResetAddressAttribute: (account, parameters) => {
    const address = find(account, "addresses", parameters.string("AllocationId"));
    const attribute = parameters.string("Attribute");
    parameters.end();
    checkAttribute(attribute);
    address.ptrUpdate = { value: null, status: "PENDING" };
    account.save();
    updatePtr(account, address);
    return { Address: showPtr(address) };
  },

  DescribeAddressesAttribute: (account, parameters) => {
    const ids = parameters.maybeStrings("AllocationIds") ?? Object.keys(account.state.addresses);
    checkAttribute(parameters.maybeString("Attribute") ?? "domain-name");
    parameters.end();
    const addresses = ids.map((id) => find(account, "addresses", id));
    return { Addresses: addresses.filter((each) => each.ptr !== undefined || each.ptrUpdate).map(showPtr) };
  },
};

/** Goes on with a PTR that was asked for: the forward record must lead to the address before it is served. */
export function updatePtr(account: Account, address: Address): void {
  const update = address.ptrUpdate;
  if (update?.status !== "PENDING") return;
  const work = account.inOrder(address.id, async () => {
    // A later request for the same address has taken this one's place.
    if (address.ptrUpdate !== update) return;
    try {
      await account.pause(account.state.switches.ptrAfter);
      if (update.value === null) {
        await account.world.dns.setPtr(address.publicIp, undefined);
        delete address.ptr;
        delete address.ptrUpdate;
      } else if (await resolvesTo(account, update.value, address.publicIp)) {
        await account.world.dns.setPtr(address.publicIp, update.value);
        address.ptr = update.value;
        delete address.ptrUpdate;
      } else {
        address.ptrUpdate = {
          ...update,
          status: "FAILED",
          reason: `The domain name ${update.value} does not resolve to the Elastic IP address ${address.publicIp}`,
        };
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      address.ptrUpdate = { ...update, status: "FAILED", reason };
    }
    account.save();
  });
  account.afterwards(work);
}

async function resolvesTo(account: Account, name: string, publicIp: string): Promise<boolean> {
  for (let attempt = 1; attempt <= forwardLookups; attempt++) {
    if (attempt > 1) await account.pause(account.retryAfter);
    const answers = await account.world.dns.resolve(name, "A").catch((): readonly string[] => []);
    if (answers.includes(publicIp)) return true;
  }
  return false;
}

function checkAttribute(attribute: string): void {
  if (attribute !== "domain-name") {
    throw new AwsError("InvalidParameterValue", `Value (${attribute}) for parameter attribute is invalid.`);
  }
}

function showPtr(address: Address) {
  return {
    AllocationId: address.id,
    PublicIp: address.publicIp,
    PtrRecord: address.ptr === undefined ? undefined : `${address.ptr}.`,
    PtrRecordUpdate: address.ptrUpdate && {
      Value: address.ptrUpdate.value ?? undefined,
      Status: address.ptrUpdate.status,
      Reason: address.ptrUpdate.reason,
    },
  };
}

function showAddress(account: Account, address: Address) {
  const instance = address.association && account.state.instances[address.association.instanceId];
  return {
    AllocationId: address.id,
    PublicIp: address.publicIp,
    PublicDnsName: publicName(address.publicIp, account.region),
    Domain: "vpc",
    PublicIpv4Pool: "amazon",
    NetworkBorderGroup: account.region,
    AssociationId: address.association?.id,
    InstanceId: instance?.id,
    NetworkInterfaceId: instance?.interfaceId,
    PrivateIpAddress: instance?.privateIp,
    Tags: tagList(address.tags),
  };
}
