/** `mailhost alias`: the aliases of the stack file. */
import type { Command } from "commander";
import type { CloudPaths } from "../local/paths.ts";
import { exits, say } from "../local/terminal.ts";
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
import { addAlias, removeAlias } from "./stackFile/domains.ts";
import { tableLines } from "./table.ts";

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

  withExamples(
    withJson(withStack(alias.command("list"))).description("all of them, catch-alls too"),
    "mailhost alias list",
  ).action(
    exits(async ({ stack, json }: StackOption & { readonly json: boolean }) => {
      const { domains } = await settingsAt(placeOf(paths, stack));
      const all = domains.flatMap(({ name, aliases, catchAll }) => [
        ...aliases,
        ...(catchAll === undefined ? [] : [{ address: `*@${name}`, to: [catchAll] }]),
      ]);
      if (json) say(JSON.stringify(all, undefined, 2));
      else for (const line of tableLines(all.map(({ address, to }) => [address, to.join(", ")]))) say(line);
      return 0;
    }),
  );
}
