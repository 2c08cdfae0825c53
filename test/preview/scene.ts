import { PreviewReader } from "../../preview/engine.ts";
import type { Preview, Properties } from "../../preview/types.ts";

/** A secret, and a value that is not known yet, as they are on the wire. */
export const masked = {
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  ciphertext: "[secret]",
};
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export interface Step {
  readonly op: string;
  readonly type: string;
  readonly name: string;
  readonly before?: Properties;
  readonly after?: Properties;
  readonly diffs?: readonly string[];
  readonly keys?: readonly string[];
  readonly retainOnDelete?: boolean;
}

const urn = ({ type, name }: Pick<Step, "type" | "name">) => `urn:pulumi:test::mailhost::${type}::${name}`;

/** The engine's event of a step. */
export function stepEvent(step: Step): object {
  const { op, type, before, after, diffs = [], keys = [], retainOnDelete = false } = step;
  const state = (inputs: Properties | undefined) =>
    inputs && { type, urn: urn(step), custom: true, retainOnDelete, inputs, outputs: {} };
  return {
    resourcePreEvent: {
      metadata: {
        op,
        urn: urn(step),
        type,
        old: state(before) ?? null,
        new: state(after) ?? null,
        diffs,
        keys,
        detailedDiff: null,
      },
    },
  };
}

export function message(severity: string, text: string): object {
  return { diagnosticEvent: { severity, message: text, color: "never" } };
}

/** What a stack with a host has told. */
export const outputs = {
  hostname: "mail.example.org",
  domains: ["example.org"],
  mailboxes: { "ann@example.org": "generated password", "bob@example.org": "generated password" },
  mailStore: { path: "/srv/mail/<domain>/<mailbox>", removed: "kept for 30 days" },
  dnsRecords: {
    "mx:example.org": record("example.org", "MX", "mail.example.org", 10),
    "txt:example.org": record("example.org", "TXT", "v=spf1 mx -all"),
    "txt:_dmarc.example.org": record("_dmarc.example.org", "TXT", "v=DMARC1; p=reject"),
    "a:mail.example.org": record("mail.example.org", "A", "198.51.100.7"),
  },
};

export function record(name: string, type: string, content: string, priority?: number) {
  return { zone: "example.org", name, type, ttl: 300, content, why: "", ...(priority && { priority }) };
}

/** A preview as it is read from these events; the outputs stay as they are. */
export function previewOf(
  events: readonly object[],
  after: Properties = outputs,
  before: Properties = outputs,
): Preview {
  const reader = new PreviewReader();
  const type = "pulumi:pulumi:Stack";
  const stack = { op: "same", urn: urn({ type, name: "mailhost-test" }), type };
  const told = {
    resOutputsEvent: { metadata: { ...stack, old: { outputs: before }, new: { outputs: after } } },
  };
  for (const event of [...events, told]) reader.take(JSON.stringify(event));
  return reader.preview("test");
}

/** One resource that is updated. */
export function updated(type: string, name: string, before: Properties, after: Properties): object {
  const diffs = Object.keys({ ...before, ...after }).filter((key) => before[key] !== after[key]);
  return stepEvent({ op: "update", type, name, before, after, diffs });
}

export const COMMAND = "command:remote:Command";
