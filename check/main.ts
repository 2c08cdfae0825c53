/**
 * `npm run check`: is my mail all right? Looks at the stack's host and domains from outside, and says in plain
 * words what is wrong and what to do; before there is a host, at what `pulumi up` will need. Exit code 0: all is
 * right; 1: something is wrong; 2: it could not look. With `--watch` it is that of the last look, when it is ended by Ctrl-C.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Settings } from "../settings/types.ts";
import { type OtherSide, otherSideAt } from "./otherside.ts";
import { mistaken, preflightHeading, runPreflight } from "./preflight/run.ts";
import { report } from "./report.ts";
import { runCheck } from "./run.ts";
import { type Surroundings, stackAsItIs } from "./stack.ts";
import type { CheckResult } from "./types.ts";
import { watch } from "./watch.ts";

const usage = `npm run check -- [options]

  --stack NAME      the stack to look at (default: MAILHOST_STACK of the environment, else dev)
  --domain NAME     only this mail domain, and the host itself
  --json            the lines as JSON
  --watch           looks again and again, and says only what changed; Ctrl-C ends it
  --every SECONDS   with --watch: from one look to the next (default: 300)
  --resolver ADDR   validating resolver to ask (default: 1.1.1.1)
  --ca FILE         PEM of a root that certificates may chain to, beside the public ones
  --peer API        a mail server elsewhere that judges our mail: its API's address or Unix socket; none: without one

Before there is a host, it looks at what \`pulumi up\` will need.

Exit code: 0 all is right, 1 something is wrong, 2 it could not look.
`;

/** What the options say. @throws in words where they are not as the help says */
export function checkOptions(args: readonly string[]) {
  const { values } = parsed(args);
  const every = Number(values.every);
  if (!Number.isInteger(every) || every < 1) {
    throw new Error(`--every is "${values.every}": write whole seconds, 1 or more.`);
  }
  return { ...values, every };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        stack: { type: "string", default: "dev" },
        domain: { type: "string" },
        json: { type: "boolean", default: false },
        watch: { type: "boolean", default: false },
        every: { type: "string", default: "300" },
        resolver: { type: "string" },
        ca: { type: "string", multiple: true, default: [] },
        peer: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    // Behind it Node says what this command does not take.
    const [mistake] = (error as Error).message.split(/\. (?:To specify|This command)/);
    throw new Error(`${mistake}. See: npm run check -- --help`);
  }
}

/**
 * The command.
 * @param args as after the program's name
 * @param defaults what the options' defaults are where they are not the usual ones
 * @returns the exit code
 */
export async function checkCommand(
  args: readonly string[],
  defaults: Partial<Surroundings> = {},
): Promise<number> {
  try {
    const values = checkOptions(args);
    if (values.help) {
      console.log(usage);
      return 0;
    }
    const otherSide = await otherSideNamed(values.peer, defaults.otherSide);
    const surroundings: Surroundings = {
      pulumi: defaults.pulumi ?? engineOnPath,
      environment: defaults.environment ?? process.env,
      resolver: values.resolver ?? defaults.resolver ?? "1.1.1.1",
      trustedCas: [...(defaults.trustedCas ?? []), ...values.ca.map((path) => readFileSync(path, "utf8"))],
      isLocal: defaults.isLocal ?? false,
      ...(otherSide === undefined ? {} : { otherSide }),
    };
    // The stack is read each time: an `up` may have changed it.
    const look = () => lookAtStack(values.stack, values.domain, surroundings);
    const colours = process.stdout.isTTY && !process.env.NO_COLOR;
    const { json, every } = values;
    if (values.watch) {
      const results = await watch({
        look: async () => (await look()).results,
        every,
        json,
        colours,
        say: console.log,
        complain: console.error,
        signal: interrupt(),
      });
      return exitCode(results);
    }
    const { heading, results } = await look();
    const text = [...(heading === undefined ? [] : [heading, ""]), report(results, colours)].join("\n");
    console.log(json ? JSON.stringify(results, undefined, 2) : text);
    return exitCode(results);
  } catch (error) {
    const { message } = error as Error;
    console.error(message);
    // The same form as of every other command that could not do what it was asked (docs/cli.md).
    if (args.includes("--json")) console.log(JSON.stringify({ error: message, exitCode: 2 }, undefined, 2));
    return 2;
  }
}

function exitCode(results: readonly CheckResult[]): number {
  return results.every(({ right }) => right) ? 0 : 1;
}

/** Looks at the stack's host, or at what it takes to make one. @throws where there is no such stack or domain */
async function lookAtStack(
  stack: string,
  domain: string | undefined,
  surroundings: Surroundings,
): Promise<{ readonly heading?: string; readonly results: readonly CheckResult[] }> {
  const found = await stackAsItIs(stack, surroundings);
  const { isLocal = false } = surroundings;
  const heading = preflightHeading({ stack, isLocal });
  switch (found.kind) {
    case "mistaken":
      return { heading, results: mistaken(found.mistakes, { stack, isLocal }) };
    case "none yet":
      return { heading, results: await runPreflight(only(found.target, found.target.plan.settings, domain)) };
    case "host":
      return { results: await runCheck(only(found.target, found.target.settings, domain)) };
  }
}

/** @throws where the stack has no such domain */
function only<Target>(target: Target, { domains }: Settings, domain: string | undefined): Target {
  if (domain === undefined) return target;
  const known = domains.map(({ name }) => name);
  if (!known.includes(domain)) {
    throw new Error(`The stack has no domain ${domain}. It has: ${known.join(", ")}.`);
  }
  return { ...target, only: domain };
}

/** Ctrl-C, the first time: what is under way ends by itself. The second ends the process. */
function interrupt(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort());
  return controller.signal;
}

async function otherSideNamed(
  peer: string | undefined,
  usual: OtherSide | undefined,
): Promise<OtherSide | undefined> {
  if (peer === "none") return undefined;
  return peer === undefined ? usual : await otherSideAt(peer);
}

/** The engine on PATH: runs it. @returns what it prints. @throws with what it prints on stderr */
export function engineOnPath(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("pulumi", args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      error === null
        ? resolve(stdout)
        : reject(new Error(`pulumi ${args.slice(0, 2).join(" ")} failed: ${stderr.trim() || error.message}`)),
    );
  });
}

if (import.meta.main) {
  process.exitCode = await checkCommand(process.argv.slice(2));
}
