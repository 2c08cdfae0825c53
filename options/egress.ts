import { z } from "zod";
import { bundle, file, plainFile, unit } from "../plan/bundle.ts";
import { hostExits } from "../plan/egress.ts";
import { option } from "./option.ts";

const table = "/etc/mailhost/egress.nft";
const service = "/etc/systemd/system/mailhost-egress.service";

/** Whoever breaks into a service finds no way out to where that service has no business. */
export const egress = option({
  key: "egress",
  schema: z
    .enum(["open", "restricted"])
    .default("open")
    .meta({
      description:
        "Where the host's own connections may go: `open`, everywhere; `restricted`, where its services need to, each as its own user, and root.",
      examples: ["restricted"],
    }),
  bundles(_value, settings) {
    const exits = hostExits(settings);
    return exits === undefined
      ? []
      : [
          bundle({
            name: "egress",
            why: "Lets out what the services need, and nothing else.",
            packages: ["nftables"],
            files: [
              file(
                table,
                {
                  exits: exits.map(({ protocol, ports, users, why }) => ({
                    protocol,
                    why,
                    ports: ports.join(", "),
                    users: ["root", ...users].join(", "),
                  })),
                },
                { mode: "0755" },
              ),
              plainFile(service),
            ],
            validate: [`nft -c -f ${table}`],
            units: [unit("mailhost-egress.service", { restart: [table, service] })],
            // Its rules name their users.
            after: ["base", "postfix", "rspamd", "unbound"],
          }),
        ];
  },
});
