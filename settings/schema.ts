/**
 * How a stack file is written: every key of the `mailhost:` namespace with its meaning, default and form. What
 * several keys must agree on is in `agreement.ts`. `docs/settings.md` is generated from here.
 *
 * A refinement's message has the form "what is wrong; what to write instead". `synonyms` in a key's `meta` are words that
 * people look for it by: who writes one is told the key.
 */
import { z } from "zod";
import { optionSchemas, options } from "../options/list.ts";
import type { Option } from "../options/option.ts";
import { passwordHashMistake } from "./hashes.ts";
import { domainText } from "./hostName.ts";
import { domainName } from "./names.ts";
import { isAddress, networkMistake, vpcMistake, wholeInternet } from "./networks.ts";
import { quotaSize } from "./sizes.ts";
import { spfAlls } from "./spf.ts";
import { text } from "./text.ts";

const domain = text((value) =>
  domainName(value) === undefined
    ? "is not a domain name; write labels of letters, digits and hyphens with dots between, such as mail.example.org"
    : undefined,
);

/** Pulumi's YAML reads an unquoted day as a point in time, and hands it over as such. */
export function dayOf(value: string): string {
  return value.replace(/ 00:00:00 \+0000 UTC$/, "");
}

const date = text((value) =>
  /^\d{4}-\d\d-\d\d$/.test(dayOf(value)) &&
  new Date(`${dayOf(value)}T00:00:00Z`).toJSON()?.startsWith(dayOf(value))
    ? undefined
    : "is not a day of the calendar; write year, month and day, such as 2026-11-21",
);

const timeZone = text((value) => {
  const advice = "write a name as `timedatectl list-timezones` shows it, such as Europe/Berlin";
  if (!/^[A-Za-z]/.test(value)) return `is not a time zone; ${advice}`;
  try {
    const known = new Intl.DateTimeFormat("en", { timeZone: value }).resolvedOptions().timeZone;
    // Intl does not mind the case, the host's zone files do.
    const isOtherCase = known !== value && known.toLowerCase() === value.toLowerCase();
    return isOtherCase ? `is written in another case; write ${known}` : undefined;
  } catch {
    return `is not a time zone; ${advice}`;
  }
});

// URL takes blanks and control characters too, and drops or escapes them; RFC 3986 section 2 has neither.
const httpsUrl = text((value) =>
  /^[!-~]+$/.test(value) && URL.canParse(value) && new URL(value).protocol === "https:"
    ? undefined
    : "is not an https URL; write the ACME directory's address, such as https://acme-v02.api.letsencrypt.org/directory",
);

const pemCertificates = text((value) =>
  /^\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/.test(value)
    ? undefined
    : "is not a certificate in PEM; write it from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, after `|` on lines of their own",
);

const rootHints = text((value) =>
  /^\.\s+((IN|\d+)\s+){0,2}NS\s+\S/im.test(value)
    ? undefined
    : "has no NS record of the root; write zone-file lines such as `. 3600000 NS a.root.example.` and the address of each server",
);

const trustAnchor = text((value) =>
  /^\S+\s+((IN|\d+)\s+){0,2}(DS|DNSKEY)\s+\d+\s+\d+\s+\d+\s+\S/im.test(value)
    ? undefined
    : "has no DS or DNSKEY record; write one as in a zone file, such as `. IN DS 20326 8 2 E06D44B8…`",
);

const ipAddress = text((value) =>
  isAddress(value) ? undefined : "is not an IP address; write one such as 192.0.2.53",
);

const whole = (low: number, high: number) => z.int().min(low).max(high);

/** Defaults of the instance type, by architecture. */
export const instanceTypes = { arm64: "t4g.small", amd64: "t3a.small" } as const;

const ssh = z
  .strictObject({
    from: z
      .union([z.literal(wholeInternet), text(networkMistake), z.array(text(networkMistake)).min(1)])
      .meta({
        description: `Networks (CIDR) from which port 22 is reachable, the one \`pulumi up\` runs in among them: \`curl https://checkip.amazonaws.com\` says your public address. To open it to everybody write \`${wholeInternet}\`.`,
        examples: [["203.0.113.7/32"], wholeInternet],
      }),
  })
  .meta({
    description: "Who may reach the host's SSH server.",
    examples: [{ from: ["203.0.113.7/32"] }],
  });

const server = z
  .strictObject({
    architecture: z
      .enum(["arm64", "amd64"])
      .default("arm64")
      .meta({
        description: "The machine's processor: arm64 costs less. Another one replaces the machine.",
        examples: ["arm64", "amd64"],
      }),
    instanceType: text((value) =>
      /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/.test(value)
        ? undefined
        : "is not an EC2 instance type; write one such as t4g.small",
    )
      .optional()
      .meta({
        description: `EC2 instance type of the Nitro System (t3, m5 and what came after them), fitting the architecture. Without it ${instanceTypes.arm64} (arm64) or ${instanceTypes.amd64} (amd64).`,
        examples: ["t4g.small"],
      }),
    rootSize: whole(8, 16384)
      .default(8)
      .meta({
        description: "Size of the root disk in GiB. It grows while the host runs, and cannot shrink.",
        examples: [8],
      }),
    dataSize: whole(1, 16384)
      .default(20)
      .meta({
        description:
          "Size of the data volume (mail, queue, keys) in GiB. It grows while mail flows, and cannot shrink.",
        examples: [20],
      }),
    timeZone: timeZone
      .default("UTC")
      .meta({ description: "Time zone of the host (IANA), as in its logs.", examples: ["Europe/Berlin"] }),
  })
  .meta({ description: "The machine." });

const network = z
  .strictObject({
    cidr: text(vpcMistake)
      .default("10.20.0.0/16")
      .meta({ description: "Private address range of the VPC that is made.", examples: ["10.20.0.0/16"] }),
    subnetId: text((value) =>
      /^subnet-[0-9a-f]{8,17}$/.test(value)
        ? undefined
        : "is not a subnet's id; write one such as subnet-0a1b2c3d4e5f60718",
    )
      .optional()
      .meta({
        description: "Existing public subnet to live in, instead of a VPC of its own.",
        examples: ["subnet-0a1b2c3d4e5f60718"],
      }),
    ipv6: z
      .boolean()
      .default(false)
      .meta({
        description: "Whether the host receives over IPv6 too. It sends over IPv4 only.",
        examples: [true],
      }),
  })
  .meta({
    description:
      "Where in AWS's network the machine lives. Fixed after the first `up`: the data volume lives in the availability zone of its subnet.",
  });

const acme = z
  .strictObject({
    directory: httpsUrl.default("https://acme-v02.api.letsencrypt.org/directory").meta({
      description: "Directory of the ACME server that issues the certificate.",
      examples: ["https://acme-staging-v02.api.letsencrypt.org/directory"],
    }),
    caaIdentity: domainText(
      "is not a domain name; write the name that the authority has in CAA records, such as letsencrypt.org",
    )
      .optional()
      .meta({
        description:
          "The name by which CAA records know the authority. Without it that of Let's Encrypt where the directory is theirs, else none.",
        examples: ["letsencrypt.org"],
      }),
    caCertificate: pemCertificates.optional().meta({
      description:
        "Certificate (PEM) of the CA that the ACME server's own HTTPS is signed by, where it is not a public one.",
    }),
  })
  .meta({ description: "Who issues the certificate." });

const resolver = z
  .strictObject({
    outside: ipAddress.optional().meta({
      description:
        "Resolver (IP address) that the deployment asks for the zone's nameservers. Default: that of the machine where it runs. Needed only where that does not see the DNS as the world does.",
      examples: ["192.0.2.53"],
    }),
    rootHints: rootHints.optional().meta({
      description: "Root servers as zone-file text, where the DNS root is not the internet's.",
    }),
    trustAnchor: trustAnchor.optional().meta({
      description: "DNSSEC trust anchor (DS or DNSKEY record), where the DNS root is not the internet's.",
    }),
  })
  .meta({
    description: "The host's own validating resolver, and the view of the DNS that the deployment has.",
  });

const mailbox = z
  .strictObject({
    passwordHash: text(passwordHashMistake)
      .optional()
      .meta({
        description:
          "Hash of a password from an old host, instead of a generated password: `$6$…`, `$5$…`, `$2y$…`, `$argon2id$…`, `$y$…` or Dovecot's `{SCHEME}…`. No message shows it; where the name of an environment variable is written, it is neither in the stack file nor in Pulumi's history.",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
        examples: ["${ANN_HASH}"],
      }),
    appPasswords: z
      .array(
        text((value) =>
          /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(value)
            ? undefined
            : "is no name for a device; write at most 32 lower-case letters, digits and hyphens, such as phone",
        ),
      )
      .superRefine((names, context) => {
        for (const [index, name] of names.entries())
          if (names.indexOf(name) < index)
            context.addIssue({
              code: "custom",
              path: [index],
              message: "is named twice; write each device once",
            });
      })
      .default([])
      .meta({
        description:
          "Devices or programs that get a password of their own beside the mailbox's, a generated one each. Take a name away, and that password is void; the others stay.",
        examples: [["phone", "laptop"]],
      }),
    quota: quotaSize.optional().meta({
      description: "How much it holds, in GiB. Without it `quota.size`. 0: as much as the data volume.",
      examples: [20, 0],
    }),
    suspended: z
      .boolean()
      .default(false)
      .meta({
        description:
          "Whether nobody can log in to it, neither to read nor to send. Mail for it is still taken.",
        examples: [true],
      }),
  })
  .meta({
    description: "A mailbox, by the name before the `@`. Its login is the full address.",
    examples: [{}],
  });

const targets = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).meta({
  description: "One address or a list. A name without `@` is of the same domain.",
  examples: [["ann", "bob@example.com"], "ann"],
});

const dmarcPolicy = z.enum(["none", "quarantine", "reject", "ramp"]);

const dmarcMapping = z
  .strictObject({
    policy: dmarcPolicy.default("quarantine").meta({
      description:
        "What receivers are asked to do with forged mail. `ramp`: `none`, then `quarantine`, then `reject`, each step a month after the last at the earliest, and only when the reports of others say that the domain's own mail passes.",
      examples: ["ramp", "reject"],
    }),
    reportsTo: z
      .string()
      .min(1)
      .optional()
      .meta({
        description:
          "Who gets the aggregate reports. Without it dmarc@ of the domain, which the host reads itself (`mailhost:reports`) if no mailbox or alias has the name. An address elsewhere must be willing: its domain has to publish an authorisation (RFC 7489 section 7.1).",
        examples: ["dmarc@example.org"],
      }),
  })
  .meta({ description: "DMARC policy of the domain." });

const dmarc = z
  .union([dmarcPolicy, dmarcMapping])
  .prefault({})
  .meta({
    description: "DMARC policy of the domain: the policy alone, or a mapping.",
    examples: ["ramp", { policy: "reject" }],
  });

const spfMapping = z
  .strictObject({
    foreign: z
      .literal("merge")
      .default("merge")
      .meta({ description: "As `merge` alone.", examples: ["merge"] }),
    all: z
      .enum(spfAlls)
      .optional()
      .meta({
        description:
          "What the record then says of all other senders. Without it what the one says that is there. `-all` is the strictest, and right when the record names everybody who sends for the domain.",
        examples: ["-all"],
      }),
  })
  .meta({ description: "Merge, and how strictly." });

const spf = z
  .union([z.enum(["refuse", "merge"]), spfMapping])
  .default("refuse")
  .meta({
    description:
      "What becomes of an SPF record of somebody else's that stands at the domain's name: there can be only one. `refuse`: `up` stops, and names it. `merge`: the host is added to it, all else stays as it is, and when the domain leaves it is again what it was. Not for zones at Route 53.",
    examples: ["merge", { foreign: "merge", all: "-all" }],
  });

const mailDomain = z
  .strictObject({
    since: date.meta({
      description:
        "The day the domain came to this host. Its first DKIM selectors carry it, so a domain that comes back has the day of its return; DNS records live 300 seconds for the first 14 days, 3600 after.",
      examples: ["2026-11-21"],
    }),
    zone: domain.optional().meta({
      description: "DNS zone that holds the domain's records. Without it the domain itself.",
      examples: ["example.org"],
    }),
    mailboxes: z
      .record(z.string(), mailbox)
      .default({})
      .meta({
        description: "Mailboxes, by the name before the `@`.",
        examples: [{ ann: {} }],
        synonyms: ["users", "accounts"],
      }),
    aliases: z
      .record(z.string(), targets)
      .default({})
      .meta({
        description: "Addresses whose mail is passed on, by the name before the `@`.",
        examples: [{ info: ["ann", "bob@example.com"] }],
        synonyms: ["forwards", "forwarding", "redirects"],
      }),
    catchAll: z
      .string()
      .min(1)
      .optional()
      .meta({
        description:
          "Who takes what no mailbox or alias takes. A name without `@` is of the same domain. Without it such mail is refused.",
        examples: ["ann"],
      }),
    dmarc,
    spf,
  })
  .meta({
    description: "A mail domain, by its name.",
    examples: [{ since: "2026-11-21", mailboxes: { ann: {} } }],
  });

const keys = {
  hostname: domain.meta({
    description: "The host's own name: HELO, PTR, certificate, MX target. Not a mail domain itself.",
    examples: ["mail.example.org"],
  }),
  hostnameZone: domain.optional().meta({
    description:
      "DNS zone that holds the host's own name. Without it the closest zone of the domains that the name lies in, else the name's parent.",
    examples: ["example.org"],
  }),
  owner: z
    .string()
    .min(1)
    .meta({
      description:
        "Full address that receives root's mail, and postmaster@ and abuse@ of every domain where no mailbox or alias takes them; dmarc@ and tls-reports@, too, where the host does not read reports. Here or elsewhere.",
      examples: ["ann@example.org"],
    }),
  shared: z
    .string()
    .optional()
    .meta({
      description:
        "File beside Pulumi.yaml with settings that several stacks have in common (docs/stacks.md). What the stack file says itself holds.",
      examples: ["stacks.yaml"],
    }),
  parts: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .meta({
      description:
        "Files beside Pulumi.yaml in which more of this stack's settings stand, such as its mailboxes (docs/stacks.md). Nothing may stand in two of them, or there and in the stack file.",
      examples: ["mailboxes.yaml", ["domains.yaml", "mailboxes.yaml"]],
      synonyms: ["include", "includes", "imports"],
    }),
  ssh,
  server: server.prefault({}),
  network: network.prefault({}),
  acme: acme.prefault({}),
  resolver: resolver.prefault({}),
  domains: z
    .record(z.string(), mailDomain)
    .refine((domains) => Object.keys(domains).length > 0, {
      message: "is empty; write at least one domain under it",
    })
    .meta({
      description: "The mail domains, by name.",
      examples: [{ "example.org": { since: "2026-11-21" } }],
    }),
};

/** A stack file's `mailhost:` keys. */
export const schema = z.strictObject({ ...keys, ...optionSchemas });

/** Where a list has lost a mistaken text, an empty one stands for it. */
const anyTexts = z.union([z.string(), z.array(z.string())]);

/**
 * The same where mistakes have been taken out, so that what is left can be checked against itself: required keys may
 * be missing.
 */
export const remains = z.object({
  ...keys,
  hostname: keys.hostname.optional(),
  owner: keys.owner.optional(),
  ssh: z.object({ from: anyTexts.default([]) }).prefault({}),
  // An option's mistaken value is its default meanwhile.
  ...Object.fromEntries(
    (options as readonly Option[]).map(({ key, schema }) => [key, schema.catch(schema.parse(undefined))]),
  ),
  domains: z
    .record(
      z.string(),
      mailDomain.partial({ since: true }).extend({
        mailboxes: z
          .record(z.string(), mailbox.extend({ appPasswords: z.array(z.string()).default([]) }))
          .default({}),
        aliases: z.record(z.string(), anyTexts).default({}),
      }),
    )
    .default({}),
});

export type Remains = z.output<typeof remains>;
