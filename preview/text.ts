/** A preview for a terminal. */
import { details } from "./details.ts";
import { publishable } from "./hide.ts";
import { lineText, type MarkdownOptions } from "./markdown.ts";
import { story } from "./story.ts";
import type { Preview } from "./types.ts";

type TextOptions = Pick<MarkdownOptions, "secrets" | "note"> & {
  /** Makes a text stand out. @default as it is */
  readonly bold?: (text: string) => string;
};

/** All of it, whatever its length: a terminal scrolls. */
export function text(
  preview: Preview,
  { secrets = [], note, bold = (words) => words }: TextOptions = {},
): string {
  const { headline, isWhole, refusals, violations, risks, effects, verdict, warnings } = story(preview);
  const show = (words: string) => publishable(words, secrets);
  const said = (words: string) => show(plain(words));
  const part = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ["", bold(title), ...lines];
  return [
    bold(said(`${preview.stack}: ${headline}`)),
    ...part("Refused. What stands in the way:", refusals.map(show)),
    ...part(
      "What policies say",
      violations.map((violation) => `! ${bold(`${said(violation.title)}.`)} ${show(violation.text)}`),
    ),
    ...part(
      "Look at this first",
      risks.map((risk) => `! ${bold(`${said(risk.title)}.`)} ${said(risk.text)}`),
    ),
    ...part(
      "What happens",
      effects.map((effect) => `- ${said(effect.text)}`),
    ),
    "",
    said(verdict),
    ...part("Warnings", warnings.map(show)),
    ...(note === undefined ? [] : ["", note]),
    ...(isWhole ? details(preview, secrets) : []).flatMap(({ title, sum, blocks }) => [
      "",
      bold(`${title}: ${sum}`),
      ...blocks.flatMap((block) => [
        `  ${block.title}`,
        ...block.lines.map((line) => `    ${lineText(line)}`),
      ]),
    ]),
  ].join("\n");
}

/** Without the marks of Markdown. */
function plain(words: string): string {
  return words.replaceAll(/`|\*\*/g, "");
}
