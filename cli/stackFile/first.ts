/** The first stack file of somebody's own. */
import { wholeInternet } from "../../settings/networks.ts";
import { scalarText } from "./edit.ts";

/** What has to be said of a host; everything else has a default. */
export interface FirstAnswers {
  readonly region: string;
  readonly hostname: string;
  readonly owner: string;
  /** Networks from which port 22 is reachable. */
  readonly sshFrom: readonly string[];
  readonly domain: string;
  /** Where the domain's records are, if not in a zone of its name. */
  readonly zone?: string;
  readonly since: string;
  /** Names before the `@`. */
  readonly mailboxes: readonly string[];
}

/**
 * The file, with a comment for each line that somebody may want to change.
 * @param kept lines that `pulumi stack init` has written, by which it knows how to encrypt
 */
export function firstStackFile(answers: FirstAnswers, kept: string): string {
  const { region, hostname, owner, sshFrom, domain, zone, since, mailboxes } = answers;
  const from = sshFrom.includes(wholeInternet) ? wholeInternet : `[${sshFrom.map(scalarText).join(", ")}]`;
  const lines = [
    "# A mail host: README.md explains each part, docs/settings.md lists every setting and its default.",
    "# Change it, look at what that does with `npx pulumi preview --diff`, and make it so with `npx pulumi up`.",
    "config:",
    "  # Where the machine is.",
    `  aws:region: ${scalarText(region)}`,
    "",
    "  # The host's own name: HELO, PTR, certificate, where MX points. No mail domain itself.",
    `  mailhost:hostname: ${scalarText(hostname)}`,
    "  # Who gets the machine's own mail, and what is sent to postmaster@ and abuse@.",
    `  mailhost:owner: ${scalarText(owner)}`,
    "  # Networks that reach port 22, the one that you run `pulumi up` in among them: curl https://checkip.amazonaws.com",
    "  mailhost:ssh:",
    `    from: ${from}`,
    "",
    "  mailhost:domains:",
    `    ${scalarText(domain)}:`,
    "      # The day it came here; it becomes part of the DKIM selectors, so it stays.",
    `      since: ${since}`,
    ...(zone === undefined
      ? []
      : ["      # The DNS zone that has its records.", `      zone: ${scalarText(zone)}`]),
    "      # Each with a generated password unless you say another.",
    "      mailboxes:",
    ...mailboxes.map((name) => `        ${scalarText(name)}: {}`),
  ];
  return `${lines.join("\n")}\n${kept === "" ? "" : `\n${kept.trim()}\n`}`;
}
