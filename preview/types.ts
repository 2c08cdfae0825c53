/** What a run of the engine would do, as far as a person wants to know it; nothing secret is in it. */

/** Stands for a value that is secret. */
export const SECRET = "[secret]";

/** Stands for a value that only the `up` itself will know. */
export const UNKNOWN = "[unknown]";

export type Properties = Readonly<Record<string, unknown>>;

/** `forget` leaves what is there as it is, and takes it out of the state. */
export type ChangeKind = "create" | "update" | "replace" | "delete" | "forget";

/** What would be done with one resource. */
export interface Change {
  readonly kind: ChangeKind;
  /** Last part of its URN. */
  readonly name: string;
  /** Token: `aws:ec2/instance:Instance`. */
  readonly type: string;
  /** Its inputs as the state has them; empty where there is none yet. */
  readonly before: Properties;
  /** Its inputs as the program wants them; empty where it goes. */
  readonly after: Properties;
  /** Inputs that differ, secret ones too, by their first name. */
  readonly changed: readonly string[];
  /** Those of them that ask for a new one; empty unless it is replaced. */
  readonly causes: readonly string[];
}

/** What a policy has against it (docs/policies.md). */
export interface Violation {
  /** The policy's name. */
  readonly policy: string;
  /** An `up` that is held by the policies would stop. */
  readonly isMandatory: boolean;
  /** Last part of the resource's URN; undefined: it is the stack as a whole. */
  readonly resource?: string;
  /** What is wrong, and what to do: whole sentences. */
  readonly text: string;
}

/** One preview, whole. */
export interface Preview {
  readonly stack: string;
  readonly changes: readonly Change[];
  /** The stack's outputs: of the last `up`, and as they would be. `undefined`: the preview did not come so far. */
  readonly outputs: { readonly before: Properties; readonly after: Properties | undefined };
  /** What stands in the way, in the engine's and the program's words: an `up` would end with the same. */
  readonly refusals: readonly string[];
  /** Empty where no policies were asked. */
  readonly violations: readonly Violation[];
  readonly warnings: readonly string[];
}
