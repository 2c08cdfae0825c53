/** Who is asked what a command does not know. */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { say } from "../local/terminal.ts";

export interface Person {
  /** Asks for a secret that there is. */
  ask(prompt: string): Promise<string>;
  /** Asks for a secret that begins with this. */
  choose(prompt: string): Promise<string>;
  say(text: string): void;
}

/** Whether somebody sits at a terminal, who can be asked anything at all. */
export function isWatched(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

/** Asks for what is no secret. @returns the answer without blanks around it */
export async function question(prompt: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  return await new Promise<string>((resolve, reject) => {
    // Ctrl-C and Ctrl-D are no answer.
    reader.on("SIGINT", () => reject(new Error("\nNothing was changed.")));
    reader.on("close", () => reject(new Error("\nNothing was changed.")));
    reader.question(prompt, (answer) => resolve(answer.trim()));
  }).finally(() => reader.close());
}

/** A person at this terminal, or a pipe with a line for each question. */
export const terminal: Person = {
  say,
  ask: (prompt) => hidden(prompt),
  choose: async (prompt) => {
    const chosen = await hidden(prompt);
    if (process.stdin.isTTY && (await hidden("The same again")) !== chosen) {
      throw new Error("These were two different ones. Nothing was changed.");
    }
    return chosen;
  },
};

let piped: AsyncIterator<string> | undefined;

async function hidden(prompt: string): Promise<string> {
  if (!process.stdin.isTTY) {
    piped ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const { value, done } = await piped.next();
    if (done) throw new Error(`${prompt}: nothing more stands on standard input.`);
    return value;
  }
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  // Only now does the terminal show nothing of what is typed: who answers fast would be seen before.
  process.stderr.write(`${prompt}: `);
  return await new Promise((resolve, reject) => {
    reader.on("SIGINT", () => reject(new Error("\nNothing was changed.")));
    reader.question("", resolve);
  })
    .then((answer) => {
      process.stderr.write("\n");
      return answer as string;
    })
    .finally(() => reader.close());
}
