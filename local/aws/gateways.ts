import { type Action, addressOf, describe, find, isAlive, saveNetwork, tagList } from "./account.ts";
import { accountId } from "./catalog.ts";
import { AwsError, dependencies } from "./errors.ts";
import { newId } from "./ids.ts";
import type { InternetGateway } from "./state.ts";

/** Internet gateways: EC2's actions of the same names. */
export const gatewayActions: Readonly<Record<string, Action>> = {
  CreateInternetGateway: (account, parameters) => {
    const tags = parameters.tagSpecifications("internet-gateway")["internet-gateway"] ?? {};
    parameters.end();
    const gateway: InternetGateway = { id: newId("igw"), tags, createdAt: account.now() };
    account.state.gateways[gateway.id] = gateway;
    account.save();
    return { InternetGateway: showGateway(gateway) };
  },

  DescribeInternetGateways: (account, parameters) => {
    const ids = parameters.maybeStrings("InternetGatewayIds");
    const gateways = describe(account, "gateways", ids, parameters.filters(), (gateway, name) => {
      if (name === "internet-gateway-id") return [gateway.id];
      if (name === "attachment.vpc-id") return gateway.vpcId ? [gateway.vpcId] : [];
      return undefined;
    });
    parameters.end();
    return { InternetGateways: gateways.map(showGateway) };
  },

  AttachInternetGateway: async (account, parameters) => {
    const gateway = find(account, "gateways", parameters.string("InternetGatewayId"));
    const vpc = find(account, "vpcs", parameters.string("VpcId"));
    parameters.end();
    if (gateway.vpcId !== undefined) {
      throw new AwsError(
        "Resource.AlreadyAssociated",
        `resource ${gateway.id} is already attached to network ${gateway.vpcId}`,
      );
    }
    if (Object.values(account.state.gateways).some((each) => each.vpcId === vpc.id)) {
      throw new AwsError(
        "InvalidParameterValue",
        `Network ${vpc.id} already has an internet gateway attached`,
      );
    }
    gateway.vpcId = vpc.id;
    await saveNetwork(account);
    return {};
  },

  DetachInternetGateway: async (account, parameters) => {
    const gateway = find(account, "gateways", parameters.string("InternetGatewayId"));
    const vpc = find(account, "vpcs", parameters.string("VpcId"));
    parameters.end();
    if (gateway.vpcId !== vpc.id) {
      throw new AwsError(
        "Gateway.NotAttached",
        `resource ${gateway.id} is not attached to network ${vpc.id}`,
      );
    }
    const { state } = account;
    const mapped = Object.values(state.instances).some(
      (each) => each.vpcId === vpc.id && isAlive(each) && (each.ownPublicIp || addressOf(state, each.id)),
    );
    if (mapped) {
      throw new AwsError(
        "DependencyViolation",
        `Network ${vpc.id} has some mapped public address(es). Please unmap those public address(es) before ` +
          "detaching the gateway.",
      );
    }
    delete gateway.vpcId;
    await saveNetwork(account);
    return {};
  },

  DeleteInternetGateway: (account, parameters) => {
    const gateway = find(account, "gateways", parameters.string("InternetGatewayId"));
    parameters.end();
    if (gateway.vpcId !== undefined) throw dependencies("internetGateway", gateway.id);
    delete account.state.gateways[gateway.id];
    account.save();
    return {};
  },
};

function showGateway(gateway: InternetGateway) {
  return {
    InternetGatewayId: gateway.id,
    OwnerId: accountId,
    Attachments: gateway.vpcId === undefined ? [] : [{ VpcId: gateway.vpcId, State: "available" }],
    Tags: tagList(gateway.tags),
  };
}
