/** Runs one command over SSH as the official command provider does. */
import type { Client, ClientChannel } from "ssh2";
import type { Resource } from "../framework.ts";
import { type Connection, dial } from "./connection.ts";

export type Logging = "stdout" | "stderr" | "stdoutAndStderr" | "none";

export interface RunInputs {
  readonly connection: Connection;
  readonly stdin?: string;
  /** Refused by a server that does not list the names in AcceptEnv (sshd_config(5)). */
  readonly environment?: { readonly [name: string]: string };
  /** Whether the previous outputs go along as PULUMI_COMMAND_STDOUT and PULUMI_COMMAND_STDERR. @default true */
  readonly addPreviousOutputInEnv?: boolean;
  /** @default "stdoutAndStderr" */
  readonly logging?: Logging;
}

/** What the command wrote, without the last line's end. */
export type RunOutputs = { readonly stdout: string; readonly stderr: string };

/** Go's `%q`, near enough: the command in one line. */
function quoted(command: string): string {
  return JSON.stringify(command);
}

/** How the command ended, in the words of Go's `ssh` package; `undefined` is success. */
function failureOf(code: number | null | undefined, signal: string | undefined): string | undefined {
  if (signal !== undefined) {
    return `Process exited with status 1 from signal ${signal.replace(/^SIG/, "")}`;
  }
  if (code === undefined || code === null) {
    return "wait: remote command exited without exit status or exit signal";
  }
  return code === 0 ? undefined : `Process exited with status ${code}`;
}

interface Finished extends RunOutputs {
  /** Both streams as they came. */
  readonly both: string;
  readonly failure: string | undefined;
}

interface Session {
  readonly stdin: string;
  readonly environment: { readonly [name: string]: string };
  /** Called with each whole line of what is logged. */
  readonly onLine: (stream: "stdout" | "stderr", line: string) => void;
}

function execute(client: Client, command: string, session: Session): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const started = (error: Error | undefined, channel: ClientChannel) => {
      if (error) {
        reject(new Error(`ssh: command ${quoted(command)} failed: ${error.message}`));
        return;
      }
      const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[], both: [] as Buffer[] };
      const rest = { stdout: "", stderr: "" };
      const collect = (name: "stdout" | "stderr") => (chunk: Buffer) => {
        chunks[name].push(chunk);
        chunks.both.push(chunk);
        const lines = (rest[name] + chunk.toString()).split("\n");
        rest[name] = lines.pop() ?? "";
        for (const line of lines) {
          session.onLine(name, line);
        }
      };
      let ended: { code: number | null | undefined; signal: string | undefined } | undefined;
      channel.on("exit", (code: number | null, signal?: string) => {
        ended = { code, signal };
      });
      channel.on("data", collect("stdout"));
      channel.stderr.on("data", collect("stderr"));
      // The other side may end before it has read everything; its exit code tells.
      channel.on("error", () => {});
      channel.once("close", () => {
        for (const name of ["stdout", "stderr"] as const) {
          if (rest[name] !== "") {
            session.onLine(name, rest[name]);
          }
        }
        resolve({
          stdout: Buffer.concat(chunks.stdout).toString(),
          stderr: Buffer.concat(chunks.stderr).toString(),
          both: Buffer.concat(chunks.both).toString(),
          failure: failureOf(ended?.code, ended?.signal),
        });
      });
      channel.end(session.stdin);
    };
    client.exec(command, { env: { ...session.environment } }, started);
    // A connection that is lost closes no channel by itself.
    client.once("close", () => reject(new Error(`wait: connection lost: running ${quoted(command)}`)));
  });
}

/** Whether the server takes a variable: the library does not hear its answer, so the variable is looked for. */
async function accepts(client: Client, name: string, value: string): Promise<boolean> {
  const probe = await execute(client, `printenv ${name}`, {
    stdin: "",
    environment: { [name]: value },
    onLine: () => {},
  });
  return probe.failure === undefined && probe.stdout === `${value}\n`;
}

function unableToSet(name: string): string {
  return (
    `Unable to set '${name}'. This only works if your SSH server is configured to accept these variables via ` +
    "AcceptEnv. Alternatively, if a Bash-like shell runs the command on the remote host, you could prefix the " +
    "command itself with the variables in the form 'VAR=value command'"
  );
}

/**
 * Connects, runs the command, disconnects.
 * @param previous outputs of the run before
 * @throws Error with the whole command and all it wrote where it does not end with 0
 */
export async function run(
  command: string,
  inputs: RunInputs,
  previous: Partial<RunOutputs>,
  resource: Resource,
): Promise<RunOutputs> {
  const { client, close } = await dial(inputs.connection, resource);
  resource.cancelled.addEventListener("abort", close, { once: true });
  try {
    const environment: { [name: string]: string } = {};
    for (const [name, value] of Object.entries(inputs.environment ?? {})) {
      if (!(await accepts(client, name, value))) {
        resource.log("error", unableToSet(name));
        throw new Error(`could not set environment variable "${name}": ssh: setenv failed`);
      }
      environment[name] = value;
    }
    if (inputs.addPreviousOutputInEnv ?? true) {
      const outputs = { PULUMI_COMMAND_STDOUT: previous.stdout, PULUMI_COMMAND_STDERR: previous.stderr };
      for (const [name, value] of Object.entries(outputs)) {
        if (value && (await accepts(client, name, value))) {
          environment[name] = value;
        } else if (value) {
          resource.log("warning", unableToSet(name));
        }
      }
    }
    const logging = inputs.logging ?? "stdoutAndStderr";
    const result = await execute(client, command, {
      stdin: inputs.stdin ?? "",
      environment,
      onLine(stream, line) {
        if (logging === "stdoutAndStderr" || logging === stream) {
          resource.log("status", line);
        }
      },
    });
    if (result.failure !== undefined) {
      throw new Error(`${result.failure}: running ${quoted(command)}:\n${result.both}`);
    }
    return { stdout: result.stdout.replace(/\n$/, ""), stderr: result.stderr.replace(/\n$/, "") };
  } finally {
    resource.cancelled.removeEventListener("abort", close);
    close();
  }
}
