import * as pulumi from "@pulumi/pulumi";
import { dayOf } from "../plan/plan.ts";
import { type Mistake, pathText } from "../settings/mistakes.ts";
import { parseSettings, SettingsError } from "../settings/parse.ts";
import { plainSecrets } from "../settings/plainSecrets.ts";
import type { Settings } from "../settings/types.ts";

const NAMESPACE = "mailhost:";

/**
 * The stack's settings, from its configuration and the environment.
 *
 * @throws pulumi.RunError naming every mistake in the stack file, before anything is touched.
 */
export function readSettings(): Settings {
  const config = pulumi.runtime.allConfig();
  const raw = Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(NAMESPACE))
      .map(([key, value]) => [key.slice(NAMESPACE.length), parseValue(value)]),
  );
  const region = config["aws:region"] ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  const mistakes = regionMistakes(region);
  try {
    const settings = parseSettings(raw, process.env, region);
    mistakes.push(...daysToCome(settings, new Date()));
    if (mistakes.length === 0) {
      warnOfPlainSecrets(raw);
      return settings;
    }
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    mistakes.push(...error.mistakes);
  }
  // A RunError is shown as its message alone; a stack trace would say nothing to whoever wrote the stack file.
  throw new pulumi.RunError(new SettingsError(mistakes).message);
}

/**
 * Errors show their place as Node writes it. Pulumi's runner has source maps looked up for every line of a stack trace,
 * and its runtime takes one of each promise that it makes: two fifths of the processor time of a preview, for nothing,
 * since Node runs this program's TypeScript line by line as it stands.
 */
export function showErrorsAsNodeDoes(): void {
  Reflect.deleteProperty(Error, "prepareStackTrace");
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

/** The provider would say it once for each thing that it is asked to make. */
function regionMistakes(region: string | undefined): Mistake[] {
  const path = ["aws:region"];
  if (region === undefined || region === "")
    return [{ path, message: "is missing; write the AWS region of the host, such as eu-central-1" }];
  const zone = /^([a-z]+(-[a-z]+)+-\d+)[a-z]$/.exec(region);
  if (zone !== null) return [{ path, message: `is a zone of a region; write ${zone[1]}` }];
  return /^[a-z]+(-[a-z]+)+-\d+$/.test(region)
    ? []
    : [{ path, message: "is not an AWS region; write one such as eu-central-1" }];
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

/** A day far ahead is a slip of the pen: the selectors would carry it for good. Tomorrow is today somewhere. */
export function daysToCome({ domains }: Pick<Settings, "domains">, now: Date): Mistake[] {
  const tomorrow = dayOf(new Date(now.getTime() + 24 * 3600 * 1000));
  return domains
    .filter(({ since }) => since > tomorrow)
    .map(({ name }) => ({
      path: ["domains", name, "since"],
      message: `is in the future; write the day on which the domain comes here, such as ${dayOf(now)}`,
    }));
}

/**
 * Pulumi's SDK hands each of the engine's answers to the debug log, keys and passwords in plain text, and
 * `pulumi up --json` prints the debug log without being asked to. From here on the answers are left out of it.
 */
export function keepSecretsOutOfDebugMessages(): void {
  const { debug } = pulumi.log;
  Object.assign(pulumi.log, {
    debug: (message: string, ...where: unknown[]) =>
      Reflect.apply(debug, undefined, [message.replace(/\bresp: [\s\S]*/, "resp: (not shown)"), ...where]),
  });
}
