/** `mailhost domain`: the mail domains of the stack file. */
import type { Command } from "commander";
import type { CloudPaths } from "../local/paths.ts";
import { exits, say } from "../local/terminal.ts";
import { dayOf } from "../plan/plan.ts";
import { onlyByName } from "./atStake.ts";
import {
  placeOf,
  type ReachOptions,
  type StackOption,
  withExamples,
  withJson,
  withReach,
  withStack,
} from "./options.ts";
import { changeStack, settingsAt } from "./stackFile/change.ts";
import { addDomain, mailboxesOf, removeDomain } from "./stackFile/domains.ts";
import { tableLines } from "./table.ts";

interface AddOptions extends ReachOptions {
  readonly zone?: string;
  readonly since?: string;
}

export function addDomainCommands(program: Command, paths: () => CloudPaths): void {
  const domain = program.command("domain").description("the mail domains of the stack file");

  withExamples(
    withReach(domain.command("add"))
      .description("a mail domain more; its mail comes here with the next up")
      .argument("<name>", "the domain")
      .option("--zone <name>", "the DNS zone that it is in, where that is not the domain itself")
      .option("--since <day>", "the day it comes here (default: today)"),
    "mailhost domain add example.net",
    "mailhost domain add test.example.org --zone example.org --file-only",
  ).action(
    exits(async (name: string, options: AddOptions) => {
      const { stack, zone, since = dayOf(new Date()) } = options;
      return await changeStack(placeOf(paths, stack), options, async (file) => ({
        text: addDomain(file, name, since, zone),
        what: `adds the mail domain ${name}`,
        next: [`A mailbox in it: mailhost mailbox add ann@${name}`],
      }));
    }),
  );

  withExamples(
    withReach(domain.command("remove"))
      .description("takes a mail domain out, with its mailboxes, aliases and DNS records")
      .argument("<name>", "the domain")
      .option("--confirm <name>", "the domain again, where the host has mail of it and nobody can be asked"),
    "mailhost domain remove example.net",
  ).action(
    exits(async (name: string, options: ReachOptions & { readonly confirm?: string }) => {
      const place = placeOf(paths, options.stack);
      return await changeStack(place, options, async (file, settings) => {
        const text = removeDomain(file, name);
        if (!options.dryRun) {
          await onlyByName(place, settings, name, mailboxesOf(file, name), options.confirm);
        }
        return { text, what: `removes the mail domain ${name}` };
      });
    }),
  );

  withExamples(
    withJson(withStack(domain.command("list"))).description("all of them"),
    "mailhost domain list",
  ).action(
    exits(async ({ stack, json }: StackOption & { readonly json: boolean }) => {
      const { domains } = await settingsAt(placeOf(paths, stack));
      const shown = domains.map(({ name, zone, since, mailboxes, aliases, dmarc }) => ({
        name,
        zone,
        since,
        mailboxes: mailboxes.length,
        aliases: aliases.length,
        dmarc: dmarc.policy,
      }));
      if (json) {
        say(JSON.stringify(shown, undefined, 2));
        return 0;
      }
      const rows = shown.map(({ name, zone, since, mailboxes, aliases, dmarc }) => [
        name,
        zone === name ? "" : `in ${zone}`,
        `since ${since}`,
        `mailboxes: ${mailboxes}`,
        `aliases: ${aliases}`,
        `DMARC: ${dmarc}`,
      ]);
      for (const line of tableLines(rows)) say(line);
      return 0;
    }),
  );
}
