import { z } from "zod";
import { hostName } from "../settings/hostName.ts";
import { option } from "./option.ts";

/** A server of yours or a friend's that takes our domains' mail while this host does not, and keeps it for later. */
export const secondMx = option({
  key: "secondMx",
  schema: z
    .array(hostName("write the other server's, such as mx2.example.net"))
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
