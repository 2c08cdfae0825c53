/** What a provider says about its properties, and the mistakes that follow from it. */
import type { Value } from "./values.ts";

/** What an input property may be. */
export interface InputSchema {
  readonly type: "string" | "number" | "integer" | "boolean" | "list" | "map" | "object" | "any";
  /** Members of a list or map. @default anything */
  readonly items?: InputSchema;
  /** Known properties of an object. @default any */
  readonly properties?: { readonly [name: string]: InputSchema };
  readonly required?: boolean;
  /** Always a secret in the state, whoever sets it. */
  readonly secret?: boolean;
  /** A change of it replaces the resource. */
  readonly replaceOnChange?: boolean;
  /** The service picks a value where none is given; a missing input is then no difference. */
  readonly computed?: boolean;
  /** A list whose order means nothing. */
  readonly set?: boolean;
  /** Filled in by Check where the program is silent. */
  readonly default?: Value;
  /** Filled in by Check: the resource's name and seven random hex digits, as bridged providers name things. */
  readonly autoname?: boolean;
  readonly oneOf?: readonly Value[];
  /** Names of sibling inputs that may not be set together with this one. */
  readonly conflictsWith?: readonly string[];
}

/** A property that is only read. */
export interface OutputSchema {
  readonly secret?: boolean;
  /** Inputs on whose change it changes too; `"*"` is any input. @default none */
  readonly changesWith?: readonly string[] | "*";
}

/** A mistake in the inputs. */
export interface Failure {
  /** Path of the property (`ingress[0].fromPort`); its value is never shown. */
  readonly property: string;
  /** What is wrong, and what to write instead. */
  readonly reason: string;
}
