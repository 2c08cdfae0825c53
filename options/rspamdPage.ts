import { z } from "zod";
import { bundle, secretFile, unit } from "../plan/bundle.ts";
import { RSPAMD_PAGE_PASSWORD } from "../plan/rspamdPage.ts";
import { rspamdJudge } from "../plan/services/rspamd.ts";
import { render } from "../plan/template.ts";
import { option } from "./option.ts";

const file = "/etc/rspamd/override.d/worker-controller.inc";

/**
 * rspamd's own page: statistics, history, training. It listens on the host's inside alone and is reached through SSH; its
 * password keeps other programs of the host out, and those of the machine that the tunnel ends on.
 */
export const rspamdPage = option({
  key: "rspamdPage",
  schema: z
    .boolean()
    .default(false)
    .meta({
      description:
        "Whether rspamd's own page (statistics, history, training) can be reached, through SSH and with a generated password. No port is opened.",
      examples: [true],
    }),
  bundles: (isOn) =>
    isOn
      ? [
          bundle({
            name: "rspamd-page",
            why: "Shows rspamd's own page to who comes through SSH.",
            secretFiles: [
              secretFile(
                file,
                ["generated"],
                ({ generated }) => render(file.slice(1), { password: generated[RSPAMD_PAGE_PASSWORD] ?? "" }),
                { owner: "root", group: "_rspamd", mode: "0640" },
              ),
            ],
            validate: [rspamdJudge],
            // A worker's sockets are made when it starts.
            units: [unit("rspamd.service", { restart: [file] })],
            generates: [RSPAMD_PAGE_PASSWORD],
            after: ["rspamd"],
          }),
        ]
      : [],
});
