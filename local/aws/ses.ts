/**
 * Amazon SES, API version 2: identities of domains, their DKIM keys and MAIL FROM domains. Errors as in the "Amazon SES
 * API v2 Reference". What SES does with mail is
 * local/peer/ses.ts.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { type Account, type Action, tagList } from "./account.ts";
import { AwsError, notSimulated, withCode } from "./errors.ts";
import type { Parameters } from "./parameters.ts";
import { identityArn, saveSes } from "./smtp.ts";
import type { EmailIdentity } from "./state.ts";

/** Identities that an account may have in a region ("Service quotas in Amazon SES"). */
const identityLimit = 10_000;

/** SES's actions of the same names. */
export const sesActions: Readonly<Record<string, Action>> = withCode("BadRequestException", {
  CreateEmailIdentity: async (account, parameters) => {
    const name = parameters.string("EmailIdentity");
    const dkim = dkimOf(parameters.maybeStructure("DkimSigningAttributes"));
    const tags = parameters.tags();
    parameters.end();
    const { sesIdentities } = account.state;
    if (name.includes("@")) throw notSimulated("identities of single addresses");
    if (!/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name)) {
      throw new AwsError("BadRequestException", `Invalid email identity: ${name}`);
    }
    if (dkim === undefined) throw notSimulated("Easy DKIM: bring your own key");
    if (sesIdentities[key(account, name)] !== undefined) {
      throw new AwsError("AlreadyExistsException", `Email identity ${name} already exist.`);
    }
    if (Object.keys(sesIdentities).length >= identityLimit) {
      throw new AwsError("LimitExceededException", "Maximum number of identities reached.");
    }
    const identity: EmailIdentity = {
      name,
      region: account.region,
      dkim,
      dkimStatus: "PENDING",
      mailFromStatus: "PENDING",
      behaviorOnMxFailure: "USE_DEFAULT_VALUE",
      tags,
    };
    sesIdentities[key(account, name)] = identity;
    await saveSes(account);
    const { IdentityType, VerifiedForSendingStatus, DkimAttributes } = shown(identity);
    return { IdentityType, VerifiedForSendingStatus, DkimAttributes };
  },

  /** SES looks again and again by itself; here it does when somebody wants to know. */
  GetEmailIdentity: async (account, parameters) => {
    const identity = named(account, parameters);
    parameters.end();
    const before = JSON.stringify(shown(identity));
    await lookFor(account, identity);
    if (JSON.stringify(shown(identity)) !== before) await saveSes(account);
    return shown(identity);
  },

  /** Policies and settings go with it. One that does not exist is an error. */
  DeleteEmailIdentity: async (account, parameters) => {
    const identity = named(account, parameters);
    parameters.end();
    delete account.state.sesIdentities[key(account, identity.name)];
    await saveSes(account);
    return {};
  },

  PutEmailIdentityDkimSigningAttributes: async (account, parameters) => {
    const identity = named(account, parameters);
    const origin = parameters.string("SigningAttributesOrigin");
    const dkim = dkimOf(parameters.maybeStructure("SigningAttributes"));
    parameters.end();
    if (origin !== "EXTERNAL" || dkim === undefined) throw notSimulated("Easy DKIM: bring your own key");
    identity.dkim = dkim;
    identity.dkimStatus = "PENDING";
    await saveSes(account);
    return { DkimStatus: "PENDING", DkimTokens: [dkim.selector] };
  },

  /** Without a domain the custom MAIL FROM is switched off. */
  PutEmailIdentityMailFromAttributes: async (account, parameters) => {
    const identity = named(account, parameters);
    const domain = parameters.maybeString("MailFromDomain") || undefined;
    const behavior = parameters.maybeString("BehaviorOnMxFailure") ?? "USE_DEFAULT_VALUE";
    parameters.end();
    if (behavior !== "USE_DEFAULT_VALUE" && behavior !== "REJECT_MESSAGE") {
      throw new AwsError("BadRequestException", `Invalid BehaviorOnMxFailure: ${behavior}`);
    }
    if (domain !== undefined && !domain.endsWith(`.${identity.name}`)) {
      throw new AwsError(
        "BadRequestException",
        `Provided MAIL-FROM domain <${domain}> is not subdomain of the domain of the identity <${identity.name}>.`,
      );
    }
    identity.behaviorOnMxFailure = behavior;
    identity.mailFromStatus = "PENDING";
    if (domain === undefined) delete identity.mailFrom;
    else identity.mailFrom = domain;
    await saveSes(account);
    return {};
  },

  TagResource: (account, parameters) => {
    const identity = byArn(account, parameters.string("ResourceArn"));
    const tags = parameters.tags();
    parameters.end();
    identity.tags = { ...identity.tags, ...tags };
    account.save();
    return {};
  },

  UntagResource: (account, parameters) => {
    const identity = byArn(account, parameters.string("ResourceArn"));
    const keys = parameters.strings("TagKeys");
    parameters.end();
    for (const each of keys) delete identity.tags[each];
    account.save();
    return {};
  },
});

function key(account: Account, name: string): string {
  return `${account.region}/${name}`;
}

function named(account: Account, parameters: Parameters): EmailIdentity {
  const name = parameters.string("EmailIdentity");
  const found = account.state.sesIdentities[key(account, name)];
  if (found === undefined) {
    throw new AwsError("NotFoundException", `Email identity ${name} does not exist.`, 404);
  }
  return found;
}

function byArn(account: Account, arn: string): EmailIdentity {
  const found = Object.values(account.state.sesIdentities).find(
    ({ name, region }) => region === account.region && identityArn(region, name) === arn,
  );
  if (found === undefined) throw new AwsError("NotFoundException", `Resource ${arn} does not exist.`, 404);
  return found;
}

/** What an identity shows; never its private key. */
function shown(identity: EmailIdentity) {
  const { dkim, dkimStatus, mailFrom, mailFromStatus, behaviorOnMxFailure, tags } = identity;
  return {
    IdentityType: "DOMAIN",
    FeedbackForwardingStatus: true,
    VerifiedForSendingStatus: dkimStatus === "SUCCESS",
    VerificationStatus: dkimStatus,
    DkimAttributes: {
      SigningEnabled: true,
      Status: dkimStatus,
      Tokens: [dkim.selector],
      SigningAttributesOrigin: "EXTERNAL",
    },
    MailFromAttributes: {
      ...(mailFrom === undefined ? {} : { MailFromDomain: mailFrom, MailFromDomainStatus: mailFromStatus }),
      BehaviorOnMxFailure: behaviorOnMxFailure,
    },
    Tags: tagList(tags),
  };
}

/** What is in the DNS; what was found once counts for longer than this cloud looks. */
async function lookFor(account: Account, identity: EmailIdentity): Promise<void> {
  const { name, dkim, mailFrom, region } = identity;
  if (identity.dkimStatus !== "SUCCESS") {
    const records = await lookUp(account, `${dkim.selector}._domainkey.${name}`, "TXT");
    const isThere = records.some((text) => keyIn(text) === publicPart(dkim.privateKey));
    if (isThere) identity.dkimStatus = "SUCCESS";
  }
  if (mailFrom !== undefined && identity.mailFromStatus !== "SUCCESS") {
    // Exactly one ("Using a custom MAIL FROM domain").
    const [mx, ...others] = await lookUp(account, mailFrom, "MX");
    const right = `10 feedback-smtp.${region}.amazonses.com.`;
    if (mx?.toLowerCase() === right && others.length === 0) identity.mailFromStatus = "SUCCESS";
  }
}

async function lookUp(account: Account, name: string, type: string): Promise<readonly string[]> {
  // A resolver that is away finds nothing, and SES looks again.
  return account.world.dns.resolve(name, type).catch(() => []);
}

/** `p=` of a key record in zone-file text, which may be several strings. */
function keyIn(rdata: string): string | undefined {
  const text = [...rdata.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, part]) => part).join("");
  return /(?:^|;)\s*p=([^;\s]+)/.exec(text)?.[1];
}

function publicPart(privateKey: string): string {
  return createPublicKey(rsaKey(privateKey)).export({ type: "spki", format: "der" }).toString("base64");
}

/** PKCS #1 or PKCS #8; @throws where it is no RSA key. */
function rsaKey(base64: string): KeyObject {
  const der = { key: Buffer.from(base64, "base64"), format: "der" } as const;
  try {
    return createPrivateKey({ ...der, type: "pkcs8" });
  } catch {
    return createPrivateKey({ ...der, type: "pkcs1" });
  }
}

/** "DkimSigningAttributes" of the API reference, as far as it is about a key of one's own. */
function dkimOf(given: Parameters | undefined): EmailIdentity["dkim"] | undefined {
  const selector = given?.maybeString("DomainSigningSelector");
  const privateKey = given?.maybeString("DomainSigningPrivateKey");
  const length = given?.maybeString("NextSigningKeyLength");
  given?.end();
  if (length !== undefined) throw notSimulated("Easy DKIM: bring your own key");
  if (selector === undefined && privateKey === undefined) return undefined;
  if (selector === undefined || privateKey === undefined) {
    throw new AwsError(
      "BadRequestException",
      "Both DomainSigningSelector and DomainSigningPrivateKey must be given.",
    );
  }
  if (!/^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$/.test(selector) || selector.length > 63) {
    throw new AwsError("BadRequestException", `Invalid DKIM selector: ${selector}`);
  }
  const wrong = new AwsError("BadRequestException", "Provided private key is invalid.");
  if (!/^[a-zA-Z0-9+/]+={0,2}$/.test(privateKey) || privateKey.length > 20_480) throw wrong;
  let bits: number | undefined;
  try {
    const found = rsaKey(privateKey);
    bits = found.asymmetricKeyType === "rsa" ? found.asymmetricKeyDetails?.modulusLength : undefined;
  } catch {
    throw wrong;
  }
  if (bits !== 1024 && bits !== 2048) throw wrong;
  return { selector, privateKey };
}
