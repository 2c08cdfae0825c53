/** The first stack file of somebody's own. */
import { regionMistakes } from "../../plan/refusals.ts";
import { addressParts, domainName, emailAddress, liesIn } from "../../settings/names.ts";
import { alone, isAddress, networkMistake, wholeInternet } from "../../settings/networks.ts";
import { mailhostCommand } from "../engineWords.ts";
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

/** What is wrong with an answer as a mail domain, if anything. */
export function domainMistake(answer: string): string | undefined {
  return domainName(answer) === undefined
    ? `${answer} is no domain name; write one such as test.example.org`
    : undefined;
}

/** What is wrong with an answer as the zone that has a domain's records, if anything. */
export function zoneMistake(answer: string, domain: string): string | undefined {
  const [zone, name] = [domainName(answer), domainName(domain)];
  if (zone === undefined) return domainMistake(answer);
  return name === undefined || liesIn(name, zone)
    ? undefined
    : `${answer} does not hold ${domain}; write the zone that ends its name`;
}

/** What is wrong with an answer as the host's own name, if anything. */
export function hostnameMistake(answer: string, domain: string): string | undefined {
  const name = domainName(answer);
  if (name === undefined) return domainMistake(answer);
  return name === domainName(domain)
    ? `${answer} is the mail domain itself; write a name of its own, such as mail.${domain}`
    : undefined;
}

/** What is wrong with an answer as who gets the machine's mail, if anything. */
export function ownerMistake(answer: string): string | undefined {
  return emailAddress(answer) === undefined
    ? `${answer} is no mail address; write one such as ann@example.org`
    : undefined;
}

/** What is wrong with an answer as an AWS region, if anything. */
export function regionMistake(answer: string): string | undefined {
  const [mistake] = regionMistakes(answer);
  return mistake && `${answer} ${mistake.message}`;
}

/** Names before the `@`, of names or whole addresses. */
export function mailboxNames(answer: string): readonly string[] {
  return wordsOf(answer).map((name) => (name.includes("@") ? addressParts(name).local : name));
}

/** What is wrong with an answer as mailboxes of the domain, if anything. */
export function mailboxMistake(answer: string, domain: string, stack: string): string | undefined {
  const names = wordsOf(answer);
  if (names.length === 0) return "name one mailbox or more, such as ann";
  const stranger = names.find(
    (name) => name.includes("@") && domainName(addressParts(name).domain) !== domainName(domain),
  );
  return (
    stranger &&
    `${stranger} is not in ${domain}; write the names before its @, and add other domains when the file is there: ${mailhostCommand(stack, "domain add NAME")}`
  );
}

/** Networks, where a lone address is its own. */
export function sshNetworks(answer: string): readonly string[] {
  return wordsOf(answer).map((word) => (isAddress(word) ? alone(word) : word));
}

/** What is wrong with an answer as networks that reach port 22, if anything. */
export function sshMistake(answer: string): string | undefined {
  const networks = sshNetworks(answer);
  if (networks.length === 0) return `write a network such as 203.0.113.7/32, or ${wholeInternet}`;
  const [mistake] = networks.flatMap((network) => {
    const mistake = network === wholeInternet ? undefined : networkMistake(network);
    return mistake === undefined ? [] : [`${network} ${mistake}`];
  });
  return mistake;
}

function wordsOf(answer: string): readonly string[] {
  return answer.split(/[\s,]+/).filter((word) => word !== "");
}

/**
 * The file, with a comment for each line that somebody may want to change.
 * @param kept lines that `pulumi stack init` has written, by which it knows how to encrypt
 */
export function firstStackFile(answers: FirstAnswers, kept: string): string {
  const { region, hostname, owner, sshFrom, domain, zone, since, mailboxes } = answers;
  const from = sshFrom.includes(wholeInternet) ? wholeInternet : `[${sshFrom.map(scalarText).join(", ")}]`;
  const lines = [
    "# yaml-language-server: $schema=docs/stack.schema.json",
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
    `      since: ${scalarText(since)}`,
    ...(zone === undefined
      ? []
      : ["      # The DNS zone that has its records.", `      zone: ${scalarText(zone)}`]),
    "      # Each with a generated password unless you say another.",
    "      mailboxes:",
    ...mailboxes.map((name) => `        ${scalarText(name)}: {}`),
  ];
  return `${lines.join("\n")}\n${kept === "" ? "" : `\n${kept.trim()}\n`}`;
}
