import { getVersion } from "@pulumi/command/utilities.js";
import * as pulumi from "@pulumi/pulumi";
import debuggable from "@pulumi/pulumi/runtime/debuggable.js";
import { deployable } from "../plan/refusals.ts";
import { pathText } from "../settings/mistakes.ts";
import { parseSettings, SettingsError } from "../settings/parse.ts";
import { gather, inPlace, NAMESPACE } from "../settings/pieces.ts";
import { plainSecrets } from "../settings/plainSecrets.ts";
import type { Settings } from "../settings/types.ts";

/**
 * The stack's settings, from its configuration and the environment.
 *
 * @throws pulumi.RunError naming every mistake in the stack file, before anything is touched.
 */
export function readSettings(): Settings {
  const config = pulumi.runtime.allConfig();
  const written = Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(NAMESPACE))
      .map(([key, value]) => [key.slice(NAMESPACE.length), parseValue(value)]),
  );
  const region = config["aws:region"] ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  try {
    const gathered = gather(written);
    const { raw } = gathered;
    const settings = inPlace(gathered, () =>
      deployable(() => parseSettings(raw, process.env, region), region, new Date()),
    );
    warnOfPlainSecrets(raw);
    return settings;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    // A RunError is shown as its message alone; a stack trace would say nothing to whoever wrote the stack file.
    throw new pulumi.RunError(error.message);
  }
}

/**
 * Errors show their place as Node writes it. Pulumi's runner has source maps looked up for every line of a stack trace,
 * and its runtime takes one of each promise that it makes: two fifths of the processor time of a preview, for nothing,
 * since Node runs this program's TypeScript line by line as it stands.
 */
export function showErrorsAsNodeDoes(): void {
  Reflect.deleteProperty(Error, "prepareStackTrace");
}

/**
 * Pulumi's runtime writes down where in the program it made each of its promises, for whoever looks for one that never ends
 * (`PULUMI_DEBUG_PROMISE_LEAKS`), and watches each until it ends. It makes four for each property of each resource: with a hundred
 * domains that is half of the program's processor time and memory. Those of properties end with their resource, which has
 * promises of its own: these it goes on watching, without the places.
 */
export function writeDownNoPlacesOfPromises(): void {
  const runtime = debuggable as { debuggablePromise?: (...args: readonly unknown[]) => unknown };
  const { debuggablePromise } = runtime;
  if (debuggablePromise === undefined || process.env.PULUMI_DEBUG_PROMISE_LEAKS) return;
  runtime.debuggablePromise = (...args) => {
    const [promise, what] = args;
    if (typeof what === "string" && what.startsWith("transfer")) return promise;
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      return debuggablePromise(...args);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };
}

/** What Pulumi encrypts it hands over decrypted; the engine says beside it which keys these are. */
function warnOfPlainSecrets(raw: Readonly<Record<string, unknown>>): void {
  const encrypted = new Set(JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as readonly string[]);
  const open = Object.fromEntries(Object.entries(raw).filter(([key]) => !encrypted.has(NAMESPACE + key)));
  for (const path of plainSecrets(open)) {
    void pulumi.log.warn(
      `${pathText(path)} stands in the stack file in plain text, and Pulumi keeps a copy of it in the history of every update. Write the name of an environment variable instead, such as \${OLD_SECRET}, and set it before you run Pulumi.`,
    );
  }
}

/** The engine hands structured values over as JSON, and everything else as it was written. */
function parseValue(value: string): unknown {
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/**
 * Pulumi's SDK tells the debug log of each step with each resource, a message at a time, and waits for the engine's answer to
 * it: with a hundred domains ten thousand, before a run may end. Among them are the engine's own answers, keys and passwords in
 * plain text; and `pulumi up --json` prints that log without being asked to. So it is told nothing.
 */
export function keepOutOfDebugLog(): void {
  Object.assign(pulumi.log, { debug: async () => undefined });
}

/**
 * Has the engine start the provider of commands before anything is made. It starts one when the first resource asks for it,
 * which takes one of its workers; and where hooks hold all of them that ask something themselves (components/ses.ts), their
 * questions wait in line behind that start, and a run would stand still for good. Those of the other packages are there by then.
 */
export async function startCommandProvider(): Promise<void> {
  // No function of that name: the answer does not matter.
  await pulumi.runtime.invoke("command:index:none", {}, { version: getVersion() }).catch(() => undefined);
}
