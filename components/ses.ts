import { AccessKey } from "@pulumi/aws/iam/accessKey.js";
import { User } from "@pulumi/aws/iam/user.js";
import { UserPolicy } from "@pulumi/aws/iam/userPolicy.js";
import { EmailIdentity } from "@pulumi/aws/sesv2/emailIdentity.js";
import { EmailIdentityMailFromAttributes } from "@pulumi/aws/sesv2/emailIdentityMailFromAttributes.js";
import { getEmailIdentity } from "@pulumi/aws/sesv2/getEmailIdentity.js";
import * as pulumi from "@pulumi/pulumi";
import { type SesDomain, sesPolicy, sesPrivateKey } from "../plan/ses.ts";
import type { Dns } from "./dns.ts";
import type { DkimKeys } from "./keys.ts";
import { onceKnown } from "./onceKnown.ts";
import { tags } from "./tags.ts";
import { verified } from "./verified.ts";

export interface SesArgs {
  /** None: nothing is made. */
  readonly domains: readonly SesDomain[];
  readonly dkim: DkimKeys;
  /** The domains' DKIM keys and the records of the envelope senders' domains. */
  readonly dns: Dns;
}

/** Amazon SES as the relay: an identity for each domain that it sends for, and a login that may send as these alone. */
export class Ses extends pulumi.ComponentResource {
  /** `username` and `password`; nothing where no domain is sent. Secret. */
  readonly login: pulumi.Output<Record<string, string>>;
  /** What has to be there before mail goes to SES: it refuses for good what it does not know yet. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: SesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:ses:Ses", name, {}, opts);
    const made = args.domains.map((domain) => this.#createDomain(name, domain, args));
    this.login = pulumi.secret<Record<string, string>>({});
    this.ready = [];
    if (made.length > 0) {
      const { policy, key } = this.#createLogin(
        name,
        made.map(({ identity }) => identity.arn),
      );
      this.login = pulumi.secret(
        pulumi
          .all([key.id, key.sesSmtpPasswordV4])
          .apply(([username, password]): Record<string, string> => ({ username, password })),
      );
      this.ready = [...made.map(({ mailFrom }) => mailFrom), policy, key];
    }
    this.registerOutputs({});
  }

  #createDomain(name: string, { domain, dkim: key, mailFrom }: SesDomain, { dkim, dns }: SesArgs) {
    const privateKey = dkim.privateKey(key.name).apply(sesPrivateKey);
    const wait = verifiedFirst(`${name}-${domain}-verified-first`, domain, key.name, dns);
    const identity = new EmailIdentity(
      `${name}-${domain}`,
      {
        emailIdentity: domain,
        dkimSigningAttributes: {
          domainSigningSelector: key.selector,
          domainSigningPrivateKey: pulumi.secret(privateKey),
        },
        tags: tags(`${name}-${domain}`),
      },
      // SES looks for the key as soon as it has heard of it, and what it did not find it seeks again less often.
      // A key that takes its turn is looked for anew.
      { parent: this, dependsOn: [...dns.record("TXT", key.name)], hooks: { afterUpdate: [wait] } },
    );
    return {
      identity,
      mailFrom: new EmailIdentityMailFromAttributes(
        `${name}-${domain}-mail-from`,
        {
          emailIdentity: identity.emailIdentity,
          mailFromDomain: mailFrom,
          // Should SES lose sight of the MX record, mail goes on with an envelope sender of Amazon's own: the domain's
          // DKIM signature alone is enough for DMARC. The other choice would refuse it for good.
          behaviorOnMxFailure: "USE_DEFAULT_VALUE",
        },
        {
          parent: this,
          dependsOn: [...dns.record("MX", mailFrom), ...dns.record("TXT", mailFrom)],
          hooks: { beforeCreate: [wait], beforeUpdate: [wait] },
        },
      ),
    };
  }

  #createLogin(name: string, identities: readonly pulumi.Output<string>[]) {
    const user = new User(
      `${name}-user`,
      { path: "/mailhost/", tags: tags(`${name}-user`) },
      { parent: this, hooks: { afterCreate: [tellOfSandbox(`${name}-sandbox-told`, this)] } },
    );
    const policy = new UserPolicy(
      `${name}-policy`,
      { user: user.name, policy: pulumi.all([...identities]).apply(sesPolicy) },
      { parent: this },
    );
    const key = new AccessKey(`${name}-key`, { user: user.name }, { parent: this });
    return { policy, key };
  }
}

/** AWS has no resource that tells whether an account is in the sandbox still; so the owner hears of it, once. */
function tellOfSandbox(hookName: string, parent: pulumi.Resource): pulumi.ResourceHook {
  return new pulumi.ResourceHook(hookName, () => {
    pulumi.log.warn(
      "Amazon SES keeps a new account in a sandbox: it then sends to verified addresses alone, and what is for others waits in the queue. To leave it, ask for production access: AWS console, Amazon SES, Account dashboard (docs/sending.md).",
      parent,
    );
  });
}

/** Nothing goes to SES before it has found the domain's key in the DNS. */
function verifiedFirst(hookName: string, domain: string, record: string, dns: Dns): pulumi.ResourceHook {
  const ask = () => getEmailIdentity({ emailIdentity: domain });
  const line = dns.lineToPutIn("TXT", record);
  const byHand = line && onceKnown(line);
  return new pulumi.ResourceHook(hookName, async () =>
    verified({ domain, record, ask, ...(byHand !== undefined && { toPutIn: await byHand }) }),
  );
}
