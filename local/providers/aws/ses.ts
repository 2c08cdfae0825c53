/** Identities of Amazon SES, API version 2, and their MAIL FROM domains. */
import { identityArn } from "../../aws/smtp.ts";
import type { InputSchema, Properties } from "../framework.ts";
import type { Ec2 } from "./client.ts";
import { awsFunction } from "./functions.ts";
import { type ApiTag, awsResource, type CommonInputs, given } from "./resource.ts";

interface ApiIdentity {
  readonly IdentityType: string;
  readonly VerifiedForSendingStatus: boolean;
  readonly VerificationStatus: string;
  readonly DkimAttributes: {
    readonly Status: string;
    readonly Tokens: readonly string[];
    readonly SigningAttributesOrigin: string;
  };
  readonly MailFromAttributes: { readonly MailFromDomain?: string; readonly BehaviorOnMxFailure: string };
  readonly Tags: readonly ApiTag[];
}

function identityOf(ec2: Ec2, name: string): Promise<ApiIdentity | undefined> {
  return ec2.maybe<ApiIdentity>("GetEmailIdentity", { EmailIdentity: name });
}

interface DkimInputs {
  readonly domainSigningPrivateKey?: string;
  readonly domainSigningSelector?: string;
  readonly nextSigningKeyLength?: string;
}

interface IdentityInputs extends CommonInputs {
  readonly emailIdentity: string;
  readonly dkimSigningAttributes?: DkimInputs;
}

function signing(dkim: DkimInputs | undefined) {
  return given({
    DomainSigningPrivateKey: dkim?.domainSigningPrivateKey,
    DomainSigningSelector: dkim?.domainSigningSelector,
    NextSigningKeyLength: dkim?.nextSigningKeyLength,
  });
}

const byAws = [
  "currentSigningKeyLength",
  "lastKeyGenerationTimestamp",
  "signingAttributesOrigin",
  "status",
  "tokens",
];

/** The API does not show a key; what it was is known from before, as in the official provider. */
function dkimOutputs({ DkimAttributes: dkim }: ApiIdentity, known: Properties): Properties {
  return {
    currentSigningKeyLength: "",
    domainSigningPrivateKey: known.domainSigningPrivateKey ?? "",
    domainSigningSelector: known.domainSigningSelector ?? "",
    lastKeyGenerationTimestamp: "",
    nextSigningKeyLength: "",
    signingAttributesOrigin: dkim.SigningAttributesOrigin,
    status: dkim.Status,
    tokens: [...dkim.Tokens],
  };
}

export const emailIdentity = awsResource<IdentityInputs>({
  inputs: {
    emailIdentity: { type: "string", required: true, replaceOnChange: true },
    dkimSigningAttributes: {
      type: "object",
      computed: true,
      properties: {
        domainSigningPrivateKey: { type: "string", secret: true },
        domainSigningSelector: { type: "string" },
        nextSigningKeyLength: {
          type: "string",
          computed: true,
          oneOf: ["RSA_1024_BIT", "RSA_2048_BIT"],
        },
        ...Object.fromEntries(
          byAws.map((name): [string, InputSchema] => [name, { type: "any", computed: true }]),
        ),
      },
    },
  },
  outputs: {
    arn: {},
    identityType: {},
    verificationStatus: { changesWith: ["dkimSigningAttributes"] },
    verifiedForSendingStatus: { changesWith: ["dkimSigningAttributes"] },
  },
  unsimulated: ["configurationSetName"],
  check: ({ dkimSigningAttributes: dkim }) =>
    byAws
      .filter((name) => typeof dkim === "object" && dkim !== null && name in dkim)
      .map((name) => ({
        property: `dkimSigningAttributes.${name}`,
        reason: `Value for unconfigurable attribute: can't configure a value for "dkim_signing_attributes.0.${name}": its value will be decided automatically`,
      })),
  create: async (ec2, inputs, tags) => {
    const dkim = signing(inputs.dkimSigningAttributes);
    await ec2.call("CreateEmailIdentity", {
      EmailIdentity: inputs.emailIdentity,
      ...(Object.keys(dkim).length > 0 ? { DkimSigningAttributes: dkim } : {}),
      ...tags,
    });
    return inputs.emailIdentity;
  },
  read: async (ec2, id, { inputs, state }) => {
    const found = await identityOf(ec2, id);
    const known = (inputs.dkimSigningAttributes ?? state.dkimSigningAttributes ?? {}) as Properties;
    return (
      found && {
        outputs: {
          arn: identityArn(ec2.region, id),
          emailIdentity: id,
          dkimSigningAttributes: dkimOutputs(found, known),
          identityType: found.IdentityType,
          verificationStatus: found.VerificationStatus,
          verifiedForSendingStatus: found.VerifiedForSendingStatus,
        },
        tags: found.Tags,
      }
    );
  },
  update: async (ec2, { id, inputs, changed }) => {
    if (!changed("dkimSigningAttributes")) return;
    await ec2.call("PutEmailIdentityDkimSigningAttributes", {
      EmailIdentity: id,
      SigningAttributes: signing(inputs.dkimSigningAttributes),
      SigningAttributesOrigin: "EXTERNAL",
    });
  },
  retag: async (ec2, state, { gone, set }) => {
    const ResourceArn = state.arn;
    if (gone.length > 0) await ec2.call("UntagResource", { ResourceArn, TagKeys: gone });
    if (set.length > 0) await ec2.call("TagResource", { ResourceArn, Tags: set });
  },
  delete: async (ec2, id) => {
    await ec2.call("DeleteEmailIdentity", { EmailIdentity: id });
  },
});

interface MailFromInputs extends CommonInputs {
  readonly emailIdentity: string;
  readonly behaviorOnMxFailure?: string;
  readonly mailFromDomain?: string;
}

async function putMailFrom(ec2: Ec2, inputs: MailFromInputs): Promise<void> {
  await ec2.call(
    "PutEmailIdentityMailFromAttributes",
    given({
      EmailIdentity: inputs.emailIdentity,
      BehaviorOnMxFailure: inputs.behaviorOnMxFailure,
      MailFromDomain: inputs.mailFromDomain,
    }),
  );
}

/** Not a thing of its own: a part of an identity, which is always there. */
export const mailFromAttributes = awsResource<MailFromInputs>({
  inputs: {
    emailIdentity: { type: "string", required: true, replaceOnChange: true },
    behaviorOnMxFailure: {
      type: "string",
      computed: true,
      oneOf: ["USE_DEFAULT_VALUE", "REJECT_MESSAGE"],
    },
    mailFromDomain: { type: "string" },
  },
  outputs: {},
  check: ({ behaviorOnMxFailure, mailFromDomain }) =>
    behaviorOnMxFailure === "REJECT_MESSAGE" && mailFromDomain === undefined
      ? [{ property: "mailFromDomain", reason: '"mail_from_domain" is required with REJECT_MESSAGE' }]
      : [],
  create: async (ec2, inputs) => {
    await putMailFrom(ec2, inputs);
    return inputs.emailIdentity;
  },
  read: async (ec2, id) => {
    const found = await identityOf(ec2, id);
    return (
      found && {
        outputs: {
          emailIdentity: id,
          behaviorOnMxFailure: found.MailFromAttributes.BehaviorOnMxFailure,
          mailFromDomain: found.MailFromAttributes.MailFromDomain ?? "",
        },
      }
    );
  },
  update: (ec2, { inputs }) => putMailFrom(ec2, inputs),
  delete: (ec2, id) => putMailFrom(ec2, { emailIdentity: id }),
});

export const getEmailIdentity = awsFunction(
  { emailIdentity: { type: "string", required: true }, tags: { type: "map", items: { type: "string" } } },
  async (ec2, inputs) => {
    const name = String(inputs.emailIdentity);
    const found = await ec2.call<ApiIdentity>("GetEmailIdentity", { EmailIdentity: name });
    return {
      id: name,
      arn: identityArn(ec2.region, name),
      configurationSetName: "",
      dkimSigningAttributes: [dkimOutputs(found, {})],
      emailIdentity: name,
      identityType: found.IdentityType,
      tags: Object.fromEntries(found.Tags.map(({ Key, Value }) => [Key, Value])),
      verificationStatus: found.VerificationStatus,
      verifiedForSendingStatus: found.VerifiedForSendingStatus,
    };
  },
);
