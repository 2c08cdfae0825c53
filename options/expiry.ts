import { z } from "zod";
import { bundle } from "../plan/bundle.ts";
import { nightly } from "../plan/nightly.ts";
import { option } from "./option.ts";

const days = (folder: string) =>
  z
    .int()
    .min(0)
    .max(3650)
    .default(30)
    .meta({
      description: `Days after which a message is deleted from ${folder}, from the day that it came there. 0: never.`,
      examples: [90, 0],
    });

/**
 * Trash and Junk empty themselves. A timer does it and not Dovecot's own `autoexpunge`: that one runs when a user's
 * session ends, so it would never come to the mailbox that nobody opens, and would hold up those that somebody does.
 *
 * `savedbefore` (doveadm-search-query(7)) is the day that a message came into the folder. Who moves a whole folder into
 * Trash moves no message: that day is not known there, so folders below these two are left alone.
 */
export const expiry = option({
  key: "expiry",
  schema: z
    .strictObject({ trash: days("Trash"), junk: days("Junk") })
    .prefault({})
    .meta({
      description: "When Trash and Junk empty themselves, each night.",
      examples: [{ trash: 90, junk: 14 }, { trash: 0 }],
      synonyms: ["autoexpunge"],
    }),
  bundles({ trash, junk }) {
    const folders = [
      { name: "Trash", days: trash },
      { name: "Junk", days: junk },
    ].filter((folder) => folder.days > 0);
    return folders.length === 0
      ? []
      : [
          bundle({
            name: "expiry",
            why: "Empties Trash and Junk of what has been there for long.",
            ...nightly({
              name: "expiry",
              what: "Empties Trash and Junk of what has been there for long",
              why: "Counted from the day that a message came into the folder; folders below these are left alone.",
              at: "02:00",
              commands: folders.map(
                (folder) => `doveadm expunge -A mailbox ${folder.name} savedbefore ${folder.days}d`,
              ),
            }),
            after: ["dovecot"],
          }),
        ];
  },
});
