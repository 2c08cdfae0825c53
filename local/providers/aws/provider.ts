/** The aws provider, version 7, as far as a mail host needs it: a client of the local cloud's EC2, SES, IAM and Route 53. */
import type { Properties, Provider } from "../framework.ts";
import { eip, eipAssociation, eipDomainName } from "./addresses.ts";
import { functions } from "./functions.ts";
import { egressRule, ingressRule, securityGroup } from "./groups.ts";
import { accessKey, user, userPolicy } from "./iam.ts";
import { instance } from "./instance.ts";
import { internetGateway } from "./internetGateway.ts";
import { configuration } from "./resource.ts";
import { record, route53Functions } from "./route53.ts";
import { route, routeTable, routeTableAssociation } from "./routeTables.ts";
import { emailIdentity, getEmailIdentity, mailFromAttributes } from "./ses.ts";
import { volume, volumeAttachment } from "./storage.ts";
import { subnet } from "./subnet.ts";
import { vpc } from "./vpc.ts";

export const provider: Provider = {
  name: "aws",
  version: "7.48.0",
  resources: {
    "aws:ebs/volume:Volume": volume,
    "aws:ec2/eip:Eip": eip,
    "aws:ec2/eipAssociation:EipAssociation": eipAssociation,
    "aws:ec2/eipDomainName:EipDomainName": eipDomainName,
    "aws:ec2/instance:Instance": instance,
    "aws:ec2/internetGateway:InternetGateway": internetGateway,
    "aws:ec2/route:Route": route,
    "aws:ec2/routeTable:RouteTable": routeTable,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": routeTableAssociation,
    "aws:ec2/securityGroup:SecurityGroup": securityGroup,
    "aws:ec2/subnet:Subnet": subnet,
    "aws:ec2/volumeAttachment:VolumeAttachment": volumeAttachment,
    "aws:ec2/vpc:Vpc": vpc,
    "aws:iam/accessKey:AccessKey": accessKey,
    "aws:iam/user:User": user,
    "aws:iam/userPolicy:UserPolicy": userPolicy,
    "aws:route53/record:Record": record,
    "aws:sesv2/emailIdentity:EmailIdentity": emailIdentity,
    "aws:sesv2/emailIdentityMailFromAttributes:EmailIdentityMailFromAttributes": mailFromAttributes,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": egressRule,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ingressRule,
  },
  functions: {
    ...functions,
    ...route53Functions,
    "aws:sesv2/getEmailIdentity:getEmailIdentity": getEmailIdentity,
  },
  configure(given) {
    const region = given.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
    if (typeof region !== "string" || region === "") {
      throw new Error("aws:region is not set: say where, with `pulumi config set aws:region eu-central-1`");
    }
    if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) {
      throw new Error(`aws:region is "${region}", which is no AWS region: write one such as eu-central-1`);
    }
    configuration.region = region;
    configuration.defaultTags = defaultTags(given);
  },
};

/** `aws:defaultTags`, an object that arrives as JSON text. */
function defaultTags(given: Properties): Record<string, string> {
  const { defaultTags: value } = given;
  const parsed: unknown = typeof value === "string" && value !== "" ? JSON.parse(value) : value;
  if (typeof parsed !== "object" || parsed === null || !("tags" in parsed)) return {};
  return (parsed.tags ?? {}) as Record<string, string>;
}
