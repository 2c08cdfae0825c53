import { z } from "zod";
import { bundle, plainFile, unit } from "../plan/bundle.ts";
import { rspamdJudge } from "../plan/services/rspamd.ts";
import { option } from "./option.ts";

const clamd = "/etc/clamav/clamd.conf";
const freshclam = "/etc/clamav/freshclam.conf";
const rule = "/etc/rspamd/local.d/antivirus.conf";
const path = "/etc/systemd/system/mailhost-signatures.path";
const updates = "/etc/apt/apt.conf.d/53mailhost-clamav";
const dropIn = (name: string) => `/etc/systemd/system/${name}.d/mailhost.conf`;

/**
 * EC2's types of up to 2 GiB of memory (its guide to instance types; of the medium ones, those made for computing).
 * ClamAV's makers ask for 3 (docs.clamav.net, "Recommended System Requirements").
 */
const tooSmall = /\.(nano|micro|small)$|^(a1|c\d+\w*)\.medium$/;

/** Viruses that ClamAV knows are refused, coming in and going out. */
export const clamav = option({
  key: "clamav",
  schema: z
    .boolean()
    .default(false)
    .meta({
      description:
        "Whether ClamAV looks into mail, incoming and outgoing, and what it knows as a virus is refused. It takes some 1.3 GB of memory, twice that while new signatures are loaded, and a machine of 4 GB.",
      examples: [true],
      synonyms: ["antivirus"],
    }),
  agree(isOn, { server }, report) {
    if (isOn && tooSmall.test(server.instanceType)) {
      const [family, size] = server.instanceType.split(".");
      const larger = `${family}.${size === "medium" ? "large" : "medium"}`;
      report(
        [],
        `needs a machine of 4 GB, and a ${server.instanceType} has at most 2; write mailhost:server.instanceType: ${larger}`,
      );
    }
  },
  bundles: (isOn) =>
    isOn
      ? [
          bundle({
            name: "clamav",
            why: "Looks for viruses in mail.",
            packages: ["clamav-daemon", "clamav-freshclam"],
            files: [
              plainFile(clamd),
              // Its package gives it this owner and mode at each upgrade.
              plainFile(freshclam, { owner: "clamav", group: "adm", mode: "0444" }),
              plainFile(updates),
              plainFile(path),
              ...["clamav-daemon.socket", "clamav-daemon.service", "clamav-freshclam.service"].map((name) =>
                plainFile(dropIn(name)),
              ),
              plainFile(rule),
            ],
            validate: [
              // Each reads its whole configuration before it says its version.
              `clamd --config-file=${clamd} --version`,
              `freshclam --config-file=${freshclam} --version`,
              rspamdJudge,
            ],
            units: [
              unit("mailhost-signatures.path", { restart: [path] }),
              unit("clamav-freshclam.service", { restart: [freshclam, dropIn("clamav-freshclam.service")] }),
              unit("clamav-daemon.socket", { restart: [dropIn("clamav-daemon.socket")] }),
              unit("clamav-daemon.service", { restart: [clamd, dropIn("clamav-daemon.service")] }),
              unit("rspamd.service", { reload: [rule] }),
            ],
            // Not before the firewall lets it get its signatures: it asks at its start, and then after an hour.
            after: ["rspamd", "egress"],
          }),
        ]
      : [],
});
