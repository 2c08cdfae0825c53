import { addressParts } from "../../settings/names.ts";
import { insideItem } from "../inside.ts";
import { right } from "../types.ts";

/** Mail of mailboxes that the stack file has no more: whoever removed one is to know that it is still there. */
export const removed = insideItem("removed", "/usr/local/lib/mailhost/removed", (output) =>
  output
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [since, address = ""] = line.split(/\s+/);
      const { local, domain } = addressParts(address);
      return right(
        `the mail of ${address}, which was removed${since === "unknown" ? "" : ` on ${since}`}, is kept on the host, in /srv/mail/${domain}/${local}`,
      );
    }),
);
