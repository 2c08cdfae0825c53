import { spawn } from "node:child_process";

/** A command that did not end with 0: says which, and what it printed last. */
export class CommandFailed extends Error {
  readonly code: number | null;

  constructor(command: string, code: number | null, stderr: string) {
    const words = stderr.trim().split("\n").slice(-5).join("\n") || `exit code ${code ?? "none (killed)"}`;
    super(`${command} failed: ${words}`);
    this.code = code;
  }
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
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: options.env ?? process.env,
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    let rest = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-64_000);
      if (options.onLine === undefined) return;
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) options.onLine(line);
    });
    // The command may end before it has read everything; its exit code tells the story.
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input);
    child.on("error", (error) => reject(new Error(`${command} cannot be run: ${error.message}`)));
    child.on("close", (code) => {
      if (code === 0) resolve(stdout);
      else reject(new CommandFailed([command, ...args.slice(0, 3)].join(" "), code, stderr));
    });
  });
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
