/** `mailhost domain`: the mail domains of the stack file. */
import type { Command } from "commander";
import type { CloudPaths } from "../local/paths.ts";
import { exits } from "../local/terminal.ts";
import { dayOf } from "../plan/plan.ts";
import { addListCommand, addRemoveCommand } from "./alike.ts";
import { mailhostCommand } from "./engineWords.ts";
import { placeOf, type ReachOptions, withExamples, withReach } from "./options.ts";
import { changeStack } from "./stackFile/change.ts";
import { addDomain, mailboxesOf, removeDomain } from "./stackFile/domains.ts";

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
        next: [`A mailbox in it: ${mailhostCommand(stack, `mailbox add ann@${name}`)}`],
      }));
    }),
  );

  addRemoveCommand(domain, paths, {
    description: "takes a mail domain out, with its mailboxes, aliases and DNS records",
    argument: "name",
    means: "the domain",
    example: "mailhost domain remove example.net",
    what: (name) => `removes the mail domain ${name}`,
    remove: removeDomain,
    mailboxesOf,
  });

  addListCommand(domain, paths, {
    description: "all of them",
    example: "mailhost domain list",
    all: ({ domains }) =>
      domains.map(({ name, zone, since, mailboxes, aliases, dmarc }) => ({
        name,
        zone,
        since,
        mailboxes: mailboxes.length,
        aliases: aliases.length,
        dmarc: dmarc.policy,
      })),
    row: ({ name, zone, since, mailboxes, aliases, dmarc }) => [
      name,
      zone === name ? "" : `in ${zone}`,
      `since ${since}`,
      `mailboxes: ${mailboxes}`,
      `aliases: ${aliases}`,
      `DMARC: ${dmarc}`,
    ],
  });
}
