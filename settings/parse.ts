import { agree } from "./agreement.ts";
import { form } from "./form.ts";
import { type Mistake, SettingsError } from "./mistakes.ts";
import type { Settings } from "./types.ts";

export { SettingsError } from "./mistakes.ts";

/** What a stack file says, and what is wrong with it. */
export interface Read {
  /** Whole where there is no mistake; else without what is mistaken. */
  readonly settings: Settings;
  /** Each with its place, what is wrong and what to write instead, in the order of the file. */
  readonly mistakes: readonly Mistake[];
}

/**
 * The settings of a stack, checked as a whole, with every default filled in. Pure: reads no file, asks nobody.
 * @param raw the keys of the stack's `mailhost:` namespace without the prefix, values as Pulumi hands them out
 * @param environment what `${NAME}` in any text stands for
 * @param region the stack's `aws:region`
 */
export function examineSettings(
  raw: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
  region = "",
): Read {
  const formed = form(raw, environment);
  const mistakes: Mistake[] = [...formed.mistakes];
  // What is mistaken by itself was taken out: that it is missing now goes without saying.
  const told = formed.mistakes.map(({ path }) => path);
  const texts = new Set(told.map((path) => path.join("\n")));
  const settings = agree(formed.remains, formed.written, told, region, (path, message) => {
    if (!texts.has(path.join("\n"))) mistakes.push({ path, message });
  });
  return { settings, mistakes: mistakes.toSorted(byPlaceIn(raw)) };
}

/** The same for whom only whole settings are of use. @throws SettingsError naming every mistake */
export function parseSettings(...given: Parameters<typeof examineSettings>): Settings {
  const { settings, mistakes } = examineSettings(...given);
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  return settings;
}

/** In the order of the stack file; what is missing from a mapping comes after what it has. */
function byPlaceIn(raw: unknown): (a: Mistake, b: Mistake) => number {
  const placeOf = ({ path }: Mistake) => {
    let value = raw;
    return path.map((key) => {
      const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
      const place = keys.indexOf(String(key));
      value = place < 0 ? undefined : (value as Record<string | number, unknown>)[key];
      return place < 0 ? keys.length : place;
    });
  };
  return (a, b) => {
    const [left, right] = [placeOf(a), placeOf(b)];
    const differs = left.findIndex((place, index) => place !== right[index]);
    return differs < 0 ? left.length - right.length : (left[differs] ?? 0) - (right[differs] ?? -1);
  };
}
