/** Keeps secrets out of what people and logs get to read. */
import type { InputSchema, OutputSchema } from "./properties.ts";
import { isList, isObject, type Properties, Secret, type Value } from "./values.ts";

/** Shorter texts are words of everyday (`admin`, `22`): masking them would only spoil the sentence. */
const SHORTEST_MASKED = 8;

/** Shorter words inside a longer secret may be anything; a generated password or a hash is longer. */
const SHORTEST_WORD = 12;

/** The secret texts among properties. Where a schema marks members of an object as secret, only those count. */
export function secretTexts(
  properties: Properties,
  schemas: { readonly [name: string]: InputSchema | OutputSchema },
): string[] {
  return Object.entries(properties).flatMap(([key, value]) => {
    const schema = Object.hasOwn(schemas, key) ? schemas[key] : undefined;
    const inner = value instanceof Secret ? value.value : value;
    if (schema && "properties" in schema && schema.properties && hasSecretMember(schema) && isObject(inner)) {
      return secretTexts(inner, schema.properties);
    }
    return textsIn(value, schema?.secret === true);
  });
}

function hasSecretMember(schema: InputSchema): boolean {
  return Object.values(schema.properties ?? {}).some((member) => member.secret || hasSecretMember(member));
}

/** The texts below a value that are secret: all of them where the value itself is. */
function textsIn(value: Value | undefined, secret: boolean): string[] {
  if (typeof value === "string") {
    return secret && value.length >= SHORTEST_MASKED ? [value] : [];
  }
  if (value instanceof Secret) {
    return textsIn(value.value, true);
  }
  if (isList(value)) {
    return value.flatMap((member) => textsIn(member, secret));
  }
  return isObject(value) ? Object.values(value).flatMap((member) => textsIn(member, secret)) : [];
}

/**
 * A long word with letters and digits, that is neither a path nor a host or mail address: what a password, a
 * hash or a key looks like inside a file that is secret as a whole. The names in such a file are no secrets, and
 * an error that names file and line is worth having.
 */
function looksSecret(word: string): boolean {
  return (
    word.length >= SHORTEST_WORD &&
    /[0-9]/.test(word) &&
    /[A-Za-z]/.test(word) &&
    !/^(\/[\w.@-]+)+$/.test(word) &&
    !/^([\w.+-]+@)?([\w-]+\.)+[a-z]{2,}$/i.test(word)
  );
}

/**
 * Replaces by `[secret]` each secret, each line of one where it stands as a line, each longer line of one anywhere,
 * and each word in it that looks like a secret.
 */
export function mask(text: string, secrets: readonly string[]): string {
  const lines = new Set<string>();
  const parts = new Set<string>();
  for (const secret of secrets) {
    parts.add(secret);
    for (const line of secret.split("\n").map((each) => each.trim())) {
      if (line !== "") {
        lines.add(line);
      }
      if (line.length >= SHORTEST_MASKED) {
        parts.add(line);
      }
      for (const word of line.split(/[\s:,;='"(){}<>|]+/).filter(looksSecret)) {
        parts.add(word);
      }
    }
  }
  let masked = text;
  for (const part of [...parts].sort((left, right) => right.length - left.length)) {
    masked = masked.replaceAll(part, "[secret]");
  }
  return masked
    .split("\n")
    .map((line) => (lines.has(line.trim()) ? "[secret]" : line))
    .join("\n");
}
