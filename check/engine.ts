/** What the engine tells of a stack. */
import { examineSettings, parseSettings } from "../settings/parse.ts";
import { type Gathered, gather, inPlace, NAMESPACE, type TextOf } from "../settings/pieces.ts";
import type { Settings } from "../settings/types.ts";
import type { Surroundings } from "./stack.ts";

/** `pulumi config --json`. */
export type PulumiConfig = Readonly<
  Record<string, { readonly value?: string; readonly objectValue?: unknown }>
>;

/** A value of the stack file that is a text. */
export function textIn(config: PulumiConfig, key: string): string | undefined {
  return config[key]?.value;
}

/** Where the stack is, as its providers are told. */
export function regionOf(config: PulumiConfig, environment: Surroundings["environment"]): string | undefined {
  const { AWS_REGION, AWS_DEFAULT_REGION } = environment;
  return textIn(config, "aws:region") ?? AWS_REGION ?? AWS_DEFAULT_REGION;
}

/** Who reads settings. */
type Around = Pick<Surroundings, "environment"> & {
  /** Reads the files that the stack file names. @default from the disk */
  readonly textOf?: TextOf;
};

/** @throws SettingsError with all mistakes */
export function settingsOf(config: PulumiConfig, around: Around): Settings {
  const gathered = gatheredFrom(config, around);
  return inPlace(gathered, () => parseSettings(...words(gathered, config, around)));
}

/** The same where mistakes are no hindrance. @throws SettingsError where the files that it names cannot be put together */
export function settingsAsRead(config: PulumiConfig, around: Around): Settings {
  return examineSettings(...words(gatheredFrom(config, around), config, around)).settings;
}

function words(
  { raw }: Gathered,
  config: PulumiConfig,
  { environment }: Around,
): Parameters<typeof parseSettings> {
  return [raw, environment, regionOf(config, environment)];
}

function gatheredFrom(config: PulumiConfig, { textOf }: Around): Gathered {
  const raw = Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(NAMESPACE))
      .map(([key, { value, objectValue }]) => [key.slice(NAMESPACE.length), objectValue ?? value]),
  );
  return gather(raw, textOf);
}

/** `pulumi stack export`, as far as it is read here. */
export interface StackState {
  readonly deployment?: {
    readonly resources?: readonly {
      readonly urn: string;
      readonly outputs?: Readonly<Record<string, unknown>>;
    }[];
  };
}

/** One output of a resource by its name, where it is a text. */
export function outputIn({ deployment }: StackState, name: string, key: string): string | undefined {
  const value = deployment?.resources?.find(({ urn }) => urn.endsWith(`::${name}`))?.outputs?.[key];
  // A secret is an object with its JSON in it.
  const text =
    typeof value === "object" && value !== null && "plaintext" in value
      ? JSON.parse(String(value.plaintext))
      : value;
  return typeof text === "string" ? text : undefined;
}
