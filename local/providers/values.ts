/**
 * Property values as they travel between the engine and a provider: JSON, plus secrets and unknowns.
 *
 * On the wire both are sentinels inside a `google.protobuf.Struct`
 * (Pulumi's `developer-docs/architecture/deployment-schema`, "property values"): a secret is an object with a
 * signature key, an unknown is a reserved string. Here a secret is a {@link Secret} and an unknown is
 * {@link UNKNOWN}; assets, archives and resource references stay the plain objects that they are.
 */

/** A value that is to be encrypted in the state and masked on the screen. */
export class Secret {
  readonly value: Value;
  constructor(value: Value) {
    this.value = value;
  }
}

/** The class of {@link UNKNOWN}, which is its only instance. */
export class Unknown {
  readonly #brand = "unknown";
  toString(): string {
    return `<${this.#brand}>`;
  }
}

/** A value that a preview cannot know yet. */
export const UNKNOWN = new Unknown();

export type Value =
  | null
  | boolean
  | number
  | string
  | Secret
  | Unknown
  | readonly Value[]
  | { readonly [key: string]: Value | undefined };

/** The properties of a resource; an absent one and an `undefined` one are the same. */
export type Properties = { readonly [key: string]: Value | undefined };

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** An unknown may carry the type it will have; every one of them is just unknown here. */
const UNKNOWN_STRINGS = new Set([
  UNKNOWN_STRING,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** JSON that a Struct can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** From the wire's form. */
export function fromWire(json: Json): Value {
  if (typeof json === "string") {
    return UNKNOWN_STRINGS.has(json) ? UNKNOWN : json;
  }
  if (json === null || typeof json !== "object") {
    return json;
  }
  if (Array.isArray(json)) {
    return json.map(fromWire);
  }
  if (json[SIGNATURE] === SECRET_SIGNATURE) {
    return new Secret(fromWire(json.value ?? null));
  }
  if (json[SIGNATURE] === OUTPUT_SIGNATURE) {
    const inner = json.value === undefined ? UNKNOWN : fromWire(json.value);
    return json.secret === true ? new Secret(inner) : inner;
  }
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, fromWire(value)]));
}

/** To the wire's form; `undefined` members are left out. */
export function toWire(value: Value): Json {
  if (value instanceof Unknown) {
    return UNKNOWN_STRING;
  }
  if (value instanceof Secret) {
    // A secret unknown would be stored as a secret whose text is the sentinel: the engine wants it bare.
    return containsUnknown(value.value)
      ? UNKNOWN_STRING
      : { [SIGNATURE]: SECRET_SIGNATURE, value: toWire(value.value) };
  }
  if (value === null || typeof value !== "object") {
    return value;
  }
  if (isList(value)) {
    return value.map(toWire);
  }
  const wire: { [key: string]: Json } = {};
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) {
      wire[key] = toWire(member);
    }
  }
  return wire;
}

export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

/** A plain object: neither list, nor secret, nor unknown. */
export function isObject(value: Value | undefined): value is Properties {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Secret) &&
    !(value instanceof Unknown)
  );
}

/** The value without its secret wrappers, at any depth. */
export function plain(value: Value): Value {
  if (value instanceof Secret) {
    return plain(value.value);
  }
  if (isList(value)) {
    return value.map(plain);
  }
  if (isObject(value)) {
    return plainProperties(value);
  }
  return value;
}

/** {@link plain} for a resource's properties; drops undefined members. */
export function plainProperties(properties: Properties): Properties {
  const result: { [key: string]: Value } = {};
  for (const [key, value] of Object.entries(properties)) {
    if (value !== undefined) {
      result[key] = plain(value);
    }
  }
  return result;
}

export function containsUnknown(value: Value | undefined): boolean {
  return some(value, (part) => part instanceof Unknown);
}

function containsSecret(value: Value | undefined): boolean {
  return some(value, (part) => part instanceof Secret);
}

function some(value: Value | undefined, test: (part: Value) => boolean): boolean {
  if (value === undefined) {
    return false;
  }
  if (test(value)) {
    return true;
  }
  if (value instanceof Secret) {
    return some(value.value, test);
  }
  if (isList(value)) {
    return value.some((member) => some(member, test));
  }
  return isObject(value) && Object.values(value).some((member) => some(member, test));
}

/**
 * Makes secret in `value` what is secret in `pattern`, an earlier form of the same property. Where the two have
 * different shapes and the pattern holds a secret anywhere, the whole becomes one.
 */
export function seal(value: Value, pattern: Value | undefined): Value {
  if (value instanceof Secret || value instanceof Unknown || !containsSecret(pattern)) {
    return value;
  }
  if (isObject(value) && isObject(pattern)) {
    return sealProperties(value, pattern);
  }
  if (isList(value) && isList(pattern) && value.length === pattern.length) {
    return value.map((member, index) => seal(member, pattern[index]));
  }
  return new Secret(plain(value));
}

/** {@link seal} for every property that both have. */
export function sealProperties(properties: Properties, pattern: Properties): Properties {
  const result: { [key: string]: Value } = {};
  for (const [key, value] of Object.entries(properties)) {
    if (value !== undefined) {
      result[key] = seal(value, pattern[key]);
    }
  }
  return result;
}

/** Equal apart from what is secret and what is not; an unknown equals nothing. */
export function equal(left: Value | undefined, right: Value | undefined): boolean {
  if (left instanceof Secret) {
    return equal(left.value, right);
  }
  if (right instanceof Secret) {
    return equal(left, right.value);
  }
  if (left instanceof Unknown || right instanceof Unknown) {
    return false;
  }
  if (isList(left)) {
    return (
      isList(right) &&
      left.length === right.length &&
      left.every((member, index) => equal(member, right[index]))
    );
  }
  if (isObject(left)) {
    if (!isObject(right)) {
      return false;
    }
    const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
    return [...keys].every((key) => equal(left[key], right[key]));
  }
  return (left ?? null) === (right ?? null);
}
