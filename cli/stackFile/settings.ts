/** What a stack file's text would mean, before it is the stack file. */
import { type PulumiConfig, regionOf, settingsAsRead, settingsOf } from "../../check/engine.ts";
import { deployable } from "../../plan/refusals.ts";
import { type Mistake, pathText, SettingsError } from "../../settings/mistakes.ts";
import type { TextOf } from "../../settings/pieces.ts";
import { encrypted } from "../../settings/plainSecrets.ts";
import type { Settings } from "../../settings/types.ts";
import type { Engine } from "../engine.ts";
import { withConfigFile } from "../engineWords.ts";
import { readYaml } from "./edit.ts";

export interface Judged {
  /** Whole where there is no mistake; else without what is mistaken. */
  readonly settings: Settings;
  readonly mistakes: readonly Mistake[];
}

/** Where a text stands, and who can read what is encrypted in it. */
export interface Reader {
  readonly stack: string;
  readonly name: string;
  readonly environment: Engine["environment"];
  /** Asked only where something is encrypted. */
  engine(): Promise<Pick<Engine, "pulumi">>;
  /** Reads the files that the text names. @default from the disk */
  readonly textOf?: TextOf;
}

/** Reads a text as the program would, by the same `parseSettings`. @throws where it is no YAML */
export async function judge(text: string, reader: Reader): Promise<Judged> {
  const config = await configOf(text, reader);
  const settings = settingsAsRead(config, reader);
  try {
    deployable(() => settingsOf(config, reader), regionOf(config, reader.environment), new Date());
    return { settings, mistakes: [] };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return { settings, mistakes: error.mistakes };
  }
}

/** The `config:` of a text as the engine hands it over. @throws where it is no YAML */
export async function configOf(text: string, reader: Reader): Promise<PulumiConfig> {
  const { config } = (readYaml(text, reader.name).toJS() ?? {}) as {
    config?: Readonly<Record<string, unknown>> | null;
  };
  if (encrypted(config).length > 0) {
    const { pulumi } = await reader.engine();
    const words = ["config", "--json", "--show-secrets", "--stack", reader.stack];
    return await withConfigFile(
      text,
      async (path) => JSON.parse(await pulumi([...words, "--config-file", path])) as PulumiConfig,
    );
  }
  return Object.fromEntries(
    Object.entries(config ?? {}).map(([key, value]) => [
      key,
      typeof value === "object" && value !== null ? { objectValue: value } : textValue(value),
    ]),
  );
}

function textValue(value: unknown): PulumiConfig[string] {
  return value === null || value === undefined ? {} : { value: String(value) };
}

/** Mistakes that a change brings: those that were there before are no reason to refuse it. */
export function brought(before: readonly Mistake[], after: readonly Mistake[]): readonly Mistake[] {
  // Entries of a list move up where one before them is taken out.
  const nameOf = ({ path, message }: Mistake) => `${pathText(path).replaceAll(/\[\d+\]/g, "[]")}: ${message}`;
  const known = new Set(before.map(nameOf));
  return after.filter((mistake) => !known.has(nameOf(mistake)));
}
