/** What the commands print: progress in words, plain where nobody watches. */

import { createInterface } from "node:readline/promises";
import { InvalidArgumentError } from "commander";

const colours = process.stdout.isTTY && !process.env.NO_COLOR;

export function say(text: string): void {
  console.log(text);
}

export function bold(text: string): string {
  return colours ? `\u001b[1m${text}\u001b[22m` : text;
}

/** A command's exit code becomes the process's. */
export function exits<Args extends readonly unknown[]>(work: (...args: Args) => Promise<number>) {
  return async (...args: Args): Promise<void> => {
    process.exitCode = await work(...args);
  };
}

/** Reads an option's value. @throws in words where it is no whole number from 1 to `most` */
export function wholeNumber(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
    throw new InvalidArgumentError(`Write a whole number from 1 to ${most}.`);
  };
}

/** Says what begins, and how long it took where that was long enough to wonder. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  say(`${bold("→")} ${title}`);
  const result = await work();
  const seconds = (performance.now() - started) / 1000;
  if (seconds >= 1) say(`  ${seconds.toFixed(1)} s`);
  return result;
}

/** Asks before what cannot be undone; a script, whom nobody asks, has said it by its command. */
export async function confirmed(what: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(`${what} Go on? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
