import { AwsError } from "./errors.ts";

export type Tags = Record<string, string>;

/** `{ Name, Values }` of EC2's Describe actions. */
export interface Filter {
  readonly name: string;
  readonly values: readonly string[];
}

/**
 * The parameters of one call, in the shape of the AWS SDK for JavaScript. What is missing, malformed or not
 * known is an error with EC2's code: MissingParameter, InvalidParameterValue, UnknownParameter.
 */
export class Parameters {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #seen = new Set<string>();

  constructor(values: unknown, path = "") {
    if (typeof values !== "object" || values === null || Array.isArray(values)) {
      throw new AwsError("MalformedQueryString", `The parameters${path && ` of ${path}`} are no structure`);
    }
    this.#values = values as Record<string, unknown>;
    this.#path = path;
  }

  /** Refuses parameters that nothing asked for. Every action calls it after it has read its own. */
  end(): void {
    for (const name of Object.keys(this.#values)) {
      if (!this.#seen.has(name) && this.#values[name] !== undefined) {
        throw new AwsError("UnknownParameter", `The parameter ${this.#path}${name} is not recognized`);
      }
    }
  }

  string(name: string): string {
    return this.#required(name, this.maybeString(name));
  }

  maybeString(name: string): string | undefined {
    return this.#typed(name, "string");
  }

  integer(name: string): number {
    return this.#required(name, this.maybeInteger(name));
  }

  maybeInteger(name: string): number | undefined {
    const value = this.#typed<number>(name, "number");
    if (value !== undefined && !Number.isInteger(value)) throw this.#invalid(name, value);
    return value;
  }

  maybeBoolean(name: string): boolean | undefined {
    return this.#typed(name, "boolean");
  }

  /** `{ Value }`, as the Modify…Attribute actions take it. */
  maybeValue<T extends string | boolean>(name: string, type: "string" | "boolean"): T | undefined {
    const inner = this.maybeStructure(name);
    if (inner === undefined) return undefined;
    const value = type === "string" ? inner.string("Value") : inner.maybeBoolean("Value");
    inner.end();
    return value as T | undefined;
  }

  maybeStructure(name: string): Parameters | undefined {
    const value = this.#typed<object>(name, "object");
    return value === undefined ? undefined : new Parameters(value, `${this.#path}${name}.`);
  }

  strings(name: string): string[] {
    const values = this.#list(name) ?? [];
    return values.map((value) => {
      if (typeof value !== "string") throw this.#invalid(name, value);
      return value;
    });
  }

  maybeStrings(name: string): string[] | undefined {
    return this.#list(name) === undefined ? undefined : this.strings(name);
  }

  structures(name: string): Parameters[] {
    return (this.#list(name) ?? []).map(
      (value, index) => new Parameters(value, `${this.#path}${name}.${index}.`),
    );
  }

  filters(): Filter[] {
    return this.structures("Filters").map((filter) => {
      const result = { name: filter.string("Name"), values: filter.strings("Values") };
      filter.end();
      return result;
    });
  }

  tags(name = "Tags"): Tags {
    const tags: Tags = {};
    for (const tag of this.structures(name)) {
      const key = tag.string("Key");
      const value = tag.maybeString("Value") ?? "";
      tag.end();
      if (key in tags) {
        throw new AwsError("InvalidParameterValue", `Duplicate tag key '${key}' specified.`);
      }
      checkTag(key, value);
      tags[key] = value;
    }
    if (Object.keys(tags).length > 50) {
      throw new AwsError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.");
    }
    return tags;
  }

  /** Tags of a create action, which must be meant for one of `resourceTypes`. */
  tagSpecifications(...resourceTypes: string[]): Partial<Record<string, Tags>> {
    const result: Record<string, Tags> = {};
    for (const specification of this.structures("TagSpecifications")) {
      const type = specification.string("ResourceType");
      if (!resourceTypes.includes(type)) {
        throw new AwsError(
          "InvalidParameterValue",
          `'${type}' is not a valid taggable resource type for this operation.`,
        );
      }
      result[type] = specification.tags();
      specification.end();
    }
    return result;
  }

  #list(name: string): unknown[] | undefined {
    const value = this.#typed<object>(name, "object");
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw this.#invalid(name, value);
    return value;
  }

  #typed<T>(name: string, type: "string" | "number" | "boolean" | "object"): T | undefined {
    this.#seen.add(name);
    const value = this.#values[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== type) throw this.#invalid(name, value);
    return value as T;
  }

  #required<T>(name: string, value: T | undefined): T {
    if (value === undefined) {
      throw new AwsError("MissingParameter", `The request must contain the parameter ${this.#path}${name}`);
    }
    return value;
  }

  #invalid(name: string, value: unknown): AwsError {
    const shown = typeof value === "object" ? "of the wrong type" : String(value);
    return new AwsError(
      "InvalidParameterValue",
      `Value (${shown}) for parameter ${this.#path}${name} is invalid.`,
    );
  }
}

/** EC2's limits of a tag: key 1–127 characters and not `aws:…`, value up to 255. */
export function checkTag(key: string, value: string): void {
  if (key === "" || key.length > 127) {
    throw new AwsError("InvalidParameterValue", "Tag key exceeds the maximum length of 127 characters");
  }
  if (value.length > 255) {
    throw new AwsError("InvalidParameterValue", "Tag value exceeds the maximum length of 255 characters");
  }
  if (key.toLowerCase().startsWith("aws:")) {
    throw new AwsError(
      "InvalidParameterValue",
      "Tag keys starting with 'aws:' are reserved for internal use",
    );
  }
}
