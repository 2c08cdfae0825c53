import { createHash, X509Certificate } from "node:crypto";
import { z } from "zod";
import { bundle, file, plainFile, secretFile, unit } from "../plan/bundle.ts";
import { dovecotJudge } from "../plan/services/dovecot.ts";
import { rspamdJudge } from "../plan/services/rspamd.ts";
import { trustedHosts as hostsOf, TRUSTED_HOST } from "../plan/trustedHosts.ts";
import { addressParts, domainName, emailAddress } from "../settings/names.ts";
import { trustedNetworkMistake } from "../settings/networks.ts";
import { text } from "../settings/text.ts";
import { option } from "./option.ts";

const rule = "/etc/rspamd/lua.local.d/trusted-hosts.lua";
const conf = "/etc/dovecot/mailhost.d/trusted-hosts.conf";
const logins = "/etc/dovecot/trusted-hosts";

/** `scanner@example.org`, or `@example.org`; lower case, as mailboxes are. */
function sender(text: string): string | undefined {
  if (!text.startsWith("@")) return emailAddress(text)?.toLowerCase();
  const name = domainName(text.slice(1));
  return name === undefined ? undefined : `@${name}`;
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).publicKey !== undefined;
  } catch {
    return false;
  }
}

const host = z
  .strictObject({
    senders: z
      .array(
        z
          .string()
          .refine((text) => sender(text) !== undefined, {
            message:
              "is no address; write one such as scanner@example.org, or @example.org for all of a domain",
          })
          .transform((text) => sender(text) ?? text),
      )
      .min(1, "is empty; write the addresses that it sends as, such as scanner@example.org")
      .meta({
        description:
          "Addresses of this host's mail domains that it may send as, in envelope and From header; `@example.org` is all of a domain.",
        examples: [["scanner@example.org"], ["@example.org"]],
      }),
    networks: z
      .array(text(trustedNetworkMistake))
      .default([])
      .meta({
        description: "Networks (CIDR) that it comes from: nobody else may be there. They are never banned.",
        examples: [["192.0.2.10/32"]],
      }),
    certificate: z
      .string()
      .refine(isCertificate, {
        message:
          "is not a certificate in PEM; write it from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, after `|` on lines of their own",
      })
      .optional()
      .meta({
        description:
          "The certificate that it shows, in PEM; it may be self-signed. What counts is its public key, so a renewed one with the same key is as good.",
      }),
    login: z
      .boolean()
      .default(false)
      .meta({
        description:
          "Whether it logs in, as `<name>@<hostname>` with a generated password (output `trustedHosts`), which is for sending alone.",
        examples: [true],
      }),
    limit: z
      .int()
      .min(0)
      .max(100_000)
      .optional()
      .meta({
        description:
          "How many recipients it may write to in any 60 minutes. Left out: as many as a mailbox (`outgoingLimit`). 0: as many as it likes.",
        examples: [20],
      }),
  })
  .refine(({ networks, certificate, login }) => networks.length > 0 || certificate !== undefined || login, {
    message: "does not say how the host is known; write networks, certificate or login: true",
  });

const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/, {
  message: "is no name for a host; write at most 32 lower-case letters, digits and dashes, such as printer",
});

/** Machines that send through this host without being anybody's mailbox: by TLS on 465 and 587 alone, as people do. */
export const trustedHosts = option({
  key: "trustedHosts",
  schema: z
    .record(name, host)
    .default({})
    .meta({
      description:
        "Machines that may send through this host, each by a name: known by their network, their certificate or a login of their own, and held to their senders and their limit. They use ports 465 and 587.",
      examples: [
        {
          printer: { networks: ["192.0.2.10/32"], senders: ["scanner@example.org"], limit: 20 },
          shop: { login: true, senders: ["@example.org"] },
        },
      ],
    }),
  agree(hosts, { domains }, report) {
    const seen = new Map<string, string>();
    const once = (
      what: string,
      owner: string,
      path: (string | number)[],
      message: (other: string) => string,
    ) => {
      const other = seen.get(what);
      if (other !== undefined && other !== owner) report(path, message(other));
      seen.set(what, other ?? owner);
    };
    for (const [name, { senders, networks, certificate }] of Object.entries(hosts)) {
      for (const [index, sender] of senders.entries()) {
        const path = [name, "senders", index];
        if (!domains.some((domain) => domain.name === addressParts(sender).domain))
          report(
            path,
            "is of no mail domain of this host; add the domain under mailhost:domains, or write another address",
          );
        // rspamd hears nothing of a certificate but that there is one: whose limit it is, the sender says.
        else if (certificate !== undefined)
          once(
            `certificate ${sender}`,
            name,
            path,
            (other) =>
              `is a sender of ${other} too, which has a certificate as well; give each its own, so that each is held to its own limit`,
          );
      }
      for (const [index, network] of networks.entries())
        once(
          `network ${network}`,
          name,
          [name, "networks", index],
          (other) => `is the network of ${other}, too; write each network once`,
        );
    }
  },
  bundles(_hosts, settings) {
    const hosts = hostsOf(settings);
    const withLogin = hosts.filter(({ login }) => login !== false);
    return hosts.length === 0
      ? []
      : [
          bundle({
            name: "trusted-hosts",
            why: "Lets machines send that are nobody's mailbox.",
            files: [
              file(rule, {
                hosts: hosts.map((host) => ({ ...host, hasCertificate: host.fingerprint !== false })),
                marker: TRUSTED_HOST,
              }),
              ...(withLogin.length > 0 ? [plainFile(conf)] : []),
            ],
            secretFiles:
              withLogin.length > 0
                ? [
                    secretFile(
                      logins,
                      ["generated"],
                      ({ generated }) =>
                        [
                          "# Logins of trusted hosts, for Dovecot's passwd-file. They read no mail.",
                          ...withLogin.map(
                            ({ login, passwordName }) =>
                              `${login}:${hash(generated[passwordName] ?? "")}::::::nologin`,
                          ),
                          "",
                        ].join("\n"),
                      { owner: "root", group: "dovecot", mode: "0640" },
                    ),
                  ]
                : [],
            validate: [rspamdJudge, ...(withLogin.length > 0 ? [dovecotJudge] : [])],
            units: [
              unit("rspamd.service", { reload: [rule] }),
              ...(withLogin.length > 0 ? [unit("dovecot.service", { reload: [conf] })] : []),
            ],
            generates: withLogin.map(({ passwordName }) => passwordName),
            after: ["rspamd", "dovecot"],
          }),
        ];
  },
});

/** Of 32 random characters: a slow hash and a salt would keep nobody out whom these do not. */
function hash(password: string): string {
  return `{SHA512.HEX}${createHash("sha512").update(password).digest("hex")}`;
}
