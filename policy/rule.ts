/** What a policy is here: a pure function of resources, which knows nothing of the engine that asks it (`pack.ts`). */

/** A resource as the program asks for it; in a stack's rule with what its provider has made of it. */
export interface Seen {
  readonly urn: string;
  /** The provider's token: `aws:ec2/instance:Instance`. */
  readonly type: string;
  readonly isProtected: boolean;
  /** To be read by `valueAt`: some of them are unknown before the first `up`. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Something that must not be: what, and what to do about it. */
export interface Violation {
  readonly text: string;
  /** Whose fault it is. @default the stack's as a whole */
  readonly urn?: string;
}

/** What the owner's policy configuration says about a rule, checked against its `settings`. */
export type RuleConfig = Readonly<Record<string, unknown>>;

interface Named {
  /** By which the policy configuration knows it. */
  readonly name: string;
  /** `advisory` only says it. @default mandatory: the run ends before anything is changed */
  readonly level?: "advisory";
  /** What must hold, in a sentence. */
  readonly description: string;
}

/** Looks at each resource of one type before it is made or changed. */
export interface ResourceRule extends Named {
  readonly type: string;
  readonly judge: (resource: Seen) => readonly string[];
}

/** Looks at all that the stack has, at the end of a preview or an `up`. */
export interface StackRule extends Named {
  readonly judgeStack: (
    resources: readonly Seen[],
    config: RuleConfig,
  ) => readonly Violation[] | Promise<readonly Violation[]>;
  /** What the policy configuration may say beside the level, as JSON Schema. @default nothing */
  readonly settings?: Readonly<Record<string, StringList>>;
}

interface StringList {
  readonly type: "array";
  readonly items: { readonly type: "string" };
  readonly description: string;
  readonly default: string[];
}

/** A text of a resource's that Pulumi does not treat as secret: it stands as it is in the state, its history and in previews. */
export interface OpenText {
  /** Where, from the resource down. */
  readonly path: readonly string[];
  readonly text: string;
}

/** Looks at each resource's open texts before it is made or changed. */
export interface OpenTextRule extends Named {
  readonly judgeOpen: (texts: readonly OpenText[]) => readonly string[];
}

export type Rule = ResourceRule | StackRule | OpenTextRule;

/** Stands for what nobody knows before an `up`. */
export const unknown: unique symbol = Symbol("unknown");

/** The value at a path; `unknown` where a preview cannot tell it. Policies are quiet about that: the `up` asks again. */
export function valueAt(properties: unknown, ...path: readonly (string | number)[]): unknown {
  let value = properties;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    try {
      value = (value as Readonly<Record<string | number, unknown>>)[key];
    } catch {
      // The SDK throws where somebody reads what is unknown.
      return unknown;
    }
  }
  return value;
}

/** The same as a list; empty where it is none, or unknown. */
export function listAt(properties: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const list = valueAt(properties, ...path);
  return Array.isArray(list) ? Array.from(list, (_, index) => valueAt(list, index)) : [];
}

/** The same as a text; `undefined` where it is none, or unknown. */
export function textAt(properties: unknown, ...path: readonly (string | number)[]): string | undefined {
  const text = valueAt(properties, ...path);
  return typeof text === "string" ? text : undefined;
}
