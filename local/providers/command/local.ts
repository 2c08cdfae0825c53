/** Runs one command on this machine as the official command provider does. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Resource } from "../framework.ts";
import type { Logging, RunOutputs } from "./run.ts";

export interface LocalInputs {
  readonly stdin?: string;
  readonly environment?: { readonly [name: string]: string };
  /** @default that of the provider, which is the program's */
  readonly dir?: string;
  /** @default /bin/sh -c */
  readonly interpreter?: readonly string[];
  /** Whether the previous outputs go along as PULUMI_COMMAND_STDOUT and PULUMI_COMMAND_STDERR. @default true */
  readonly addPreviousOutputInEnv?: boolean;
  /** @default "stdoutAndStderr" */
  readonly logging?: Logging;
}

/**
 * @param previous outputs of the run before
 * @throws Error with the whole command and all it wrote where it does not end with 0
 */
export async function runLocally(
  command: string,
  inputs: LocalInputs,
  previous: RunOutputs,
  resource: Resource,
): Promise<RunOutputs> {
  const [program = "/bin/sh", ...words] = inputs.interpreter ?? ["/bin/sh", "-c"];
  const withPrevious = inputs.addPreviousOutputInEnv ?? true;
  const child = spawn(program, [...words, command], {
    cwd: inputs.dir,
    env: {
      ...process.env,
      ...inputs.environment,
      ...(withPrevious && previous.stdout !== "" && { PULUMI_COMMAND_STDOUT: previous.stdout }),
      ...(withPrevious && previous.stderr !== "" && { PULUMI_COMMAND_STDERR: previous.stderr }),
    },
    stdio: ["pipe", "pipe", "pipe"],
    signal: resource.cancelled,
    killSignal: "SIGKILL",
  });
  const written = { stdout: "", stderr: "", both: "" };
  const logging = inputs.logging ?? "stdoutAndStderr";
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      written[name] += text;
      written.both += text;
      if (logging === "stdoutAndStderr" || logging === name)
        for (const line of text.split("\n")) if (line !== "") resource.log("status", line);
    });
  }
  // It may end before it has read everything; its exit code tells.
  child.stdin.on("error", () => {});
  child.stdin.end(inputs.stdin ?? "");
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  if (code !== 0) {
    const how = code === null ? `signal: ${signal}` : `exit status ${code}`;
    throw new Error(`${how}: running ${JSON.stringify(command)}:\n${written.both}`);
  }
  return { stdout: written.stdout.replace(/\n$/, ""), stderr: written.stderr.replace(/\n$/, "") };
}
