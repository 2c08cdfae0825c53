/** The settings as JSON Schema (draft 7): the reference page is made of it, and editors complete and underline by it. */
import { z } from "zod";
import { NAMESPACE } from "./pieces.ts";
import { secretKeys } from "./plainSecrets.ts";
import { schema } from "./schema.ts";

/** What of JSON Schema the settings use. */
export interface Node {
  readonly type?: string;
  readonly const?: unknown;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
}

/** Any JSON Schema. */
type Schema = Readonly<Record<string, unknown>>;

/** The settings as the program takes them, without what stands for a value: environment variables and what Pulumi encrypts. */
export function settingsSchema(): Node {
  const options: z.core.ToJSONSchemaParams = {
    target: "draft-7",
    io: "input",
    // Where a value is brought into another form on its way in, Zod leaves these two out.
    override({ zodSchema, jsonSchema }) {
      const { examples } = z.globalRegistry.get(zodSchema) ?? {};
      if (Array.isArray(examples)) jsonSchema.examples = examples;
      const { def } = zodSchema._zod;
      if (def.type === "default") jsonSchema.default ??= (def as z.core.$ZodDefaultDef).defaultValue as never;
    },
  };
  return z.toJSONSchema(schema, options) as Node;
}

const draft = "http://json-schema.org/draft-07/schema#";
const origin = "Written by docs/generate.ts from settings/schema.ts; change that.";
/** Of a text in which an environment variable stands. */
const variable = "\\$\\{[A-Za-z_]\\w*\\}";

/** The form of a stack file, `Pulumi.<stack>.yaml`: `docs/stack.schema.json`. */
export function stackFileSchema(): Schema {
  const root = settingsSchema();
  const settings = inNamespace(root, (node, key) => inFile(node, { key }));
  const text = { type: "string" };
  return {
    $schema: draft,
    $comment: origin,
    title: "Stack file of a mail host",
    type: "object",
    properties: {
      config: {
        description: "What the host is to be (docs/settings.md), and what its providers are told.",
        type: ["object", "null"],
        properties: {
          "aws:region": {
            description: "AWS region of the machine.",
            type: "string",
            examples: ["eu-central-1"],
          },
          ...settings,
        },
        // Of other providers whatever they take; of ours what is above.
        patternProperties: { [`^(?!${NAMESPACE})[^:]+:`]: {} },
        additionalProperties: false,
      },
      environment: { description: "Environments of Pulumi ESC that it takes more from." },
      secretsprovider: { ...text, description: "Who encrypts its secrets. Written by `pulumi stack init`." },
      encryptedkey: { ...text, description: "Written by `pulumi stack init`." },
      encryptionsalt: { ...text, description: "Written by `pulumi stack init`." },
    },
    additionalProperties: false,
    // What it says elsewhere may be what is missing here.
    if: {
      anyOf: [
        { required: ["environment"] },
        {
          required: ["config"],
          properties: {
            config: {
              anyOf: ["shared", "parts"].map((key) => ({ required: [NAMESPACE + key] })),
            },
          },
        },
      ],
    },
    else: { properties: { config: { ...required(root, NAMESPACE), type: ["object", "null"] } } },
  };
}

/** The form of a file that a stack file names (`mailhost:parts`, `mailhost:shared`): `docs/part.schema.json`. */
export function partSchema(): Schema {
  const { shared: _, parts: _1, ...properties } = settingsSchema().properties ?? {};
  const settings = { $ref: "#/definitions/settings" };
  return {
    $schema: draft,
    $comment: origin,
    title: "Settings of a mail host that its stack file names",
    type: "object",
    properties: {
      config: { description: "Settings, as in a stack file.", ...settings },
      values: {
        description: "Settings, as in an environment of Pulumi ESC.",
        type: "object",
        properties: { pulumiConfig: settings },
        required: ["pulumiConfig"],
      },
    },
    oneOf: [{ required: ["config"] }, { required: ["values"] }],
    definitions: {
      settings: {
        type: "object",
        // Pulumi decrypts what is in the stack file alone.
        properties: inNamespace({ properties }, (node) => inFile(node, { key: undefined })),
        additionalProperties: false,
      },
    },
  };
}

function inNamespace(
  { properties = {} }: Node,
  change: (node: Node, key: string) => Schema,
): Readonly<Record<string, Schema>> {
  return Object.fromEntries(
    Object.entries(properties).map(([key, node]) => [NAMESPACE + key, change(node, key)]),
  );
}

/** Where a value stands. */
interface Where {
  /** Whose value it is; undefined in a file in which nothing can be encrypted. */
  readonly key: string | undefined;
  /** It is one of several forms. */
  readonly isForm?: true;
  /** In a list, whose entries are whole wherever they stand. */
  readonly isListed?: true;
}

/**
 * As a value may be written in a file. A number and a truth value may be a text, as `pulumi config set` writes them; each value
 * may come from the environment; a mapping may have nothing after its key. What a mapping cannot be without is told apart, since it
 * may stand in another file.
 */
function inFile(node: Node & { readonly synonyms?: unknown }, where: Where): Schema {
  const {
    synonyms: _,
    required: needed,
    anyOf,
    properties,
    items,
    additionalProperties: entry,
    ...rest
  } = node;
  const { key, isForm, ...inherited } = where;
  const named = (name: string): Where => ({ ...inherited, key: key === undefined ? undefined : name });
  if (anyOf !== undefined) {
    const forms = anyOf.flatMap((one): readonly Schema[] => {
      const form = inFile(one, { ...named(""), isForm: true });
      return Array.isArray(form.anyOf) && Object.keys(form).length === 1 ? (form.anyOf as Schema[]) : [form];
    });
    const different = new Map([...forms, ...secure(key)].map((form) => [JSON.stringify(form), form]));
    return { ...rest, anyOf: [...different.values()] };
  }
  if (properties !== undefined || typeof entry === "object")
    return {
      ...rest,
      type: isForm ? "object" : ["object", "null"],
      ...(properties && {
        properties: Object.fromEntries(
          Object.entries(properties).map(([name, value]) => [name, inFile(value, named(name))]),
        ),
      }),
      ...(entry !== undefined && {
        additionalProperties: typeof entry === "object" ? inFile(entry, named("")) : entry,
      }),
      ...(inherited.isListed && needed?.length && { required: needed }),
    };
  if (items !== undefined) return { ...rest, items: inFile(items, { ...named(""), isListed: true }) };
  const { description, default: usual, examples, type, ...form } = rest;
  const about = {
    ...(description !== undefined && { description }),
    ...(usual !== undefined && { default: usual }),
    ...(examples !== undefined && { examples }),
  };
  const forms = [...leaf(type, form), ...secure(key)];
  return forms.length === 1 ? { ...about, ...forms[0] } : { ...about, anyOf: forms };
}

/** The forms of a single value. */
function leaf(type: string | undefined, form: Node): readonly Schema[] {
  const written = { type: "string", pattern: `^${variable}$` };
  if (type === "boolean" || typeof form.const === "boolean")
    return [
      { type: "boolean", ...form },
      { ...written, pattern: `^(true|false|${variable})$` },
    ];
  if (type === "integer" || type === "number")
    return [
      { type, ...form },
      { ...written, pattern: `^(-?\\d+(\\.\\d+)?|${variable})$` },
    ];
  if (form.enum !== undefined || form.const !== undefined)
    return [{ ...(type && { type }), ...form }, written];
  if (form.pattern !== undefined)
    return [{ type: "string", ...form, pattern: `${form.pattern}|${variable}` }];
  return [{ ...(type && { type }), ...form }];
}

/** What Pulumi has encrypted, where that is usual. */
function secure(key: string | undefined): readonly Schema[] {
  if (key === undefined || !secretKeys.includes(key)) return [];
  return [
    {
      description: "Encrypted by `pulumi config set --secret`.",
      type: "object",
      properties: { secure: { type: "string" } },
      required: ["secure"],
      additionalProperties: false,
    },
  ];
}

/** What a mapping cannot be without, and what those in it cannot. A list's entries are judged where they stand. */
function required(node: Node, prefix = ""): Schema {
  const inside = Object.entries(node.properties ?? {}).flatMap(([key, value]) => {
    const more = required(value);
    return Object.keys(more).length === 0 ? [] : [[prefix + key, more]];
  });
  const entry = typeof node.additionalProperties === "object" ? required(node.additionalProperties) : {};
  const forms = (node.anyOf ?? []).map((one) => required(one)).filter((one) => Object.keys(one).length > 0);
  return {
    ...(node.required?.length && { required: node.required.map((key) => prefix + key) }),
    ...(inside.length > 0 && { properties: Object.fromEntries(inside) }),
    ...(Object.keys(entry).length > 0 && { additionalProperties: entry }),
    ...forms[0],
  };
}
