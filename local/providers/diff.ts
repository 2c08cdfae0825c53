/** What changes between two sets of inputs, by path. */
import type { InputSchema } from "./properties.ts";
import { equal, isList, isObject, type Properties, type Value } from "./values.ts";

export interface Change {
  /** Path of the property: `tags.Name`, `ingress[0].fromPort`. */
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  readonly replace: boolean;
}

// ---------------------------------------------------------------------------------------------------------
// Diff

/** Compares by path. A path ends at a secret, an unknown, a set or a leaf. */
function compare(
  before: Value | undefined,
  after: Value | undefined,
  schema: InputSchema | undefined,
  path: string,
  replace: boolean,
): Change[] {
  const replaces = replace || schema?.replaceOnChange === true;
  const old = before ?? undefined;
  const now = after ?? undefined;
  if (equal(old, now)) {
    return [];
  }
  if (old === undefined) {
    return [{ path, kind: "add", replace: replaces }];
  }
  if (now === undefined) {
    return schema?.computed ? [] : [{ path, kind: "delete", replace: replaces }];
  }
  if (isObject(old) && isObject(now)) {
    return compareProperties(old, now, schema?.properties, path, replaces, schema?.items);
  }
  if (isList(old) && isList(now)) {
    if (schema?.set) {
      const rest = [...now];
      for (const member of old) {
        const index = rest.findIndex((candidate) => equal(candidate, member));
        if (index >= 0) {
          rest.splice(index, 1);
        }
      }
      return rest.length === 0 && old.length === now.length
        ? []
        : [{ path, kind: "update", replace: replaces }];
    }
    const changes: Change[] = [];
    for (let index = 0; index < Math.max(old.length, now.length); index++) {
      changes.push(...compare(old[index], now[index], schema?.items, `${path}[${index}]`, replaces));
    }
    return changes;
  }
  return [{ path, kind: "update", replace: replaces }];
}

/**
 * Old inputs against new ones.
 * @param schemas what is known about the properties
 * @param path of the object that holds them; empty for a resource's own
 * @param replace every change replaces
 * @param items schema of the members of a map
 */
export function compareProperties(
  before: Properties,
  after: Properties,
  schemas: { readonly [name: string]: InputSchema } | undefined,
  path: string,
  replace: boolean,
  items?: InputSchema,
): Change[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys]
    .filter((key) => !key.startsWith("__"))
    .flatMap((key) => {
      // A key that is no plain word is quoted, or the engine reads its dots as a path.
      const member = /^[A-Za-z_$][\w$]*$/.test(key)
        ? path === ""
          ? key
          : `${path}.${key}`
        : `${path}[${JSON.stringify(key)}]`;
      const schema = schemas && Object.hasOwn(schemas, key) ? schemas[key] : items;
      return compare(before[key], after[key], schema, member, replace);
    });
}

/** First segment of a change's path: the property. */
export function topLevel(path: string): string {
  return /^[^.[]+/.exec(path)?.[0] ?? path;
}
