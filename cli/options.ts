/** What several commands take. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type CloudPaths, checkout, defaultStack } from "../local/paths.ts";
import type { Engine } from "./engine.ts";
import type { Place, Reach } from "./stackFile/change.ts";

/** The folder that a person is in; the program itself goes to its checkout. */
export const calledFrom = process.cwd();

export interface StackOption {
  readonly stack: string;
}

/** Which stack; `MAILHOST_STACK` says it for a whole session. */
export function withStack(command: Command): Command {
  return command.addOption(
    new Option("--stack <name>", "which stack")
      .default(defaultStack)
      .env("MAILHOST_STACK")
      .argParser((name) => {
        // Of Pulumi's own names, before which an organisation and a project may stand.
        if (/^[\w./-]{1,100}$/.test(name)) return name;
        throw new InvalidArgumentError(
          `${JSON.stringify(name)} is no name of a stack; write letters, digits and - _ . alone, such as home`,
        );
      }),
  );
}

export function withJson(command: Command): Command {
  return command.option("--json", "for programs", false);
}

/** Of each command that changes the stack file. */
export function withReach(command: Command): Command {
  return withJson(withStack(command))
    .option("--yes", "writes the file and brings it up, without asking", false)
    .addOption(new Option("--file-only", "writes the file, and does no more").default(false).conflicts("yes"))
    .addOption(
      new Option("--dry-run", "shows what would change, and changes nothing")
        .default(false)
        .conflicts(["yes", "fileOnly"]),
    );
}

/** Below a command's help: how it is typed. */
export function withExamples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText(
    "after",
    `\n${lines.length === 1 ? "Example" : "Examples"}:\n${lines.map((line) => `  ${line}`).join("\n")}`,
  );
}

export type ReachOptions = StackOption & Reach;

/** Where a command works; its engine is started once, and only where something asks it. */
export function placeOf(paths: () => CloudPaths, stack: string): Place {
  let engine: Promise<Engine> | undefined;
  return {
    stack,
    folder: checkout,
    engine: () => {
      engine ??= import("./engine.ts").then(({ engineOf }) => engineOf(paths(), stack));
      return engine;
    },
  };
}
