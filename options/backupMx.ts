import { z } from "zod";
import { domainText } from "../settings/hostName.ts";
import { option } from "./option.ts";

/** Other people's domains whose mail is kept here while their own server is away. */
export const backupMx = option({
  key: "backupMx",
  schema: z
    .record(
      domainText("is not a domain name; write the domain whose mail is to be kept, such as friend.example"),
      domainText("is not a host name; write the domain's own mail server, such as mail.friend.example").meta({
        description: "The domain's own mail server.",
        examples: ["mail.friend.example"],
      }),
    )
    .default({})
    .meta({
      description:
        "Domains of others whose mail this host keeps while their own server is away, each with that server's name. It is asked which recipients exist.",
      examples: [{ "friend.example": "mail.friend.example" }],
    }),
  agree(servers, { hostname, domains }, report) {
    for (const [domain, server] of Object.entries(servers)) {
      if (domains.some(({ name }) => name === domain) || domain === hostname)
        report([domain], "is a domain of this host; take it out: its mail is delivered here");
      if (server === hostname)
        report([domain], "has this host itself as its server; write the domain's own mail server");
    }
  },
});
