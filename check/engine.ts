/** What the engine tells of a stack. */
import { examineSettings, parseSettings } from "../settings/parse.ts";
import { withShared } from "../settings/shared.ts";
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

/** @throws SettingsError with all mistakes */
export function settingsOf(config: PulumiConfig, around: Pick<Surroundings, "environment">): Settings {
  return parseSettings(...written(config, around));
}

/** The same where mistakes are no hindrance. */
export function settingsAsRead(config: PulumiConfig, around: Pick<Surroundings, "environment">): Settings {
  return examineSettings(...written(config, around)).settings;
}

function written(
  config: PulumiConfig,
  { environment }: Pick<Surroundings, "environment">,
): Parameters<typeof parseSettings> {
  const prefix = "mailhost:";
  const raw = Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, { value, objectValue }]) => [key.slice(prefix.length), objectValue ?? value]),
  );
  return [withShared(raw), environment, regionOf(config, environment)];
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
