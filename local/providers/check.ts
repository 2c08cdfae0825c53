/** Inputs against their schema, with the sentences of the bridged providers. */
import type { Failure, InputSchema, OutputSchema } from "./properties.ts";
import { isList, isObject, type Properties, Secret, Unknown, type Value } from "./values.ts";

// ---------------------------------------------------------------------------------------------------------
// Check

/** `vpcId` → `vpc_id`, as bridged providers name properties in their errors. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function describe(value: Value): string {
  if (isList(value)) {
    return "list";
  }
  return isObject(value) ? "object" : typeof value;
}

/** Checks one value, fills in the defaults of nested objects, and turns text into numbers or booleans. */
function checkValue(
  value: Value,
  schema: InputSchema,
  path: string,
  name: string,
  failures: Failure[],
): Value {
  if (value instanceof Secret) {
    return new Secret(checkValue(value.value, schema, path, name, failures));
  }
  if (value instanceof Unknown || schema.type === "any") {
    return value;
  }
  const wrongType = (): Value => {
    const expected = schema.type === "integer" ? "number" : schema.type;
    failures.push({
      property: path,
      reason: `expected ${expected} type, got ${describe(value)} type. Examine values at '${name}.${path}'.`,
    });
    return value;
  };
  let checked = value;
  switch (schema.type) {
    case "string":
      if (typeof value === "number" || typeof value === "boolean") {
        checked = String(value);
      } else if (typeof value !== "string") {
        return wrongType();
      }
      break;
    case "number":
    case "integer": {
      const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      if (typeof number !== "number" || Number.isNaN(number)) {
        return wrongType();
      }
      if (schema.type === "integer" && !Number.isInteger(number)) {
        failures.push({
          property: path,
          reason: `expected a whole number, got ${number}. Examine values at '${name}.${path}'.`,
        });
      }
      checked = number;
      break;
    }
    case "boolean":
      if (value === "true" || value === "false") {
        checked = value === "true";
      } else if (typeof value !== "boolean") {
        return wrongType();
      }
      break;
    case "list": {
      if (!isList(value)) {
        return wrongType();
      }
      const items = schema.items;
      checked = items
        ? value.map((member, index) => checkValue(member, items, `${path}[${index}]`, name, failures))
        : value;
      break;
    }
    case "map":
    case "object": {
      if (!isObject(value)) {
        return wrongType();
      }
      if (schema.type === "object" && schema.properties) {
        checked = checkProperties(value, schema.properties, `${path}.`, name, failures);
      } else if (schema.items) {
        const items = schema.items;
        checked = Object.fromEntries(
          Object.entries(value).map(([key, member]) => [
            key,
            member === undefined ? undefined : checkValue(member, items, `${path}.${key}`, name, failures),
          ]),
        );
      }
      break;
    }
  }
  if (schema.oneOf && !schema.oneOf.includes(checked)) {
    const options = schema.oneOf.map((option) => JSON.stringify(option)).join(", ");
    failures.push({
      property: path,
      reason:
        `expected ${snakeCase(path)} to be one of [${options}], got ` +
        `${schema.secret ? "another value" : String(checked)}. Examine values at '${name}.${path}'.`,
    });
  }
  return checked;
}

/** Checks all inputs of a resource or of an object inside one; what is wrong is added to `failures`. */
export function checkProperties(
  given: Properties,
  schemas: { readonly [name: string]: InputSchema },
  prefix: string,
  name: string,
  failures: Failure[],
): Properties {
  const checked: { [key: string]: Value } = {};
  for (const [key, value] of Object.entries(given)) {
    const schema = Object.hasOwn(schemas, key) ? schemas[key] : undefined;
    if (value === undefined || value === null) {
      continue;
    }
    if (schema) {
      checked[key] = checkValue(value, schema, prefix + key, name, failures);
    } else if (key.startsWith("__")) {
      // `__defaults` and its like are the bridge's own notes.
      checked[key] = value;
    } else {
      failures.push({
        property: prefix + key,
        reason: `Invalid or unknown key. Examine values at '${name}.${prefix}${key}'.`,
      });
    }
  }
  for (const [key, schema] of Object.entries(schemas)) {
    if (checked[key] === undefined) {
      if (schema.default !== undefined) {
        checked[key] = schema.default;
      } else if (schema.required) {
        failures.push({
          property: prefix + key,
          reason:
            `Missing required argument. The argument "${snakeCase(key)}" is required, but no definition was ` +
            `found.. Examine values at '${name}.${prefix}${key}'.`,
        });
      }
    }
    const rival = schema.conflictsWith?.find((other) => given[other] !== undefined && given[other] !== null);
    if (rival !== undefined && given[key] !== undefined && given[key] !== null) {
      failures.push({
        property: prefix + key,
        reason:
          `Conflicting configuration arguments. "${snakeCase(key)}": conflicts with ${snakeCase(rival)}. ` +
          `Examine values at '${name}.${prefix}${key}'.`,
      });
    }
  }
  return checked;
}

/** Wraps what the schema calls secret. */
export function markSecrets(
  properties: Properties,
  schemas: { readonly [name: string]: InputSchema | OutputSchema },
): Properties {
  const marked: { [key: string]: Value } = {};
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined) {
      continue;
    }
    const schema = Object.hasOwn(schemas, key) ? schemas[key] : undefined;
    if (schema?.secret && !(value instanceof Secret) && !(value instanceof Unknown)) {
      marked[key] = new Secret(value);
    } else if (schema && "properties" in schema && schema.properties && isObject(value)) {
      marked[key] = markSecrets(value, schema.properties);
    } else {
      marked[key] = value;
    }
  }
  return marked;
}
