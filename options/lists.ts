import { z } from "zod";
import { bundle, directory, file, unit } from "../plan/bundle.ts";
import { rspamdJudge } from "../plan/services/rspamd.ts";
import { domainName, emailAddress } from "../settings/names.ts";
import { trustedNetworkMistake } from "../settings/networks.ts";
import { option } from "./option.ts";

const rspamd = "/etc/rspamd/local.d";
const maps = "/etc/mailhost/lists";
const texts = "/etc/rspamd/lua.local.d/refusals.lua";

interface Sender {
  readonly kind: "domain" | "address" | "network";
  readonly text: string;
}

function senderOf(text: string): Sender | undefined {
  if (text.includes("/")) return trustedNetworkMistake(text) ? undefined : { kind: "network", text };
  if (text.includes("@")) {
    const address = emailAddress(text);
    return address === undefined ? undefined : { kind: "address", text: address };
  }
  const domain = domainName(text);
  return domain === undefined ? undefined : { kind: "domain", text: domain };
}

const sender = z.string().refine((text) => senderOf(text) !== undefined, {
  message:
    "is no sender; write a domain (spam.example, with all below it), an address (ads@shop.example) or a network (192.0.2.0/24)",
});

// Codes of a list lie in 127.0.0.0/8 (RFC 5782 section 2.1).
const code = z.string().refine((text) => /^127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(text), {
  message: "is no answer of a list; write one such as 127.0.0.2",
});

const dnsList = z.strictObject({
  zone: z
    .string()
    .refine((text) => domainName(text) !== undefined, {
      message: "is no zone of a list; write its name, such as bl.example.net",
    })
    .transform((text) => domainName(text) ?? text)
    .meta({ description: "The list's DNS zone.", examples: ["bl.example.net"] }),
  of: z
    .enum(["addresses", "domains"])
    .default("addresses")
    .meta({
      description: "Whether it lists addresses of hosts, or domains of senders and links.",
      examples: ["domains"],
    }),
  score: z
    .number()
    .min(-20)
    .max(20)
    .default(4)
    .meta({
      description: "Points of who is on it, see `spam`. Below 0: a list of good ones.",
      examples: [15],
    }),
  codes: z
    .array(code)
    .default([])
    .meta({
      description:
        "Which of its answers count. Without it, all but those in 127.255.0.0/16, by which lists say that they do not answer.",
      examples: [["127.0.0.2"]],
    }),
  remove: z
    .url({ protocol: /^https?$/ })
    // It stands in a text of Lua, and in a line of SMTP.
    .regex(/^[!#-&(-[\]-~]{1,200}$/, "has a quote, a blank or more than 200 characters; write it without")
    .optional()
    .meta({
      description: "Where who is refused can ask to be taken off. It stands in the refusal.",
      examples: ["https://bl.example.net/remove"],
    }),
});

/** Senders that this host refuses or welcomes whatever they send, and lists beside rspamd's own. */
export const lists = option({
  key: "lists",
  schema: z
    .strictObject({
      refuse: z
        .array(sender)
        .default([])
        .meta({
          description:
            "Senders that are refused: domains with all below them, addresses, networks (CIDR). Of the envelope and of the From header.",
          examples: [["spam.example", "ads@shop.example", "192.0.2.0/24"]],
        }),
      welcome: z
        .array(sender)
        .default([])
        .meta({
          description:
            "Senders whose mail is neither refused as spam, nor greylisted, nor put into Junk. A domain or an address is believed only where DMARC passes, or SPF of that very domain where it has no DMARC record.",
          examples: [["partner.example"]],
        }),
      dns: z
        .array(dnsList)
        .default([])
        .meta({
          description: "DNS lists to ask, beside those that docs/spam.md names.",
          examples: [[{ zone: "bl.example.net", score: 15 }]],
        }),
    })
    .prefault({})
    .meta({
      description:
        "Senders that you refuse or welcome by name, and more DNS lists to ask. A refusal says which list it is for, and how to get off it.",
      examples: [{ refuse: ["spam.example"] }],
      synonyms: ["blocklist", "blacklist", "allowlist", "whitelist", "dnsbl", "rbl"],
    }),
  agree({ refuse, welcome, dns }, settings, report) {
    const own = settings.domains.map(({ name }) => name);
    for (const [index, text] of refuse.entries()) {
      const found = senderOf(text);
      if (found === undefined || found.kind === "network") continue;
      const domain = found.text.slice(found.text.indexOf("@") + 1);
      const mine = own.find(
        (name) => name === domain || (found.kind === "domain" && name.endsWith(`.${domain}`)),
      );
      if (mine !== undefined)
        report(["refuse", index], `is of this host (${mine}); write others' senders only`);
      if (welcome.some((other) => senderOf(other)?.text === found.text))
        report(["refuse", index], "is welcome as well; write it in one of the two");
    }
    for (const [index, { zone }] of dns.entries())
      if (dns.findIndex((other) => other.zone === zone) < index)
        report(["dns", index, "zone"], "is named twice; write it once");
  },
  bundles({ refuse, welcome, dns }) {
    const refused = maplines(refuse);
    const welcomed = maplines(welcome);
    const model = { refused, welcomed };
    const asked = dns.map((list) => ({
      ...list,
      symbol: `OWN_LIST_${list.zone.replaceAll("-", "__").replaceAll(".", "_").toUpperCase()}`,
      remove: list.remove ?? false,
      ofDomains: list.of === "domains",
    }));
    const files = [
      file(texts, { lists: asked }),
      ...(refuse.length + welcome.length > 0 ? [file(`${rspamd}/multimap.conf`, model)] : []),
      ...mapFiles("refused", refused),
      ...mapFiles("welcome", welcomed),
      ...(asked.length > 0
        ? [file(`${rspamd}/rbl.conf`, { lists: asked }), file(`${rspamd}/rbl_group.conf`, { lists: asked })]
        : []),
    ];
    return [
      bundle({
        name: "lists",
        why: "Refuses and welcomes senders by name, and says which list a refusal is for.",
        directories: files.some(({ path }) => path.startsWith(maps)) ? [directory(maps)] : [],
        files,
        validate: [rspamdJudge],
        units: [unit("rspamd.service", { reload: files.map(({ path }) => path) })],
        after: ["rspamd"],
      }),
    ];
  },
});

interface MapLines {
  /** Regular expressions on addresses. */
  readonly senders: readonly string[];
  readonly networks: readonly string[];
}

function maplines(list: readonly string[]): MapLines {
  const found = list.map(senderOf).filter((each) => each !== undefined);
  return {
    senders: found.filter(({ kind }) => kind !== "network").map(expression),
    networks: found.filter(({ kind }) => kind === "network").map(({ text }) => text),
  };
}

/** Matches the address itself, or any of the domain and of what is below it. */
function expression({ kind, text }: Sender): string {
  const quoted = text.replace(/[^\w@-]/g, "\\$&");
  return kind === "domain" ? `/[@.]${quoted}$/i` : `/^${quoted}$/i`;
}

function mapFiles(name: "refused" | "welcome", { senders, networks }: MapLines) {
  const path = (kind: string) => `${maps}/${name}-${kind}.map`;
  return [
    ...(senders.length > 0 ? [file(path("senders"), { senders })] : []),
    ...(networks.length > 0 ? [file(path("networks"), { networks })] : []),
  ];
}
