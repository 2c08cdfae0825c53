/** `mailhost init`: the first stack file, from a few questions, and what the accounts say to it. */
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import { stringify } from "yaml";
import { preflightHeading, runPreflight } from "../check/preflight/run.ts";
import { report } from "../check/report.ts";
import { stackAsItIs } from "../check/stack.ts";
import { type CloudPaths, writeWhole } from "../local/paths.ts";
import { exits, say } from "../local/terminal.ts";
import { dayOf } from "../plan/plan.ts";
import { SettingsError } from "../settings/mistakes.ts";
import { domainName } from "../settings/names.ts";
import { exitCodes, Failure } from "./failure.ts";
import { placeOf, type StackOption, withExamples, withJson, withStack } from "./options.ts";
import { isWatched, question } from "./person.ts";
import type { Place } from "./stackFile/change.ts";
import { readYaml } from "./stackFile/edit.ts";
import {
  domainMistake,
  type FirstAnswers,
  firstStackFile,
  hostnameMistake,
  mailboxMistake,
  mailboxNames,
  ownerMistake,
  regionMistake,
  sshMistake,
  sshNetworks,
  zoneMistake,
} from "./stackFile/first.ts";
import { stackFileOf } from "./stackFile/path.ts";
import { configOf, judge, type Reader } from "./stackFile/settings.ts";
import { exchange } from "./stackFile/write.ts";

interface InitOptions extends StackOption {
  readonly domain?: string;
  readonly zone?: string;
  readonly hostname?: string;
  readonly mailbox?: readonly string[];
  readonly owner?: string;
  readonly sshFrom?: readonly string[];
  readonly region?: string;
  readonly check: boolean;
  readonly json: boolean;
}

export function addInitCommand(program: Command, paths: () => CloudPaths): void {
  withExamples(
    withJson(withStack(program.command("init")))
      .description(
        "writes a first stack file for a host of your own, and looks at what the accounts say to it",
      )
      .option("--domain <name>", "the mail domain to begin with")
      .option("--zone <name>", "the DNS zone that has its records, where that is not the domain itself")
      .option("--hostname <name>", "the host's own name (default: mail. and the zone)")
      .option("--mailbox <name...>", "mailboxes, by the name before the @")
      .option("--owner <address>", "who gets the machine's own mail (default: the first mailbox)")
      .option(
        "--ssh-from <network...>",
        "who reaches port 22 (default: this machine, as the internet sees it)",
      )
      .option("--region <name>", "AWS region (default: $AWS_REGION, else eu-central-1)")
      .option("--no-check", "asks no account whether it will do"),
    "mailhost init --stack home",
    "mailhost init --stack home --domain test.example.org --zone example.org --mailbox ann --ssh-from 203.0.113.7/32",
  ).action(exits(async (options: InitOptions) => init(placeOf(paths, options.stack), options)));
}

async function init(place: Place, options: InitOptions): Promise<number> {
  const path = stackFileOf(place);
  const name = basename(path);
  const before = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  const kept = before === undefined ? "" : keptOf(before, name, place.stack);
  const answers = await answersFrom(options);
  const text = firstStackFile(answers, kept);
  const reader: Reader = {
    stack: place.stack,
    name,
    environment: process.env,
    engine: () => place.engine(),
  };
  const { mistakes } = await judge(text, reader);
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  if (before === undefined) writeWhole(path, text, 0o644);
  else exchange(path, before, text);
  const results = options.check ? await preflight(place, text, reader) : [];
  if (options.json) say(JSON.stringify({ stack: place.stack, file: name, check: results }, undefined, 2));
  else {
    say(`${name} is written. Read it, and change what you like.`);
    if (options.check) {
      say(
        `\n${preflightHeading({ stack: place.stack })}\n\n${report(results, process.stdout.isTTY && !process.env.NO_COLOR)}`,
      );
    }
    for (const line of nextSteps(place.stack, kept !== "", options.check)) say(line);
  }
  return results.every(({ right }) => right) ? exitCodes.done : exitCodes.refused;
}

/** What `pulumi stack init` writes, a line each. */
const pulumisOwn = /^(encryptionsalt|encryptedkey|secretsprovider): \S+$|^(config: \{\})?$/;

/** What an existing file has of Pulumi's own. @throws Failure where it has anything else */
function keptOf(text: string, name: string, stack: string): string {
  const top = (readYaml(text, name).toJS() ?? {}) as Readonly<Record<string, unknown>>;
  const { config, ...own } = top;
  const written = Object.keys((config ?? {}) as object);
  // Who names none gets the local cloud's, and the names of the examples come to mind first.
  const another = `For a stack of your own: npx mailhost init --stack ${stack === "home" ? "NAME" : "home"}`;
  if (written.length > 0) {
    throw new Failure(
      `${name} is there, and has ${written.slice(0, 3).join(", ")} in it already. ${another}; to look at this one: npx mailhost check --stack ${stack}`,
    );
  }
  const foreign = text.split(/\r?\n/).findIndex((line) => !pulumisOwn.test(line.trimEnd()));
  if (foreign >= 0) {
    throw new Failure(
      `${name} is there, and its line ${foreign + 1} is none that pulumi stack init has written: it would be lost. Move the file away. ${another}`,
    );
  }
  return Object.keys(own).length === 0 ? "" : stringify(own, { lineWidth: 0 });
}

/** Options first, then questions; where nobody can be asked, each that is missing is named. */
async function answersFrom(options: InitOptions): Promise<FirstAnswers> {
  const missing: string[] = [];
  const ask = async (
    option: string,
    given: string | undefined,
    words: string,
    usual?: string,
    mistakeIn: (answer: string) => string | undefined = () => undefined,
  ) => {
    if (given !== undefined) {
      const mistake = mistakeIn(given);
      if (mistake !== undefined) throw new Failure(`${option}: ${mistake}.`);
      return given;
    }
    if (!isWatched()) {
      if (usual === undefined) missing.push(option);
      return usual ?? "";
    }
    for (;;) {
      const answer = (await question(`${words}${usual === undefined ? "" : ` [${usual}]`}: `)) || usual;
      const mistake = answer && mistakeIn(answer);
      if (answer && !mistake) return answer;
      if (mistake) console.error(`${mistake}.`);
    }
  };
  const domain = await ask(
    "--domain",
    options.domain,
    "The mail domain to begin with, such as test.example.org",
    undefined,
    domainMistake,
  );
  const zone =
    isWatched() || options.zone !== undefined
      ? await ask("--zone", options.zone, "The DNS zone that has its records", domain, (answer) =>
          zoneMistake(answer, domain),
        )
      : options.zone;
  const names = await ask(
    "--mailbox",
    options.mailbox?.join(" "),
    "Mailboxes, by the names before the @",
    "ann",
    // Without a domain there is more to be said first.
    (answer) => (domain === "" ? undefined : mailboxMistake(answer, domain, options.stack)),
  );
  const mailboxes = mailboxNames(names);
  const hostname = await ask(
    "--hostname",
    options.hostname,
    "The host's own name",
    `mail.${zone ?? domain}`,
    (answer) => hostnameMistake(answer, domain),
  );
  const owner = await ask(
    "--owner",
    options.owner,
    "Who gets the machine's own mail",
    `${mailboxes[0]}@${domain}`,
    ownerMistake,
  );
  const seen = options.sshFrom === undefined ? await seenAs() : undefined;
  const from = await ask(
    "--ssh-from",
    options.sshFrom?.join(" "),
    "Networks that reach port 22",
    seen,
    sshMistake,
  );
  const usualRegion = process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || "eu-central-1";
  const region = await ask("--region", options.region, "AWS region", usualRegion, regionMistake);
  if (missing.length > 0)
    throw new Failure(`Nobody can be asked here. Add: ${missing.join(", ")}`, exitCodes.usage);
  return {
    region,
    hostname,
    owner,
    sshFrom: sshNetworks(from),
    domain,
    ...(zone !== undefined && domainName(zone) !== domainName(domain) && { zone }),
    since: dayOf(new Date()),
    mailboxes,
  };
}

/** This machine's network as the internet sees it; undefined where that cannot be asked. */
async function seenAs(): Promise<string | undefined> {
  try {
    const answer = await fetch("https://checkip.amazonaws.com", { signal: AbortSignal.timeout(5000) });
    const address = (await answer.text()).trim();
    return answer.ok && /^\d+(\.\d+){3}$/.test(address) ? `${address}/32` : undefined;
  } catch {
    return undefined;
  }
}

/** As the check looks before the first `up`; there need be no stack yet, for the file says it all. */
async function preflight(place: Place, text: string, reader: Reader) {
  const config = JSON.stringify(await configOf(text, reader));
  const found = await stackAsItIs(place.stack, {
    pulumi: async ([command]) => (command === "config" ? config : "{}"),
    environment: reader.environment,
    resolver: "1.1.1.1",
    trustedCas: [],
  });
  return found.kind === "none yet" ? await runPreflight(found.target) : [];
}

/**
 * @param isThere whether Pulumi has the stack already
 * @param isChecked whether the accounts were asked
 */
function nextSteps(stack: string, isThere: boolean, isChecked: boolean): readonly string[] {
  const told = isChecked
    ? "again, when you have mended what is wrong above"
    : "will the accounts give what it needs?";
  return [
    "",
    "Next:",
    "  npx pulumi login                              where Pulumi keeps its state (docs/deploying.md)",
    ...(isThere ? [] : [`  npx pulumi stack init ${stack.padEnd(24)}once`]),
    `  npm run check -- --stack ${stack.padEnd(21)}${told}`,
    `  npx pulumi up --stack ${stack}`,
  ];
}
