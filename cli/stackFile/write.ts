/** The way of a new text into the stack file, past everybody else who may be writing it. */
import {
  chownSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { homedir, hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { writeWhole } from "../../local/paths.ts";
import { exitCodes, Failure } from "../failure.ts";

/** A file's text, and what it is to be. */
export interface Exchange {
  readonly path: string;
  readonly before: string;
  readonly text: string;
}

/**
 * Exchanges the texts of several files: of all, or of none.
 * @throws Failure where an editor has one open, or somebody has changed one meanwhile
 */
export function exchangeAll(changes: readonly Exchange[]): void {
  for (const { path, before } of changes) {
    refuseWhereOpen(path);
    refuseWhereChanged(realpathSync(path), before);
  }
  const done: Exchange[] = [];
  try {
    for (const change of changes) {
      exchange(change.path, change.before, change.text);
      done.push(change);
    }
  } catch (error) {
    // What was somebody's meanwhile stays his.
    const left = done.toReversed().filter(({ path, before, text }) => !isGivenBack(path, text, before));
    if (left.length === 0) throw error;
    throw new Failure(
      `${(error as Error).message} But ${left.map(({ path }) => basename(path)).join(" and ")} is written already, and was changed by somebody else since: look at it, too.`,
      exitCodes.busy,
    );
  }
}

function isGivenBack(path: string, written: string, before: string): boolean {
  try {
    exchange(path, written, before);
    return true;
  } catch {
    return false;
  }
}

/**
 * Exchanges the file's text, whole or not at all.
 * @param before what it has to be still
 * @throws Failure where an editor has it open, or somebody has changed it meanwhile
 */
export function exchange(path: string, before: string, after: string): void {
  const file = realpathSync(path);
  refuseWhereOpen(file);
  const { mode, uid, gid } = statSync(file);
  writeWhole(file, after, mode & 0o777, (beside) => {
    if (uid !== process.getuid?.() || gid !== process.getgid?.()) chownSync(beside, uid, gid);
    refuseWhereChanged(file, before);
  });
}

function refuseWhereChanged(file: string, before: string): void {
  if (readFileSync(file, "utf8") === before) return;
  throw new Failure(
    `${basename(file)} was changed by somebody else while this ran. Nothing was written: look at it, and run this again.`,
    exitCodes.busy,
  );
}

/** @throws Failure where an editor has the file open, naming what tells so */
export function refuseWhereOpen(path: string): void {
  const file = realpathSync(path);
  const mark = editorsMark(file);
  if (mark === undefined) return;
  throw new Failure(
    `${basename(file)} is open in an editor, says ${mark}. Nothing was touched: save and close it there, then run this again. Where no editor has it, remove ${mark}.`,
    exitCodes.busy,
  );
}

/** The file by which an editor says that it has this one open; of one whose process has died it does not count. */
function editorsMark(file: string): string | undefined {
  const [folder, name] = [dirname(file), basename(file)];
  const emacs = join(folder, `.#${name}`);
  const emacsLock = linkOf(emacs);
  if (emacsLock !== undefined && !isDead(/@([^@]+)\.(\d+)(?::\d+)?$/.exec(emacsLock)?.slice(1))) return emacs;
  const kate = join(folder, `.${name}.kate-swp`);
  if (existsSync(kate)) return kate;
  const state = process.env.XDG_STATE_HOME || join(homedir(), ".local", "state");
  const swaps = [
    ...swapFiles(folder, `.${name}`),
    ...swapFiles(join(state, "nvim", "swap"), file.replaceAll("/", "%")),
  ];
  return swaps.find((swap) => !isDead(swapOwner(swap)));
}

/** Vim's, Neovim's and nano's: `.NAME.swp`, and where there are several `.swo`, `.swn`… (Vim's `:help swap-file`) */
function swapFiles(folder: string, start: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${start}.sw`) && name.length === start.length + 4)
    .map((name) => join(folder, name));
}

/** Host and process in a swap file's first block (Vim's memline.c, `struct block0`), which nano writes in the same form. */
function swapOwner(path: string): readonly string[] | undefined {
  const block = Buffer.alloc(108);
  const descriptor = openSync(path, "r");
  try {
    if (readSync(descriptor, block) < block.length || block.toString("latin1", 0, 2) !== "b0")
      return undefined;
  } finally {
    closeSync(descriptor);
  }
  return [block.toString("utf8", 68, 108).replace(/\0.*$/s, ""), String(block.readUInt32LE(24))];
}

/** Whether an editor's process is known to have ended. One on another machine may live. */
function isDead([host, pid]: readonly string[] = []): boolean {
  if (host !== hostname() || pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
