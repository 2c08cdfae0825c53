/** Commands that mailboxes, aliases and domains have alike. */
import type { Command } from "commander";
import type { CloudPaths } from "../local/paths.ts";
import { exits, say } from "../local/terminal.ts";
import type { Settings } from "../settings/types.ts";
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
import { changeStack, type Place, settingsAt } from "./stackFile/change.ts";
import type { StackText } from "./stackFile/domains.ts";
import { tableLines } from "./table.ts";

export interface Removal {
  readonly description: string;
  /** Of what is named: `address`, and what that means. */
  readonly argument: string;
  readonly means: string;
  readonly example: string;
  /** In words: `removes the mailbox ann@example.org`. */
  readonly what: (name: string) => string;
  /** @returns the stack file without it. @throws Failure where it is not there */
  readonly remove: (file: StackText, name: string) => StackText;
  /** Whose mail nobody could read any more. */
  readonly mailboxesOf: (file: StackText, name: string) => readonly string[];
}

/** `remove`: only by name where mail is at stake. */
export function addRemoveCommand(parent: Command, paths: () => CloudPaths, removal: Removal): void {
  const { argument, means } = removal;
  withExamples(
    withReach(parent.command("remove"))
      .description(removal.description)
      .argument(`<${argument}>`, means)
      .option(
        `--confirm <${argument}>`,
        `the ${argument} again, where the host has mail of it and nobody can be asked`,
      ),
    removal.example,
  ).action(
    exits(async (name: string, options: ReachOptions & { readonly confirm?: string }) => {
      const place = placeOf(paths, options.stack);
      return await changeStack(place, options, async (file, settings) => {
        const text = removal.remove(file, name);
        if (!options.dryRun)
          await onlyByName(place, settings, name, removal.mailboxesOf(file, name), options.confirm);
        return { text, what: removal.what(name) };
      });
    }),
  );
}

export interface Listing<Item> {
  readonly description: string;
  readonly example: string;
  /** What there is, as `--json` tells it. */
  readonly all: (settings: Settings, place: Place) => readonly Item[];
  /** The same as a row of a table. */
  readonly row: (item: Item) => readonly string[];
}

/** `list`: what the stack file says. */
export function addListCommand<Item>(
  parent: Command,
  paths: () => CloudPaths,
  { description, example, all, row }: Listing<Item>,
): void {
  withExamples(withJson(withStack(parent.command("list"))).description(description), example).action(
    exits(async ({ stack, json }: StackOption & { readonly json: boolean }) => {
      const place = placeOf(paths, stack);
      const items = all(await settingsAt(place), place);
      if (json) say(JSON.stringify(items, undefined, 2));
      else for (const line of tableLines(items.map(row))) say(line);
      return 0;
    }),
  );
}
