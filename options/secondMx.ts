import { z } from "zod";
import { domainName } from "../settings/names.ts";
import { option } from "./option.ts";

const hostName = z
  .string()
  .refine((value) => domainName(value) !== undefined, {
    message: "is not a host name; write the other server's, such as mx2.example.net",
  })
  .transform((value) => domainName(value) ?? value);

/** A server of yours or a friend's that takes our domains' mail while this host does not, and keeps it for later. */
export const secondMx = option({
  key: "secondMx",
  schema: z
    .array(hostName)
    .default([])
    .meta({
      description:
        "Other hosts that take mail for all domains while this one is away, the likeliest first. They must know which recipients exist here.",
      examples: [["mx2.example.net"]],
    }),
  agree(hosts, { hostname }, report) {
    for (const [index, host] of hosts.entries()) {
      if (host === hostname) report([index], "is this host itself; write another one's name");
      else if (hosts.indexOf(host) < index) report([index], "is named twice; write it once");
    }
  },
});
