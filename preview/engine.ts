/**
 * Reads the events that the engine streams of a preview (`apitype/events.go` of Pulumi's SDK), one JSON object a line:
 * `pulumi preview --json` with PULUMI_ENABLE_STREAMING_JSON_PREVIEW set. They have the old and the new inputs of each resource
 * whole, and the stack's outputs, which `--json` alone leaves out. Secrets come masked in them, but for the messages of
 * severity `debug`, which are dropped unread.
 */
import { hidden } from "./hide.ts";
import {
  type Change,
  type ChangeKind,
  type Preview,
  type Properties,
  SECRET,
  UNKNOWN,
  type Violation,
} from "./types.ts";
import { isSame } from "./words.ts";

/** Key that marks a secret, and the text that stands for an unknown value (`sdk/go/common/resource/properties.go`). */
const MARK = "4dabf18193072939515e22adb298388d";
const SECRET_MARK = "1b47061264138c4ac30d75fd1eb44270";
const UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const STACK_TYPE = "pulumi:pulumi:Stack";

interface EngineState {
  readonly custom?: boolean;
  readonly retainOnDelete?: boolean;
  readonly inputs?: Properties;
  readonly outputs?: Properties;
}

interface EngineStep {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly old?: EngineState | null;
  readonly new?: EngineState | null;
  readonly keys?: readonly string[];
  readonly diffs?: readonly string[];
  readonly detailedDiff?: Readonly<Record<string, unknown>> | null;
}

interface EngineEvent {
  readonly diagnosticEvent?: {
    readonly message: string;
    readonly severity: string;
    readonly ephemeral?: boolean;
  };
  readonly policyEvent?: {
    readonly resourceUrn?: string;
    readonly message: string;
    readonly policyName: string;
    readonly enforcementLevel: string;
  };
  readonly resourcePreEvent?: { readonly metadata: EngineStep };
  readonly resOutputsEvent?: { readonly metadata: EngineStep };
}

/** The engine's names for steps that change something. What it does in two steps, it announces as `replace`, too. */
const kinds: Readonly<Record<string, ChangeKind>> = {
  create: "create",
  import: "create",
  update: "update",
  replace: "replace",
  "import-replacement": "replace",
  delete: "delete",
};

/** Takes the engine's events line by line, and keeps only what a {@link Preview} tells. */
export class PreviewReader {
  readonly #changes = new Map<string, Change>();
  readonly #refusals = new Set<string>();
  readonly #warnings = new Set<string>();
  readonly #violations = new Map<string, Violation>();
  #before: Properties = {};
  #after: Properties | undefined;

  /** What is no event, such as an empty line, is nothing. */
  take(line: string): void {
    if (!line.startsWith("{")) return;
    const { diagnosticEvent, policyEvent, resourcePreEvent, resOutputsEvent } = JSON.parse(
      line,
    ) as EngineEvent;
    if (diagnosticEvent !== undefined && !diagnosticEvent.ephemeral)
      this.#note(diagnosticEvent.severity, diagnosticEvent.message);
    if (policyEvent !== undefined) {
      const violation = violationOf(policyEvent);
      this.#violations.set(JSON.stringify(violation), violation);
    }
    if (resourcePreEvent !== undefined) this.#step(resourcePreEvent.metadata);
    if (resOutputsEvent !== undefined) this.#outputs(resOutputsEvent.metadata);
  }

  preview(stack: string): Preview {
    return {
      stack,
      // The engine works side by side: what it comes to first is chance.
      changes: [...this.#changes.values()].toSorted(byName),
      outputs: { before: this.#before, after: this.#after },
      refusals: [...this.#refusals],
      violations: [...this.#violations]
        .toSorted(([one], [other]) => (one < other ? -1 : 1))
        .map(([, one]) => one),
      warnings: [...this.#warnings],
    };
  }

  #note(severity: string, message: string): void {
    const text = withoutColour(message);
    if (text === "") return;
    if (severity === "error") this.#refusals.add(text);
    if (severity === "warning") this.#warnings.add(text);
  }

  #step(step: EngineStep): void {
    const kind = kindOf(step);
    const state = step.new ?? step.old;
    if (kind === undefined || !state?.custom || step.type.startsWith("pulumi:providers:")) return;
    const before = plain(step.old?.inputs ?? {});
    const after = plain(step.new?.inputs ?? {});
    this.#changes.set(step.urn, {
      kind,
      name: step.urn.split("::").at(-1) ?? "",
      type: step.type,
      before: kind === "create" ? {} : before,
      after: kind === "delete" || kind === "forget" ? {} : after,
      changed: kind === "update" || kind === "replace" ? changedInputs(step, before, after) : [],
      causes: kind === "replace" ? (step.keys ?? []) : [],
    });
  }

  #outputs({ type, old, new: now }: EngineStep): void {
    if (type !== STACK_TYPE) return;
    this.#before = plain(old?.outputs ?? {});
    this.#after = plain(now?.outputs ?? {});
  }
}

/** The engine's text without its marks for colours. */
function withoutColour(message: string): string {
  return message.replaceAll(/<\{%\w+%\}>/g, "").trim();
}

function violationOf({
  resourceUrn,
  message,
  policyName,
  enforcementLevel,
}: NonNullable<EngineEvent["policyEvent"]>): Violation {
  // The SDK writes what the policy is about above what is wrong.
  const [about = "", ...told] = withoutColour(message).split("\n");
  const isOfStack = resourceUrn === undefined || resourceUrn.includes(`::${STACK_TYPE}::`);
  return {
    policy: policyName,
    isMandatory: enforcementLevel === "mandatory",
    ...(!isOfStack && { resource: resourceUrn.split("::").at(-1) ?? "" }),
    text: told.join(" ").trim() || about,
  };
}

function byName(one: Change, other: Change): number {
  return one.name < other.name ? -1 : Number(one.name > other.name);
}

function kindOf({ op, old }: EngineStep): ChangeKind | undefined {
  const kind = kinds[op];
  return kind === "delete" && old?.retainOnDelete ? "forget" : kind;
}

/** What the provider says, which alone knows of a secret; where it says nothing, what can be seen. */
function changedInputs(
  { diffs, detailedDiff }: EngineStep,
  before: Properties,
  after: Properties,
): readonly string[] {
  const told = detailedDiff ? Object.keys(detailedDiff) : (diffs ?? []);
  const known = [...new Set(told.map((path) => path.split(/[.[]/)[0] ?? path))].filter(
    (key) => key in before || key in after,
  );
  // After a refresh the state has values that nobody asked for: they are no change.
  if (known.length > 0) return known.toSorted();
  return Object.keys({ ...before, ...after })
    .filter((key) => !isSame(before[key], after[key]))
    .toSorted();
}

/** The same with words in place of secrets and of what is unknown. */
function plain(properties: Properties): Properties {
  return hidden(plainValue(properties)) as Properties;
}

function plainValue(value: unknown): unknown {
  if (value === UNKNOWN_TEXT) return UNKNOWN;
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  if (entries.some(([key, content]) => key === MARK && content === SECRET_MARK)) return SECRET;
  return Object.fromEntries(
    // The provider's own notes on its defaults.
    entries.filter(([key]) => key !== "__defaults").map(([key, content]) => [key, plainValue(content)]),
  );
}
