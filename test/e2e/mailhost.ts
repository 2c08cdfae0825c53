/**
 * The product as a person uses it: a checkout of its own, its commands, its local cloud. All end-to-end tests of
 * one run share it; each leaves it as `npm start` would make it.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { type Document, parseDocument } from "yaml";
import { callDaemon } from "../../local/api.ts";
import { cloudPaths } from "../../local/paths.ts";
import { collect, run } from "../../local/run.ts";
import { type StackOutputs, sshOptions } from "../../local/stack.ts";
import type { CloudInfo } from "../../local/types.ts";
import { shellWord } from "../../plan/shell.ts";
import { atTerminal } from "../terminal.ts";

const source = resolve(import.meta.dirname, "../..");
const home = resolve(process.env.MAILHOST_HOME || join(homedir(), ".mailhost"));

/**
 * The cloud of this test file. The numbered files of a folder share one and are told in order; any other file has one of
 * its own. `test/run.ts` says how the names begin.
 */
export const cloudId = `${process.env.MAILHOST_CLOUD_ID ?? "e2e"}-${story(process.argv[1] ?? "")}`;
export const cloudFolder = join(home, "clouds", cloudId);
export const checkout = join(home, "checkouts", cloudId);

function story(testFile: string): string {
  const name = basename(testFile, ".test.ts");
  return /^\d/.test(name) ? basename(dirname(testFile)) : name;
}

/** Of every command of the product: this file's cloud, and no colours. */
const ownEnvironment = () => ({
  ...process.env,
  MAILHOST_CLOUD_ID: cloudId,
  MAILHOST_HOME: home,
  NO_COLOR: "1",
});

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Kill the whole process group with SIGKILL after so many milliseconds. */
  readonly killAfter?: number;
  /** The same as soon as this has come to pass. */
  readonly killWhen?: Promise<unknown>;
}

/** A clean copy of the tracked files (and of what is not yet committed), with the same packages. */
export function makeCheckout(): void {
  if (existsSync(join(checkout, "package.json"))) return;
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: source,
    encoding: "utf8",
  });
  for (const file of files.split("\0").filter((name) => name !== "" && existsSync(join(source, name)))) {
    mkdirSync(dirname(join(checkout, file)), { recursive: true });
    cpSync(join(source, file), join(checkout, file));
  }
  symlinkSync(join(source, "node_modules"), join(checkout, "node_modules"));
  execFileSync("git", ["init", "-q"], { cwd: checkout });
  execFileSync("git", ["add", "-A"], { cwd: checkout });
}

export function removeCheckout(): void {
  rmSync(checkout, { recursive: true, force: true });
}

/** No cloud and no checkout of an earlier run, which may have been cut off. */
export async function nothingLeft(): Promise<void> {
  await succeed(["destroy", "--everything"]);
  removeCheckout();
}

/** Tracked files of the checkout that differ from what was cloned. */
export function gitStatus(): string {
  return (
    execFileSync("git", ["diff", "--name-only"], { cwd: checkout, encoding: "utf8" }) +
    execFileSync("git", ["ls-files", "--others", "--exclude-standard"], { cwd: checkout, encoding: "utf8" })
  );
}

/** The program behind a script of npm's: those of the local cloud are in one, those for any stack in the other. */
function programOf(script: string | undefined): string {
  const { scripts } = JSON.parse(readFileSync(join(source, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  return /^node (\S+)/.exec(scripts[script ?? ""] ?? "")?.[1] ?? "cli/main.ts";
}

/** `npm run <script> -- <args>` in the checkout, without npm's own half second. */
export async function mailhost(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  makeCheckout();
  const started = performance.now();
  const [script, ...rest] = args;
  const child = spawn(
    process.execPath,
    [programOf(script), ...(script === "mailhost" ? [] : [script ?? ""]), ...rest],
    {
      cwd: checkout,
      env: { ...ownEnvironment(), ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    },
  );
  const kill = () => process.kill(-(child.pid ?? 0), "SIGKILL");
  const timer = options.killAfter === undefined ? undefined : setTimeout(kill, options.killAfter);
  void options.killWhen?.then(kill, () => undefined);
  const { code, stdout, stderr } = await collect(child, options.input);
  clearTimeout(timer);
  return { code: code ?? -1, stdout, stderr, seconds: (performance.now() - started) / 1000 };
}

/** A command of `mailhost` as somebody types it at a terminal, and answers what it asks. */
export function answered(
  words: readonly string[],
  ...answers: readonly (readonly [asked: string, answer: string])[]
): ReturnType<typeof atTerminal> {
  makeCheckout();
  const command = [process.execPath, "cli/main.ts", ...words];
  return atTerminal(command, answers, { folder: checkout, environment: ownEnvironment(), seconds: 120 });
}

/** A command of `mailhost` that goes on until it is interrupted. */
export function going(words: readonly string[]) {
  const child = spawn(process.execPath, ["cli/main.ts", ...words], {
    cwd: checkout,
    env: ownEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  return {
    /** What it has printed so far. */
    said: () => said,
    /** Ctrl-C. @returns how it ended */
    interrupt: async (): Promise<number | null> => {
      const ended = once(child, "close");
      child.kill("SIGINT");
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}

/** A line that a person types into a shell in the checkout. @throws where it fails, with what it said */
export function typed(line: string): Promise<string> {
  return run("sh", ["-c", line], {
    cwd: checkout,
    env: ownEnvironment(),
  });
}

/** The same, where anything but exit code 0 is the test's failure. */
export async function succeed(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const ran = await mailhost(args, options);
  if (ran.code !== 0) {
    throw new Error(
      `${args.join(" ")} ended with ${ran.code}:\n${ran.stdout.slice(-6000)}\n${ran.stderr.slice(-6000)}`,
    );
  }
  return ran;
}

export function up(...args: readonly string[]): Promise<Ran> {
  return succeed(["pulumi", "up", "--yes", "--skip-preview", ...args]);
}

/**
 * One command on the host, as root: as by `npm run host`, without starting the engine each time for the login.
 * `34-machine` tests that command itself.
 * @param input for its standard input: sudo notes the command in the journal, where no password belongs
 */
export async function onHost(command: string, input?: string): Promise<string> {
  const { ssh } = (await stackOutput()) as unknown as StackOutputs;
  const login = sshOptions(cloudPaths({ MAILHOST_HOME: home, MAILHOST_CLOUD: cloudFolder }), ssh);
  return await run(
    "ssh",
    [...login, "sudo", "sh", "-c", shellWord(command)],
    input === undefined ? {} : { input },
  );
}

/** Lets the host's daily updates wait: they would change packages, and restart daemons, in the middle of a test at their hour. */
export async function withoutUpdates(): Promise<void> {
  await onHost("systemctl stop apt-daily.timer apt-daily-upgrade.timer");
}

let known: { readonly state: bigint; readonly outputs: Readonly<Record<string, unknown>> } | undefined;

/** All outputs of the stack, secrets in clear. */
export async function stackOutput(): Promise<Readonly<Record<string, unknown>>> {
  // The engine is asked once for each state.
  const state = statSync(join(cloudFolder, "pulumi/state/.pulumi/stacks/mailhost/dev.json"), {
    bigint: true,
  }).mtimeNs;
  if (known?.state !== state) {
    const { stdout } = await succeed(["pulumi", "stack", "output", "--json", "--show-secrets"]);
    known = { state, outputs: JSON.parse(stdout) as Record<string, unknown> };
  }
  return known.outputs;
}

export function cloudInfo(): CloudInfo {
  return JSON.parse(readFileSync(join(cloudFolder, "cloud.json"), "utf8")) as CloudInfo;
}

/** Edits any file of the checkout for the length of `body`, and puts it back. */
export async function withFile(
  path: string,
  edit: (text: string) => string,
  body: () => Promise<void>,
): Promise<void> {
  makeCheckout();
  const full = join(checkout, path);
  const before = readFileSync(full, "utf8");
  writeFileSync(full, edit(before));
  try {
    await body();
  } finally {
    writeFileSync(full, before);
  }
}

const stackFile = "Pulumi.dev.yaml";

function editedStack(text: string, edit: (stack: Document) => void): string {
  const stack = parseDocument(text);
  edit(stack);
  return stack.toString();
}

/** The same for the stack file, comments and all. */
export function withStack(edit: (stack: Document) => void, body: () => Promise<void>): Promise<void> {
  return withFile(stackFile, (text) => editedStack(text, edit), body);
}

/** The stack file as it is now. */
export function stackText(): string {
  makeCheckout();
  return readFileSync(join(checkout, stackFile), "utf8");
}

/** Writes the stack file for good, as somebody who commits it. */
export function keepStackText(text: string): void {
  writeFileSync(join(checkout, stackFile), text);
  execFileSync("git", ["add", stackFile], { cwd: checkout });
}

/** Edits it for good. */
export function keepInStack(edit: (stack: Document) => void): void {
  keepStackText(editedStack(stackText(), edit));
}

/** One resource of the engine's state, as far as a test reads it. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  /** What the provider knows it by; a component has none. */
  readonly id?: string;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** All that the state has, as `pulumi stack export` tells it. */
export async function stateResources(...args: readonly string[]): Promise<readonly StateResource[]> {
  const { stdout } = await succeed(["pulumi", "stack", "export", ...args]);
  return (JSON.parse(stdout) as { deployment: { resources: readonly StateResource[] } }).deployment.resources;
}

/** What the provider knows a resource by. @throws where the state has none of that name */
export async function resourceId(name: string): Promise<string> {
  // A component may have its name, too, and has no id.
  const { id } =
    (await stateResources()).find(({ urn, id }) => id !== undefined && urn.endsWith(`::${name}`)) ?? {};
  if (id === undefined) throw new Error(`The state has no ${name}.`);
  return id;
}

/** One step of a preview. */
export interface PreviewStep {
  readonly op: string;
  readonly urn: string;
  readonly name: string;
}

/** What `preview --json` would do, without what stays the same. */
export async function previewSteps(...args: readonly string[]): Promise<readonly PreviewStep[]> {
  const { stdout } = await succeed(["pulumi", "preview", "--json", ...args]);
  const { steps } = JSON.parse(stdout) as { steps: readonly { op: string; urn: string }[] };
  return steps
    .filter((step) => step.op !== "same" && step.op !== "refresh")
    .map((step) => ({ op: step.op, urn: step.urn, name: step.urn.split("::").at(-1) ?? "" }));
}

/** Seconds for the daemon's answer: a machine may take its time to power off. */
const daemonPatience = 100;

/** The daemon's own API: what a test does to the world behind the program's back. */
export function world(path: string): Promise<unknown> {
  return callDaemon(cloudInfo(), "POST", `/world/${path}`, undefined, daemonPatience);
}

/** A call of AWS's, by somebody who is not Pulumi. */
export async function aws<T>(action: string, parameters: object): Promise<T> {
  return (await callDaemon(cloudInfo(), "POST", `/aws/${action}`, parameters, daemonPatience)) as T;
}

/** A name in the DNS that from now on has these addresses, or none: changed where it is served, without the program. */
export async function publish(name: string, ...addresses: readonly string[]): Promise<void> {
  await publishAs("A", name, ...addresses);
}

/** The same for records of another type, as they stand in a zone file. */
export async function publishAs(type: string, name: string, ...rdata: readonly string[]): Promise<void> {
  const query = new URLSearchParams([
    ["name", name],
    ["type", type],
    ...rdata.map((text): [string, string] => ["rdata", text]),
  ]);
  await world(`record?${query}`);
}

/** Lets the host ask anew for what is in a zone and below; what a signed gap has answered is known for half a minute (RFC 8198). */
export async function askAnew(zone: string): Promise<void> {
  await onHost(`unbound-control -q flush_zone ${zone}`);
}
