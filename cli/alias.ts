/** `mailhost alias`: the aliases of the stack file. */
import type { Command } from "commander";
import type { CloudPaths } from "../local/paths.ts";
import { exits } from "../local/terminal.ts";
import { addListCommand } from "./alike.ts";
import { placeOf, type ReachOptions, withExamples, withReach } from "./options.ts";
import { changeStack } from "./stackFile/change.ts";
import { addAlias, removeAlias } from "./stackFile/domains.ts";

export function addAliasCommands(program: Command, paths: () => CloudPaths): void {
  const alias = program
    .command("alias")
    .description("the addresses of the stack file whose mail is passed on");

  withExamples(
    withReach(alias.command("add"))
      .description("an alias more, or more addresses that one leads to")
      .argument("<address>", "its whole address")
      .argument("<to...>", "whom its mail goes to: addresses, or names of the same domain"),
    "mailhost alias add info@example.org ann bob@example.com",
  ).action(
    exits(async (address: string, to: string[], options: ReachOptions) =>
      changeStack(placeOf(paths, options.stack), options, async (file) => ({
        text: addAlias(file, address, to),
        what: `passes mail for ${address} on to ${to.join(", ")}`,
      })),
    ),
  );

  withExamples(
    withReach(alias.command("remove"))
      .description("takes an alias out, or some of the addresses that it leads to")
      .argument("<address>", "its whole address")
      .argument("[to...]", "only these; without any, the whole alias"),
    "mailhost alias remove info@example.org",
    "mailhost alias remove info@example.org bob@example.com",
  ).action(
    exits(async (address: string, to: string[], options: ReachOptions) =>
      changeStack(placeOf(paths, options.stack), options, async (file) => ({
        text: removeAlias(file, address, to),
        what:
          to.length === 0
            ? `removes the alias ${address}`
            : `passes mail for ${address} no longer on to ${to.join(", ")}`,
      })),
    ),
  );

  addListCommand(alias, paths, {
    description: "all of them, catch-alls too",
    example: "mailhost alias list",
    all: ({ domains }) =>
      domains.flatMap(({ name, aliases, catchAll }) => [
        ...aliases,
        ...(catchAll === undefined ? [] : [{ address: `*@${name}`, to: [catchAll] }]),
      ]),
    row: ({ address, to }) => [address, to.join(", ")],
  });
}
