/** A preview as the comment on a pull request; GitHub, GitLab and Forgejo show it alike. */
import { type Block, details, type Section } from "./details.ts";
import { publishable } from "./hide.ts";
import type { Line } from "./lines.ts";
import { type Objection, type Story, story } from "./story.ts";
import type { Preview } from "./types.ts";
import { count } from "./words.ts";

export interface MarkdownOptions {
  /** Bytes that the comment has at most. GitHub takes 65,536 characters. @default 60,000 */
  readonly limit?: number;
  /** Values that must not be in it, whatever brought them there. @default none */
  readonly secrets?: readonly string[];
  /** Why this is less than a whole preview, in whole sentences. @default it is whole */
  readonly note?: string;
}

const DEFAULT_LIMIT = 60_000;

/** Of what is said in words, at most; the rest of the limit is for the differences. */
const WORDS_LIMIT = 20_000;

/** One thing's difference, so that one long file leaves room for the others. */
const BLOCK_LIMIT = 6000;

const LINE_LIMIT = 200;

/** The first line of a stack's comment: who keeps one comment up to date finds it by this. */
export function marker(stack: string): string {
  return `<!-- mailhost preview of ${stack.replaceAll(/[^\w.-]/g, "_")} -->`;
}

/** The same preview gives the same text. */
export function markdown(preview: Preview, options: MarkdownOptions = {}): string {
  const { limit = DEFAULT_LIMIT, secrets = [], note } = options;
  const told = story(preview);
  const head = cutAt(
    publishable(words(preview.stack, told, note), secrets),
    Math.min(limit, WORDS_LIMIT),
    "\n\n… more is left out here for its length.\n",
  );
  if (!told.isWhole) return head;
  let left = limit - size(head);
  const sections = details(preview, secrets);
  const texts = sections.map((section, index) => {
    // What one leaves over is for those behind it.
    const text = folded(section, Math.floor(left / (sections.length - index)));
    const shown = size(text) + 1 > left ? "" : text;
    left -= size(shown) + 1;
    return shown;
  });
  return [head, ...texts].join("\n");
}

function words(stack: string, told: Story, note: string | undefined): string {
  const { headline, refusals, violations, risks, effects, verdict, warnings } = told;
  const list = (items: readonly string[]) => items.map((item) => `- ${item}`);
  const paragraphs = [
    `${marker(stack)}\n### \`${stack}\`: ${headline}`,
    ...(refusals.length > 0
      ? ["**Refused.** What stands in the way:", ...refusals.map((text) => fence(text.split("\n"), ""))]
      : []),
    ...(violations.length > 0
      ? ["**What policies say**", list(violations.map(objectionText)).join("\n")]
      : []),
    ...(risks.length > 0
      ? [`**Look at ${risks.length === 1 ? "this" : "these"} first**`, list(risks.map(riskText)).join("\n")]
      : []),
    ...(effects.length > 0 ? ["**What happens**", list(effects.map(({ text }) => text)).join("\n")] : []),
    verdict,
    ...(warnings.length > 0 ? ["**Warnings**", ...warnings.map((text) => fence(text.split("\n"), ""))] : []),
    ...(note === undefined ? [] : [`_${note}_`]),
  ];
  return `${paragraphs.join("\n\n")}\n`;
}

function riskText({ title, text }: Story["risks"][number]): string {
  return `**${title}.** ${text}`;
}

function objectionText({ title, text }: Objection): string {
  return `**${title}.** ${asWritten(text)}`;
}

/** Somebody else's words, of which only what stands between backticks is more than text. */
function asWritten(text: string): string {
  const parts = text.replaceAll(/\s+/g, " ").split("`");
  const isEven = parts.length % 2 === 1;
  return parts
    .map((part, index) =>
      isEven && index % 2 === 1
        ? part
        : part.replaceAll(/[&<>[\]*_~@#\\|]/g, (sign) => `&#${sign.charCodeAt(0)};`),
    )
    .join(isEven ? "`" : "&#96;");
}

/** A section that opens at a click, as much of it as there is room for. */
function folded({ title, sum, blocks }: Section, room: number): string {
  const frame = (inside: readonly string[]) =>
    [`<details><summary>${title}: ${sum}</summary>`, "", ...inside, "</details>", ""].join("\n");
  const shown: string[] = [];
  let left = room - size(frame([])) - 300;
  for (const block of blocks) {
    const text = blockText(block, blocks.length === 1 ? left : Math.min(left, BLOCK_LIMIT));
    if (text === undefined) break;
    shown.push(text, "");
    left -= size(text) + 2;
  }
  const missing = blocks.slice(shown.length / 2);
  return frame([...shown, ...(missing.length > 0 ? [leftOut(missing), ""] : [])]);
}

function leftOut(missing: readonly Block[]): string {
  const some = missing.slice(0, 3).map(({ title }) => title.slice(0, 60));
  const names = some.map((title) => `\`${title.replaceAll("`", "'")}\``).join(", ");
  return `… ${count(missing.length, "more change")} left out for the length: ${names}${missing.length > some.length ? ", …" : ""}. \`pulumi preview --diff\` shows all.`;
}

/** @returns `undefined` where there is no room for anything worth it */
function blockText({ title, lines }: Block, room: number): string | undefined {
  const head = `\`${title.replaceAll("`", "'")}\``;
  if (room < size(head) + 200) return undefined;
  if (lines.length === 0) return `${head}`;
  const texts = lines.map(lineText);
  let left = room - size(head) - 120;
  const kept: string[] = [];
  for (const text of texts) {
    left -= size(text) + 1;
    if (left < 0) break;
    kept.push(text);
  }
  const cut = texts.length - kept.length;
  const all = cut > 0 ? [...kept, `… ${count(cut, "more line")}`] : kept;
  return `${head}\n\n${fence(all, "diff")}`;
}

export function lineText({ sign, text }: Line): string {
  const short = text.length > LINE_LIMIT ? `${text.slice(0, LINE_LIMIT)}… (${text.length} characters)` : text;
  return `${sign} ${short}`;
}

/** Longer than any row of backticks in it, so that no line of a file ends it. */
function fence(lines: readonly string[], language: string): string {
  const longest = Math.max(2, ...lines.flatMap((line) => line.match(/`+/g) ?? []).map((row) => row.length));
  const edge = "`".repeat(longest + 1);
  return [`${edge}${language}`, ...lines, edge].join("\n");
}

function cutAt(text: string, limit: number, ending: string): string {
  if (size(text) <= limit) return text;
  const room = limit - size(ending);
  const lines: string[] = [];
  let used = 0;
  for (const line of text.split("\n")) {
    used += size(line) + 1;
    if (used > room) break;
    lines.push(line);
  }
  return `${lines.join("\n")}${ending}`;
}

function size(text: string): number {
  return Buffer.byteLength(text);
}
