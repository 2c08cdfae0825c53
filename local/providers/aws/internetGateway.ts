/** Internet gateways. What replaces, replaces as in terraform-provider-aws (`internal/service/ec2`). */
import { type Ec2, hasCode, whenFree } from "./client.ts";
import { type ApiTag, accountId, arn, awsResource, type CommonInputs } from "./resource.ts";

interface GatewayInputs extends CommonInputs {
  readonly vpcId?: string;
}

interface ApiGateway {
  readonly InternetGatewayId: string;
  readonly Attachments: readonly { readonly VpcId: string }[];
  readonly Tags: readonly ApiTag[];
}

export const internetGateway = awsResource<GatewayInputs>({
  inputs: { vpcId: { type: "string" } },
  outputs: { arn: {}, ownerId: {} },
  taggedAs: "internet-gateway",
  create: async (ec2, _inputs, tags) => {
    const answer = await ec2.call<{ InternetGateway: ApiGateway }>("CreateInternetGateway", tags);
    return answer.InternetGateway.InternetGatewayId;
  },
  complete: async (ec2, id, inputs) => {
    if (inputs.vpcId) await ec2.call("AttachInternetGateway", { InternetGatewayId: id, VpcId: inputs.vpcId });
  },
  read: async (ec2, id) => {
    const answer = await ec2.maybe<{ InternetGateways: ApiGateway[] }>("DescribeInternetGateways", {
      InternetGatewayIds: [id],
    });
    const found = answer?.InternetGateways[0];
    return (
      found && {
        outputs: {
          arn: arn(ec2, `internet-gateway/${id}`, accountId),
          vpcId: found.Attachments[0]?.VpcId ?? "",
          ownerId: accountId,
        },
        tags: found.Tags,
      }
    );
  },
  update: async (ec2, { id, inputs, state, changed }) => {
    if (!changed("vpcId")) return;
    if (state.vpcId) await detach(ec2, id, String(state.vpcId));
    if (inputs.vpcId) await ec2.call("AttachInternetGateway", { InternetGatewayId: id, VpcId: inputs.vpcId });
  },
  delete: async (ec2, id, state) => {
    if (state.vpcId) await detach(ec2, id, String(state.vpcId));
    await ec2.call("DeleteInternetGateway", { InternetGatewayId: id });
  },
});

function detach(ec2: Ec2, id: string, vpcId: string): Promise<void> {
  return whenFree("internet gateway", async () => {
    try {
      await ec2.call("DetachInternetGateway", { InternetGatewayId: id, VpcId: vpcId });
    } catch (error) {
      if (!hasCode(error, "Gateway.NotAttached")) throw error;
    }
  });
}
