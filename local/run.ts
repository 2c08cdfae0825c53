import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A command that did not end with 0: says which, and what it printed last. */
export class CommandFailed extends Error {
  readonly code: number | null;
  /** What it printed there. */
  readonly stderr: string;

  constructor(command: string, code: number | null, stderr: string) {
    const words = stderr.trim().split("\n").slice(-5).join("\n") || `exit code ${code ?? "none (killed)"}`;
    super(`${command} failed: ${words}`);
    this.code = code;
    this.stderr = stderr;
  }
}

/** What a child process printed, and how it ended: code `null` where a signal killed it. */
export interface Collected {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Gives a child process its standard input, and reads what it prints to its end. @throws where it cannot be run */
export function collect(child: ChildProcess, input?: string): Promise<Collected> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    // The command may end before it has read everything; its exit code tells the story.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

export interface RunOptions {
  /** Text for the command's standard input. @default nothing */
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Called with each line that the command prints on stderr. */
  readonly onLine?: (line: string) => void;
}

/** Runs a command to its end. @returns its standard output. @throws CommandFailed */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    env: options.env ?? process.env,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const { onLine } = options;
  if (onLine !== undefined && child.stderr !== null) createInterface(child.stderr).on("line", onLine);
  const { code, stdout, stderr } = await collect(child, options.input).catch((error: Error) => {
    throw new Error(`${command} cannot be run: ${error.message}`);
  });
  if (code !== 0) throw new CommandFailed([command, ...args.slice(0, 3)].join(" "), code, stderr);
  return stdout;
}

/** The same, where a failure is an answer: `undefined`. */
export async function tryRun(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string | undefined> {
  try {
    return await run(command, args, options);
  } catch (error) {
    if (error instanceof CommandFailed) return undefined;
    throw error;
  }
}
