import { reverseName } from "../../dns/client.ts";
import type { HostUnderCheck } from "../host.ts";
import { insideItem } from "../inside.ts";
import { type Finding, leftOut, right, wrong } from "../types.ts";

/** A list of addresses or domains that large receivers ask whether to take mail (RFC 5782). */
interface Blocklist {
  readonly zone: string;
  readonly of: "addresses" | "domains";
  /** What it always lists, so that whoever asks can tell silence from a no. */
  readonly test: string;
  /** Where a person asks to be taken off. */
  readonly page: string;
}

const test = "2.0.0.127";
const blocklists: readonly Blocklist[] = [
  { zone: "zen.spamhaus.org", of: "addresses", test, page: "https://check.spamhaus.org/" },
  { zone: "bl.spamcop.net", of: "addresses", test, page: "https://www.spamcop.net/bl.shtml" },
  { zone: "dbl.spamhaus.org", of: "domains", test: "dbltest.com", page: "https://check.spamhaus.org/" },
];

/** Asked on the host: the lists refuse the large resolvers that many people ask. */
export const listed = insideItem(
  "listed",
  (host) => {
    const names = blocklists.flatMap((list) =>
      [list.test, ...subjects(list, host).map(({ label }) => label)].map((label) => `${label}.${list.zone}`),
    );
    return `${names.map((name) => `(echo "${name}" $(timeout 8 getent ahostsv4 ${name}. | awk '{ print $1 }')) &`).join("\n")}\nwait`;
  },
  (output, host) => {
    const answers = new Map(
      output.split("\n").map((line): [string, readonly string[]] => {
        const [name = "", ...codes] = line.split(" ");
        // 127.255.255.*: an error of the list's, such as that it does not answer this asker.
        return [name, [...new Set(codes)].filter((code) => /^127\.(?!255\.255\.)/.test(code))];
      }),
    );
    const codesOf = (label: string, { zone }: Blocklist) => answers.get(`${label}.${zone}`) ?? [];
    const answering = blocklists.filter((list) => codesOf(list.test, list).length > 0);
    const silent = blocklists.filter((list) => !answering.includes(list));
    const found = answering.flatMap((list) =>
      subjects(list, host).flatMap(({ name, label }): Finding[] => {
        const codes = codesOf(label, list);
        return codes.length === 0
          ? []
          : [
              wrong(
                `${name} is on the blocklist ${list.zone} (${codes.join(", ")}): many servers refuse its mail`,
                `See why, mend that first, then ask to be taken off: ${list.page}`,
                { part: `${list.zone}.${name}` },
              ),
            ];
      }),
    );
    const zones = answering.map(({ zone }) => zone).join(", ");
    return [
      ...(found.length > 0 || answering.length === 0
        ? found
        : [right(`the host is on no blocklist (${zones})`)]),
      ...(silent.length > 0
        ? [
            leftOut(
              `whether the host is on the blocklist ${silent.map(({ zone }) => zone).join(", ")}: it gives the host no answer`,
            ),
          ]
        : []),
    ];
  },
);

/** What a list is asked for: the host's address, or each domain. */
function subjects(
  { of }: Blocklist,
  host: HostUnderCheck,
): readonly { readonly name: string; readonly label: string }[] {
  return of === "domains"
    ? host.domains.map(({ name }) => ({ name, label: name }))
    : [{ name: host.address, label: reverseName(host.address).replace(/\.in-addr\.arpa$/, "") }];
}
