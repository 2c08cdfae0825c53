import { z } from "zod";
import { bundle, file, plainFile, unit } from "../plan/bundle.ts";
import { dovecotJudge } from "../plan/services/dovecot.ts";
import { trustedHosts } from "../plan/trustedHosts.ts";
import { ownNetworks, trustedNetworkMistake } from "../settings/networks.ts";
import { text } from "../settings/text.ts";
import { option } from "./option.ts";

const conf = "/etc/mailhost/bans.conf";
const verbose = "/etc/dovecot/mailhost.d/bans.conf";
const table = "/etc/mailhost/bans.nft";
const program = "/usr/local/lib/mailhost/bans";
const service = "/etc/systemd/system/mailhost-bans.service";

/**
 * Who guesses passwords or keys is let in nowhere for a while. fail2ban does the same with four times the memory; and
 * it does not know that a household with a good login is no guesser.
 */
export const bans = option({
  key: "bans",
  schema: z
    .strictObject({
      failures: z
        .int()
        .min(0)
        .max(1000)
        .default(10)
        .meta({
          description:
            "Failed logins within 10 minutes after which an address is banned, on all ports: for 10 minutes at first, four times as long each further time, up to a week. An IPv6 network of 64 bits counts as one address. Where somebody has logged in within the last week, nobody is banned. 0: nobody is anywhere.",
          examples: [5, 0],
        }),
      never: z
        .array(text(trustedNetworkMistake))
        .default([])
        .meta({
          description: "Networks (CIDR) that are never banned. Those of `ssh.from` never are.",
          examples: [["192.0.2.0/24"]],
        }),
    })
    .prefault({})
    .meta({
      description: "Addresses whose logins fail, to a mailbox or over SSH, are banned for a while.",
      examples: [{ failures: 0 }],
      synonyms: ["fail2ban"],
    }),
  bundles: ({ failures, never }, settings) => {
    const trusted = trustedHosts(settings);
    const model = {
      failures,
      never: [
        ...ownNetworks(settings.ssh.from),
        ...never,
        ...trusted.flatMap(({ networks }) => networks),
      ].map((network) => ({ network, family: network.includes(":") ? "ip6" : "ip" })),
    };
    return failures === 0
      ? []
      : [
          bundle({
            name: "bans",
            why: "Bans addresses whose logins fail, for a while.",
            packages: ["nftables"],
            files: [
              file(conf, model),
              plainFile(verbose),
              file(table, model, { mode: "0755" }),
              plainFile(program, { mode: "0755" }),
              plainFile(service),
            ],
            validate: [dovecotJudge, `nft -c -f ${table}`],
            units: [
              unit("dovecot.service", { reload: [verbose] }),
              unit("mailhost-bans.service", { restart: [conf, table, program, service] }),
            ],
            after: ["dovecot"],
          }),
        ];
  },
});
