import { z } from "zod";
import { TLS_REPORTS } from "../settings/routes.ts";
import { option } from "./option.ts";

/** TLS-RPT (RFC 8460): other servers tell by mail, once a day, how TLS went when they sent here. */
export const tlsReports = option({
  key: "tlsReports",
  schema: z
    .boolean()
    .default(true)
    .meta({
      description: `Whether other servers are asked for a daily report on how TLS went when they sent here (TLS-RPT). It comes to ${TLS_REPORTS}@ of the domain, which the host reads itself (mailhost:reports) if no mailbox or alias has the name.`,
      examples: [false],
      synonyms: ["tlsRpt"],
    }),
  records: (isOn, { domains }, ttlOf) =>
    isOn
      ? domains.map((domain) => ({
          zone: domain.zone,
          name: `_smtp._tls.${domain.name}`,
          type: "TXT",
          ttl: ttlOf(domain),
          content: `v=TLSRPTv1; rua=mailto:${TLS_REPORTS}@${domain.name}`,
          why: "TLS-RPT: where other servers report how TLS went when they sent here",
        }))
      : [],
});
