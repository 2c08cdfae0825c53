import { z } from "zod";
import { bundle, plainFile, unit } from "../plan/bundle.ts";
import { dovecotJudge } from "../plan/services/dovecot.ts";
import { option } from "./option.ts";

const conf = "/etc/dovecot/mailhost.d/shared-folders.conf";

/** Folders that one mailbox lets another see (IMAP ACL, RFC 4314), as its owner says in a mail program. */
export const sharedFolders = option({
  key: "sharedFolders",
  schema: z
    .boolean()
    .default(false)
    .meta({
      description:
        "Whether a user can let other mailboxes of this host read or change a folder, from a mail program that knows IMAP's access rights. What is shared shows under Shared.",
      examples: [true],
      synonyms: ["acl"],
    }),
  bundles: (isOn) =>
    isOn
      ? [
          bundle({
            name: "shared-folders",
            why: "Lets users share folders with each other.",
            files: [plainFile(conf)],
            validate: [dovecotJudge],
            // A plugin's settings mean something to Dovecot only when it starts with it.
            units: [unit("dovecot.service", { restart: [conf] })],
            after: ["dovecot"],
          }),
        ]
      : [],
});
