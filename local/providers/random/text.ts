/** Random text as the random provider makes it, from the system's own randomness and without bias. */
import { randomInt } from "node:crypto";

/** What a password or string is to be made of; numbers are characters. */
export interface TextInputs {
  readonly length: number;
  readonly upper?: boolean;
  readonly minUpper?: number;
  readonly lower?: boolean;
  readonly minLower?: number;
  readonly numeric?: boolean;
  /** The older name of `numeric`. */
  readonly number?: boolean;
  readonly minNumeric?: number;
  readonly special?: boolean;
  readonly minSpecial?: number;
  /** Used for special characters instead of the provider's own. */
  readonly overrideSpecial?: string;
}

const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const DIGITS = "0123456789";
const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";

/** Each kind of character with its share: whether it is allowed, and how many there are at least. */
export function kinds(inputs: TextInputs): { characters: string; allowed: boolean; minimum: number }[] {
  return [
    { characters: UPPER, allowed: inputs.upper ?? true, minimum: inputs.minUpper ?? 0 },
    { characters: LOWER, allowed: inputs.lower ?? true, minimum: inputs.minLower ?? 0 },
    { characters: DIGITS, allowed: inputs.numeric ?? inputs.number ?? true, minimum: inputs.minNumeric ?? 0 },
    {
      characters: inputs.overrideSpecial || SPECIAL,
      allowed: inputs.special ?? true,
      minimum: inputs.minSpecial ?? 0,
    },
  ];
}

function pick(characters: string): string {
  return characters.charAt(randomInt(characters.length));
}

/** Makes the text. The inputs have been checked: some kind is allowed, and the minima fit into the length. */
export function randomText(inputs: TextInputs): string {
  const all = kinds(inputs);
  const text = all.flatMap(({ characters, minimum }) =>
    Array.from({ length: minimum }, () => pick(characters)),
  );
  const allowed = all
    .filter((kind) => kind.allowed)
    .map((kind) => kind.characters)
    .join("");
  while (text.length < inputs.length) {
    text.push(pick(allowed));
  }
  // Fisher–Yates, so that the demanded characters may stand anywhere.
  for (let last = text.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [text[last], text[other]] = [text[other] ?? "", text[last] ?? ""];
  }
  return text.join("");
}
