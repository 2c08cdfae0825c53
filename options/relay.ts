import { z } from "zod";
import { bundle, plainFile, secretFile, textFile } from "../plan/bundle.ts";
import { postfixTable } from "../plan/postfixTable.ts";
import { relayAddress, relayAuthority, relayLogin } from "../plan/relay.ts";
import { BOUNCE_LABEL, sesRecords } from "../plan/ses.ts";
import type { Secrets } from "../plan/types.ts";
import { domainName } from "../settings/names.ts";
import type { Settings } from "../settings/types.ts";
import { option } from "./option.ts";

/** A text of this form. What is wrong with it is said without showing it: it may be a password. */
function text(form: RegExp, message: string) {
  return z.string().refine((value) => form.test(value), { message });
}

const hostName = z
  .string()
  .refine((value) => value === "ses" || domainName(value) !== undefined, {
    message:
      "is not a host name; write the one that the relay's provider tells, such as smtp.relay.example.net, or ses",
  })
  .transform((value) => domainName(value) ?? value);
// It stands in a line of Postfix's table, where the name ends with the first colon.
const username = text(
  /^[!-9;-~]+$/,
  "has a blank, a colon or a character outside of ASCII; write it as the provider gave it",
);
const password = text(
  /^[!-~]+$/,
  "has a blank or a character outside of ASCII; write it as the provider gave it",
);
// RFC 7208 section 4.6.1; a redirect or `all` would end what the domain says of itself.
const mechanism = text(
  /^(include|a|mx|ip4|ip6|exists):[!-~]+$/,
  "is no mechanism of SPF; write what the provider asks for, such as include:spf.relay.example.net",
);
const certificates = text(
  /^\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/,
  "is not a certificate in PEM; write it from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, after `|` on lines of their own",
);

const described = z.strictObject({
  host: hostName.optional().meta({
    description:
      "The relay's name, which its certificate has to have, or `ses`: Amazon SES, of which the program makes all that is needed. Without it there is no relay.",
    examples: ["smtp.relay.example.net"],
  }),
  port: z
    .int()
    .min(1)
    .max(65535)
    .default(587)
    .meta({
      description: "Its port: 465 begins with TLS, any other with STARTTLS. Port 25 may be blocked.",
      examples: [465],
    }),
  username: username.optional().meta({ description: "Login at the relay.", examples: ["customer"] }),
  password: password.optional().meta({
    description:
      "Password at the relay. It goes into a file that only root reads; an environment variable keeps it out of the stack file.",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
    examples: ["${RELAY_PASSWORD}"],
  }),
  spf: z
    .array(mechanism)
    .optional()
    .meta({
      description:
        "What the provider asks to have in SPF records. `[]` where it sends with an envelope sender of its own.",
      examples: [["include:spf.relay.example.net"]],
    }),
  domains: z
    .array(z.string().transform((value) => domainName(value) ?? value))
    .optional()
    .meta({
      description:
        "Mail domains whose mail goes through the relay; the rest, bounces and forwarded mail go straight. Without it everything goes through the relay; through `ses` the mail of every domain.",
      examples: [["example.org"]],
    }),
  use: z
    .boolean()
    .default(true)
    .meta({
      description:
        "`false` has the records ready for the relay, while mail still goes straight: the first step of a change without a gap, there and back.",
      examples: [false],
    }),
  caCertificate: certificates
    .optional()
    .meta({ description: "Who signed the relay's certificate (PEM), where it is not a public one." }),
});

type Relay = z.output<typeof described>;

/** Mail leaves through somebody who has a good name, or an open port 25: any host that takes mail after a login. */
export const relay = option({
  key: "relay",
  schema: z
    .union([z.literal("ses").transform((host): Relay => described.parse({ host })), described])
    .prefault({})
    .meta({
      description:
        "A host that takes our mail after a login over verified TLS, and sends it on. One word is enough for Amazon SES.",
      examples: [
        "ses",
        {
          host: "smtp.relay.example.net",
          username: "customer",
          password: "as-the-provider-gave-it",
          spf: ["include:spf.relay.example.net"],
          use: false,
        },
      ],
      synonyms: ["smarthost", "relayhost"],
    }),
  agree(value, settings, report) {
    const { host, domains = [] } = value;
    if (host === undefined) {
      const rest = Object.keys(value).find((key) => key !== "port" && key !== "use");
      if (rest !== undefined) report(["host"], "is missing; write the relay's name, or take relay out");
      return;
    }
    if (host === "ses") agreeSes(value, settings, report);
    else
      for (const key of ["username", "password", "spf"] as const) {
        const advice = key === "spf" ? "what the provider asks to have in SPF records, or []" : `the ${key}`;
        if (value[key] === undefined) report([key], `is missing; write ${advice}`);
      }
    for (const [index, name] of domains.entries()) {
      if (!settings.domains.some((domain) => domain.name === name))
        report(["domains", index], "is no mail domain of this host; write one that is under `domains`");
    }
  },
  records: (_value, settings, ttlOf) => sesRecords(settings, ttlOf),
  bundles(value, settings) {
    const address = relayAddress(settings);
    if (address === undefined) return [];
    const { username, password, caCertificate } = value;
    const ses = value.host === "ses";
    const login = (secrets: Secrets) =>
      ses ? `${secrets.ses.username}:${secrets.ses.password}` : `${username}:${password}`;
    return [
      bundle({
        name: "relay",
        why: "The login at the relay that mail leaves through.",
        // PLAIN and LOGIN for Postfix's client.
        packages: ["libsasl2-modules"],
        files: [
          ...(caCertificate === undefined ? [] : [textFile(relayAuthority, `${caCertificate.trim()}\n`)]),
          ...(ses ? sesTables.map((path) => plainFile(path)) : []),
        ],
        secretFiles: [
          secretFile(relayLogin, ses ? ["ses"] : [], (secrets) =>
            postfixTable("Login at the relay, for smtp_sasl_password_maps.", [
              [`[${address.name}]:${address.port}`, [login(secrets)]],
            ]),
          ),
        ],
        // The table is made of the same secret, and is as closed as its text.
        derivations: [
          {
            command: `umask 077; postmap lmdb:${relayLogin}`,
            on: [relayLogin],
            makes: [`${relayLogin}.lmdb`],
          },
        ],
        after: ["storage"],
      }),
    ];
  },
});

/** What becomes of headers, and of refusals, on the way to SES (master.cf). */
const sesTables = ["/etc/postfix/ses-headers", "/etc/postfix/ses-replies"];

/** Ports of SES that nobody blocks ("Connecting to an Amazon SES SMTP endpoint"). */
const sesPorts = [465, 587, 2587];

function agreeSes(
  value: Relay,
  settings: Pick<Settings, "hostname" | "domains">,
  report: (path: readonly (string | number)[], message: string) => void,
): void {
  for (const key of ["username", "password", "spf"] as const)
    if (value[key] !== undefined) report([key], "is made by the program for Amazon SES; take it out");
  if (!sesPorts.includes(value.port))
    report(["port"], `is none that Amazon SES answers at; write ${sesPorts.join(" or ")}`);
  const taken = new Set([settings.hostname, ...settings.domains.map(({ name }) => name)]);
  for (const { name } of settings.domains) {
    const isSent = value.domains?.includes(name) ?? true;
    if (isSent && taken.has(`${BOUNCE_LABEL}.${name}`))
      report(
        [],
        `sends for ${name} in the name of ${BOUNCE_LABEL}.${name}, which is in use here; leave ${name} out of its domains`,
      );
  }
}
