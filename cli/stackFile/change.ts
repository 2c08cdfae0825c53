/** A change of the stack file from the question to the `up`. */
import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { say } from "../../local/terminal.ts";
import { mistakeText, SettingsError } from "../../settings/mistakes.ts";
import type { Settings } from "../../settings/types.ts";
import { diffLines } from "../diff.ts";
import type { Engine } from "../engine.ts";
import { pulumiCommand } from "../engineWords.ts";
import { exitCodes, Failure } from "../failure.ts";
import { isWatched, question } from "../person.ts";
import { type Part, piecesOf, type StackText } from "./domains.ts";
import { inFolder, withParts, withStackText } from "./parts.ts";
import { needStackFile, stackFileOf } from "./path.ts";
import { brought, judge, type Reader } from "./settings.ts";
import { exchangeAll, refuseWhereOpen } from "./write.ts";

/** Where a stack is. */
export interface Place {
  readonly stack: string;
  /** Of the stack files. */
  readonly folder: string;
  /** @throws where it is the local cloud's, which does not run */
  engine(): Promise<Engine>;
}

/** How far a change goes. */
export interface Reach {
  /** To the end, and nobody is asked. */
  readonly yes: boolean;
  /** Not beyond the file. */
  readonly fileOnly: boolean;
  /** Nowhere: it is only shown. */
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** What is to be done. */
export interface Planned {
  /** What the stack says then; the same as before where it is for the `up` alone. */
  readonly text: StackText;
  /** In words: `adds the mailbox ann@example.org`. */
  readonly what: string;
  /** What the `up` is told beside. @default nothing */
  readonly upArguments?: readonly string[];
  /** What to do when it is up: lines of text. @default nothing */
  readonly next?: readonly string[];
}

/** @throws Failure where there is none; SettingsError where a file that it names cannot be read */
export function stackTextOf(place: Pick<Place, "stack" | "folder">): StackText {
  needStackFile(place);
  const { stack, folder } = place;
  const path = stackFileOf(place);
  return withParts({ text: readFileSync(path, "utf8"), name: basename(path), stack }, folder);
}

/** Who reads the texts of a stack file. */
export async function readerOf(place: Place, name: string): Promise<Reader> {
  const { environment = process.env } = (await engineIfAny(place)) ?? {};
  const textOf = inFolder(place.folder, []);
  return { stack: place.stack, name, environment, engine: () => place.engine(), textOf };
}

/** Undefined where it is the local cloud's, which does not run: what is not encrypted can be read all the same. */
async function engineIfAny(place: Place): Promise<Engine | undefined> {
  return await place.engine().catch(() => undefined);
}

/** The stack's settings as its file has them, without what is mistaken in it. */
export async function settingsAt(place: Place): Promise<Settings> {
  const { text, name } = stackTextOf(place);
  return (await judge(text, await readerOf(place, name))).settings;
}

/**
 * Makes a change: shows it, what the `up` would do, and goes on as far as it may.
 * @returns the exit code
 * @throws Failure, SettingsError where nothing was touched
 */
export async function changeStack(
  place: Place,
  reach: Reach,
  plan: (file: StackText, settings: Settings) => Promise<Planned>,
): Promise<number> {
  const file = stackTextOf(place);
  const pathOf = ({ name }: Part) => (name === file.name ? stackFileOf(place) : resolve(place.folder, name));
  if (!reach.dryRun && file.parts === undefined) refuseWhereOpen(stackFileOf(place));
  const engine = reach.yes || reach.dryRun ? await place.engine() : await engineIfAny(place);
  const reader = await readerOf(place, file.name);
  const judged = ({ text, parts = [] }: StackText) =>
    judge(text, { ...reader, textOf: inFolder(place.folder, parts) });
  const before = await judged(file);
  const planned = await plan(file, before.settings);
  const { text: wanted, what, upArguments = [], next = [] } = planned;
  const after = await judged(wanted);
  const mistakes = brought(before.mistakes, after.mistakes);
  if (mistakes.length > 0) throw new SettingsError(mistakes);

  const changes = changed(file, wanted);
  if (!reach.dryRun) for (const change of changes) refuseWhereOpen(pathOf(change));
  const isNews = changes.length > 0;
  const names = isNews ? changes.map(({ name }) => name).join(" and ") : file.name;
  const told = { stack: place.stack, file: names, what, diff: changes.flatMap(({ diff }) => diff) };
  /** Beside the result, which a program reads alone. */
  const tell = (line: string) => (reach.json ? console.error(line) : say(line));
  const finish = (written: boolean, up: "done" | "failed" | "not run", more: object = {}) => {
    if (reach.json) say(JSON.stringify({ ...told, written, up, ...more }, undefined, 2));
  };
  if (!reach.json) {
    say(isNews ? `${names}: ${what}` : what);
    for (const { name, diff } of changes)
      for (const line of [...(changes.length > 1 ? [`${name}:`] : []), ...diff]) say(line);
  }
  if (engine !== undefined && after.mistakes.length > 0) {
    tell("What was wrong before is wrong still, and no up would go on:");
    for (const mistake of after.mistakes) tell(`  ${mistakeText(mistake)}`);
  }

  const preview = (on: Engine) =>
    withStackText(wanted, async (config) => {
      const { showForeseen } = await import("../preview.ts");
      return await showForeseen(on, place.stack, ["--config-file", config, ...upArguments]);
    });
  if (reach.dryRun && engine !== undefined) {
    if (!reach.json) return (await preview(engine)) ? exitCodes.done : exitCodes.refused;
    const steps = await withStackText(wanted, (config) =>
      engine.pulumi(["preview", "--stack", place.stack, ...upArguments, "--config-file", config, "--json"]),
    );
    finish(false, "not run", { preview: stepsOf(steps) });
    return exitCodes.done;
  }

  const isAsked = !reach.yes && !reach.fileOnly && !reach.json && engine !== undefined && isWatched();
  const answer = isAsked ? await asked(() => preview(engine), names, isNews) : reach.yes ? "up" : "file";
  if (answer === "nothing") {
    say("Nothing was touched.");
    return exitCodes.refused;
  }
  const command = pulumiCommand(place.stack, ["up", ...upArguments.map(quoted)].join(" "));
  if (isNews) {
    exchangeAll(changes.map((change) => ({ ...change, path: pathOf(change) })));
    tell(`${names} ${changes.length > 1 ? "are" : "is"} written.`);
  }
  if (answer === "file" || engine === undefined) {
    tell(`To make it so: ${command}`);
    finish(isNews, "not run");
    return exitCodes.done;
  }
  const code = await engine.work(
    ["up", "--stack", place.stack, "--yes", "--skip-preview", "--suppress-outputs", ...upArguments],
    // What the engine prints is no JSON.
    reach.json ? ["inherit", 2, 2] : "inherit",
  );
  finish(isNews, code === 0 ? "done" : "failed");
  if (code !== 0) {
    console.error(`The up has failed, with what it says above. To go on when that is mended: ${command}`);
    return exitCodes.notUp;
  }
  for (const line of next) tell(line);
  return exitCodes.done;
}

/** The files whose text is another one; the stack file first, so that what moves between two is in both sooner than in none. */
function changed(file: StackText, wanted: StackText) {
  const before = new Map(piecesOf(file).map(({ name, text }) => [name, text]));
  return piecesOf(wanted).flatMap(({ name, text }) => {
    const old = before.get(name) ?? "";
    const diff = diffLines(old, text);
    return diff.length === 0 ? [] : [{ name, text, before: old, diff }];
  });
}

/** Shows what would be done, and asks whether to. @throws Failure where it cannot be done */
async function asked(
  preview: () => Promise<boolean>,
  name: string,
  isNews: boolean,
): Promise<"up" | "file" | "nothing"> {
  if (!(await preview())) {
    throw new Failure(
      "So would the up end. Nothing was touched; with --file-only the file is written all the same.",
    );
  }
  const answer = await question(
    isNews ? `Write ${name}, and bring it up? [y] both, [f] the file alone, [N] neither: ` : "Do it? [y/N] ",
  );
  if (/^y(es)?$/i.test(answer)) return "up";
  return isNews && /^f(ile)?$/i.test(answer) ? "file" : "nothing";
}

/** As a shell wants it. */
function quoted(word: string): string {
  return /[*?[ ]/.test(word) ? `"${word}"` : word;
}

/** What of `preview --json` says what would be done. */
function stepsOf(text: string): readonly { readonly op: string; readonly name: string }[] {
  const { steps = [] } = JSON.parse(text) as {
    readonly steps?: readonly { readonly op: string; readonly urn: string }[];
  };
  return steps
    .filter(({ op }) => op !== "same" && op !== "refresh")
    .map(({ op, urn }) => ({ op, name: urn.split("::").at(-1) ?? "" }));
}
