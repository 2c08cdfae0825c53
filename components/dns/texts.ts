/** What the engine's state says of texts that a keeper has published. */
import { quoteTxt } from "../../plan/txt.ts";
import { textsOf } from "../../plan/zoneFile.ts";
import { ZONES } from "../steps.ts";

type NamedText = readonly [name: string, text: string];

/**
 * The names and first texts, in zone-file form, of a resource that publishes TXT records; none for any other.
 * @param type the resource's token
 */
export function publishedTexts(
  type: string,
  outputs: Readonly<Record<string, unknown>>,
): readonly NamedText[] {
  if (type !== "command:remote:Command") {
    const text = publishedText(type, outputs);
    return text === undefined ? [] : [text];
  }
  // Of the steps on the host, those that bring its own zones.
  const { create, stdin } = outputs;
  return String(create).startsWith(`${ZONES} put `) && typeof stdin === "string" ? textsOf(stdin) : [];
}

function publishedText(type: string, outputs: Readonly<Record<string, unknown>>): NamedText | undefined {
  const { name, type: recordType, content, records } = outputs;
  switch (type) {
    case "cloudflare:index/dnsRecord:DnsRecord":
      return recordType === "TXT" ? [String(name), String(content ?? "")] : undefined;
    case "aws:route53/record:Record": {
      const [first] = Array.isArray(records) ? records : [];
      return recordType === "TXT" && first !== undefined ? [String(name), `"${first}"`] : undefined;
    }
    case "command:local:Command": {
      const set = told(outputs.stdin) as { readonly name?: string; readonly type?: string } | undefined;
      const [first] = (told(outputs.stdout) ?? []) as readonly string[];
      return set?.type === "TXT" && set.name !== undefined && first !== undefined
        ? [set.name, quoteTxt(first)]
        : undefined;
    }
    default:
      return undefined;
  }
}

/** What a text of JSON says; undefined where it is unknown. What a command says is secret where its environment is. */
export function told(text: unknown): unknown {
  const plain = typeof text === "object" && text !== null && "value" in text ? text.value : text;
  return typeof plain === "string" && /^[[{]/.test(plain) ? JSON.parse(plain) : undefined;
}
