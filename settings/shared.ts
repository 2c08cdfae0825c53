/** Settings that several stacks have in common, in a file of their own. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, YAMLError } from "yaml";
import { type Mistake, SettingsError } from "./mistakes.ts";

/** The key that names the file; it is none of the settings. */
const key = "shared";

type Raw = Readonly<Record<string, unknown>>;

/**
 * The keys of a stack's `mailhost:` namespace with those of the file that `mailhost:shared` names. What the stack file says
 * itself holds; of two mappings of the same key each has its part.
 *
 * The file has the form of an environment of Pulumi ESC
 * (https://www.pulumi.com/docs/esc/environments/syntax/reserved-properties/pulumi-config/), and the same rule: who uses Pulumi
 * Cloud can keep it there instead.
 * @param textOf reads a file of this folder. @default from the disk
 * @throws SettingsError where the file is not there, or is none
 */
export function withShared(raw: Raw, textOf: (path: string) => string = ownText): Raw {
  const { [key]: path, ...own } = raw;
  if (path === undefined) return own;
  if (typeof path !== "string" || path === "")
    throw mistake("is no path; write that of a file beside Pulumi.yaml, such as stacks.yaml");
  return merged(sharedIn(path, textOf), own) as Raw;
}

function ownText(path: string): string {
  return readFileSync(join(import.meta.dirname, "..", path), "utf8");
}

function sharedIn(path: string, textOf: (path: string) => string): Raw {
  const namespace = "mailhost:";
  let file: unknown;
  try {
    file = parse(textOf(path));
  } catch (error) {
    if (error instanceof YAMLError)
      throw mistake(`names ${path}, which is no YAML; mend its ${placeOf(error)}`);
    throw mistake(`names ${path}, which cannot be read; write the path of a file beside Pulumi.yaml`);
  }
  const config = mapping(mapping(mapping(file)?.values)?.pulumiConfig);
  if (config === undefined)
    throw mistake(`names ${path}, which has no settings; write them there under values: pulumiConfig:`);
  const foreign = Object.keys(config).find((name) => !name.startsWith(namespace));
  if (foreign !== undefined)
    throw mistake(
      `names ${path}, in which ${foreign} is no setting of mailhost:; write it into the stack file`,
    );
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name.slice(namespace.length), value]),
  );
}

function placeOf({ linePos }: YAMLError): string {
  return linePos === undefined ? "form" : `line ${linePos[0].line}`;
}

function merged(shared: unknown, own: unknown): unknown {
  const [under, over] = [mapping(shared), mapping(own)];
  if (under === undefined || over === undefined) return own;
  const both = Object.keys(over).filter((name) => name in under);
  return {
    ...under,
    ...over,
    ...Object.fromEntries(both.map((name) => [name, merged(under[name], over[name])])),
  };
}

function mapping(value: unknown): Raw | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Raw) : undefined;
}

function mistake(message: string): SettingsError {
  return new SettingsError([{ path: [key], message } satisfies Mistake]);
}
