/** What an account may have, and whose the credential is: actions of EC2, STS and Service Quotas. */
import type { Action } from "./account.ts";
import { accountId } from "./catalog.ts";
import { AwsError } from "./errors.ts";

/** EC2's action of the same name. */
export const attributeActions: Readonly<Record<string, Action>> = {
  DescribeAccountAttributes: ({ state }, parameters) => {
    const known: Readonly<Record<string, string>> = {
      "supported-platforms": "VPC",
      "vpc-max-elastic-ips": String(state.switches.addressLimit),
    };
    const names = parameters.maybeStrings("AttributeNames") ?? Object.keys(known);
    parameters.end();
    return {
      AccountAttributes: names.map((name) => {
        const value = known[name];
        if (value === undefined) {
          throw new AwsError(
            "InvalidParameterValue",
            `Value (${name}) for parameter attributeName is invalid.`,
          );
        }
        return { AttributeName: name, AttributeValues: [{ AttributeValue: value }] };
      }),
    };
  },
};

/** AWS STS's action of the same name, which needs no right. */
export const stsActions: Readonly<Record<string, Action>> = {
  GetCallerIdentity: (_account, parameters) => {
    parameters.end();
    return { Arn: callerArn, UserId: "AIDAIOSFODNN7EXAMPLE", Account: accountId };
  },
};

/** Whom the local cloud's credential is of. */
export const callerArn = `arn:aws:iam::${accountId}:user/mailhost`;

/** Processors of the on-demand machines of the standard families (A, C, D, H, I, M, R, T, Z) in the region. */
const standardProcessors = "L-1216C47A";

/** Service Quotas' action of the same name. */
export const servicequotasActions: Readonly<Record<string, Action>> = {
  GetServiceQuota: ({ state }, parameters) => {
    const service = parameters.string("ServiceCode");
    const code = parameters.string("QuotaCode");
    parameters.end();
    if (service !== "ec2" || code !== standardProcessors) {
      throw new AwsError("NoSuchResourceException", `The quota ${code} of ${service} does not exist.`);
    }
    return {
      Quota: {
        ServiceCode: service,
        QuotaCode: code,
        QuotaName: "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
        Value: state.switches.processorLimit,
        Unit: "None",
        Adjustable: true,
        GlobalQuota: false,
      },
    };
  },
};
