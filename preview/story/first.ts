import { recordChanges } from "../records.ts";
import type { Preview } from "../types.ts";
import { count, name, names } from "../words.ts";
import type { Chapter } from "./chapter.ts";
import { hostChanges } from "./host.ts";

/** The first preview of a stack: all of it is new. */
export function first(preview: Preview): Chapter {
  const { changes, outputs } = preview;
  const {
    hostname,
    domains = [],
    mailboxes = {},
  } = (outputs.after ?? {}) as {
    readonly hostname?: string;
    readonly domains?: readonly string[];
    readonly mailboxes?: Readonly<Record<string, string>>;
  };
  const machine = changes.find(({ type }) => type === "aws:ec2/instance:Instance")?.after.instanceType;
  const size = changes.find(({ type }) => type === "aws:ebs/volume:Volume")?.after.size;
  const files = hostChanges(preview).flatMap((change) => change.files).length;
  return {
    risks:
      domains.length === 0
        ? []
        : [
            {
              title: `Mail for ${names(domains, 20)} comes to this host from then on`,
              text: "Where somebody else receives it today, nothing new arrives there; and whoever else sends in these names (a shop, a newsletter) fails SPF and DMARC.",
            },
          ],
    effects: [
      {
        short: `makes the mail host ${name(hostname ?? preview.stack)}`,
        text: `Makes the mail host ${name(hostname ?? preview.stack)}: there is none yet. A machine${machine === undefined ? "" : ` ${name(String(machine))}`} with an address of its own, ${size === undefined ? "a data volume" : `a data volume of ${String(size)} GiB`}, ${count(files, "file")} on it, and ${count(recordChanges(preview).length, "DNS record")}.`,
      },
      {
        short: `${count(domains.length, "domain")} and ${Object.keys(mailboxes).length === 1 ? "1 mailbox" : `${Object.keys(mailboxes).length} mailboxes`}`,
        text: `Domains: ${names(domains, 20)}. Mailboxes: ${names(Object.keys(mailboxes), 20)}.`,
      },
    ],
  };
}
