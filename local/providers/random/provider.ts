/**
 * The random provider, version 4.21: passwords, strings, ids, bytes and UUIDs, with the outputs of the
 * official one (https://www.pulumi.com/registry/packages/random/). Every change replaces.
 */
import { randomBytes, randomUUID } from "node:crypto";
import {
  defineResource,
  type Failure,
  type InputSchema,
  type OutputSchema,
  type Properties,
  type Provider,
  type ResourceDefinition,
} from "../framework.ts";
import { kinds, randomText, type TextInputs } from "./text.ts";

type Schemas = { readonly [name: string]: InputSchema };

const KEEPERS: InputSchema = { type: "map", items: { type: "string" }, replaceOnChange: true };

/** Nothing of these resources is anywhere but in the state. */
function stateOnly<I>(
  inputs: Schemas,
  outputs: { readonly [name: string]: OutputSchema },
  create: (inputs: I) => Promise<{ id: string; outputs: Properties }>,
  rest: Pick<ResourceDefinition<I>, "check"> & {
    /** The outputs of an existing value, named by the id of an import. */
    adopt?: (id: string) => Promise<{ id: string; outputs: Properties; inputs: Properties }>;
  } = {},
): ResourceDefinition<Properties> {
  const { adopt, ...others } = rest;
  return defineResource<I>({
    inputs,
    outputs,
    ...others,
    create: (request) => create(request.inputs),
    async read({ id, state, inputs: given }) {
      if (Object.keys(state).length > 0) {
        return { id, outputs: state, inputs: given };
      }
      return adopt?.(id);
    },
    async delete() {},
  });
}

/** bcrypt's cost, the official provider's. */
const BCRYPT_COST = 10;

/** `$2a$10$…`, as Go's library writes it; the first 72 bytes count. */
async function bcryptHash(password: string): Promise<string> {
  // The library is loaded when a password is made: few runs of the provider make one.
  const { default: bcrypt } = await import("bcryptjs");
  const salt = await bcrypt.genSalt(BCRYPT_COST);
  return bcrypt.hash(password, salt.replace(/^\$2[by]\$/, "$2a$"));
}

const TEXT_INPUTS: Schemas = {
  length: { type: "integer", required: true, replaceOnChange: true },
  upper: { type: "boolean", replaceOnChange: true },
  minUpper: { type: "integer", replaceOnChange: true },
  lower: { type: "boolean", replaceOnChange: true },
  minLower: { type: "integer", replaceOnChange: true },
  numeric: { type: "boolean", replaceOnChange: true, conflictsWith: ["number"] },
  number: { type: "boolean", replaceOnChange: true },
  minNumeric: { type: "integer", replaceOnChange: true },
  special: { type: "boolean", replaceOnChange: true },
  minSpecial: { type: "integer", replaceOnChange: true },
  overrideSpecial: { type: "string", replaceOnChange: true },
  keepers: KEEPERS,
};

function checkText({ keepers: _, ...inputs }: Properties, name: string): Failure[] {
  if (Object.values(inputs).some((value) => typeof value === "object")) {
    // Something is not known yet, or not of its type.
    return [];
  }
  const given = inputs as unknown as TextInputs;
  const failures: Failure[] = [];
  const all = kinds(given);
  const minima = all.reduce((sum, kind) => sum + kind.minimum, 0);
  if (!all.some((kind) => kind.allowed)) {
    failures.push({
      property: "special",
      reason:
        "Invalid Attribute Combination. At least one attribute out of [special,upper,lower,numeric] must be " +
        `specified as true. Examine values at '${name}.special'.`,
    });
  }
  const least = Math.max(1, minima);
  if (typeof given.length === "number" && given.length < least) {
    failures.push({
      property: "length",
      reason:
        "Invalid Attribute Value. Attribute length value must be at least 1 and at least the sum of " +
        `min_upper, min_lower, min_numeric and min_special (${least}), got: ${given.length}. ` +
        `Examine values at '${name}.length'.`,
    });
  }
  return failures;
}

/** What the official provider fills in for what is not given. */
function textDefaults(inputs: TextInputs): Properties {
  const numeric = inputs.numeric ?? inputs.number ?? true;
  return {
    upper: inputs.upper ?? true,
    minUpper: inputs.minUpper ?? 0,
    lower: inputs.lower ?? true,
    minLower: inputs.minLower ?? 0,
    numeric,
    number: numeric,
    minNumeric: inputs.minNumeric ?? 0,
    special: inputs.special ?? true,
    minSpecial: inputs.minSpecial ?? 0,
  };
}

const check: ResourceDefinition<TextInputs>["check"] = ({ inputs, name }) => ({
  failures: checkText(inputs, name),
});

const password = stateOnly<TextInputs>(
  TEXT_INPUTS,
  { result: { secret: true }, bcryptHash: { secret: true } },
  async (inputs) => {
    const result = randomText(inputs);
    const outputs = { ...textDefaults(inputs), result, bcryptHash: await bcryptHash(result) };
    return { id: "none", outputs };
  },
  {
    check,
    async adopt(id) {
      const inputs = { length: id.length };
      return {
        id: "none",
        outputs: { ...textDefaults(inputs), ...inputs, result: id, bcryptHash: await bcryptHash(id) },
        inputs,
      };
    },
  },
);

const string = stateOnly<TextInputs>(
  TEXT_INPUTS,
  { result: {} },
  async (inputs) => {
    const result = randomText(inputs);
    return { id: result, outputs: { ...textDefaults(inputs), result } };
  },
  {
    check,
    async adopt(id) {
      const inputs = { length: id.length };
      return { id, outputs: { ...textDefaults(inputs), ...inputs, result: id }, inputs };
    },
  },
);

function idOutputs(bytes: Buffer, prefix = ""): Properties {
  return {
    b64Std: prefix + bytes.toString("base64"),
    b64Url: prefix + bytes.toString("base64url"),
    hex: prefix + bytes.toString("hex"),
    dec: prefix + BigInt(`0x${bytes.toString("hex")}`).toString(),
  };
}

const id = stateOnly<{ byteLength: number; prefix?: string }>(
  {
    byteLength: { type: "integer", required: true, replaceOnChange: true },
    prefix: { type: "string", replaceOnChange: true },
    keepers: KEEPERS,
  },
  { b64Std: {}, b64Url: {}, hex: {}, dec: {} },
  async ({ byteLength, prefix }) => {
    const bytes = randomBytes(byteLength);
    return { id: bytes.toString("base64url"), outputs: idOutputs(bytes, prefix) };
  },
  {
    check: ({ inputs, name }) => ({
      failures:
        typeof inputs.byteLength === "number" && inputs.byteLength < 1
          ? [
              {
                property: "byteLength",
                reason: `byte_length must be at least 1. Examine values at '${name}.byteLength'.`,
              },
            ]
          : [],
    }),
  },
);

const bytes = stateOnly<{ length: number }>(
  { length: { type: "integer", required: true, replaceOnChange: true }, keepers: KEEPERS },
  { base64: { secret: true }, hex: { secret: true } },
  async ({ length }) => {
    const made = randomBytes(length);
    return { id: "none", outputs: { base64: made.toString("base64"), hex: made.toString("hex") } };
  },
);

const uuid = stateOnly<object>({ keepers: KEEPERS }, { result: {} }, async () => {
  const result = randomUUID();
  return { id: result, outputs: { result } };
});

export const provider: Provider = {
  name: "random",
  version: "4.21.2",
  resources: {
    "random:index/randomPassword:RandomPassword": password,
    "random:index/randomString:RandomString": string,
    "random:index/randomId:RandomId": id,
    "random:index/randomBytes:RandomBytes": bytes,
    "random:index/randomUuid:RandomUuid": uuid,
  },
};
