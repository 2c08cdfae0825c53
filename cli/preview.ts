import type { CloudPaths } from "../local/paths.ts";
import { bold, say } from "../local/terminal.ts";
import { PreviewReader } from "../preview/engine.ts";
import { secretsOf } from "../preview/hide.ts";
import { json } from "../preview/json.ts";
import { markdown } from "../preview/markdown.ts";
import { text } from "../preview/text.ts";
import type { Preview } from "../preview/types.ts";
import { type Engine, engineOf } from "./engine.ts";

export interface PreviewCommandOptions {
  readonly stack: string;
  readonly markdown: boolean;
  readonly json: boolean;
  /** A change is a failure. */
  readonly expectNoChanges: boolean;
  /** Folder of policies that it is held to. @default none */
  readonly policyPack?: string;
  /** File with the owner's words to them (docs/policies.md). */
  readonly policyPackConfig?: string;
}

/** Exit code where there is nothing to show. */
export const noPreview = 2;

/**
 * `npm run preview`: what an `up` would do, in words and line by line.
 * @returns exit code 0; 1: the program, the engine or a policy refuses it, or there is a change where none is expected
 * @throws where there is no preview at all, in the engine's words
 */
export async function preview(paths: CloudPaths, options: PreviewCommandOptions): Promise<number> {
  const { stack } = options;
  const engine = await engineOf(paths, stack);
  const found = await foreseen(engine, stack, policyWords(options));
  const secrets = secretsOf(engine.environment);
  if (options.json) say(json(found, secrets));
  else if (options.markdown) say(markdown(found, { secrets }));
  else say(text(found, { secrets, bold }));
  if (found.refusals.length > 0 || found.violations.some(({ isMandatory }) => isMandatory)) return 1;
  return options.expectNoChanges && found.changes.length > 0 ? 1 : 0;
}

function policyWords({ policyPack, policyPackConfig }: PreviewCommandOptions): readonly string[] {
  return [
    ...(policyPack === undefined ? [] : ["--policy-pack", policyPack]),
    ...(policyPackConfig === undefined ? [] : ["--policy-pack-config", policyPackConfig]),
  ];
}

/** What an `up` would do. @param words more for the engine. @throws where there is no preview at all, in its words */
async function foreseen(engine: Engine, stack: string, words?: readonly string[]): Promise<Preview> {
  const reader = new PreviewReader();
  await engine.preview((line) => reader.take(line), words);
  return reader.preview(stack);
}

/**
 * Shows what an `up` would do, before it is asked for: what is dangerous first, then in words, then line by line.
 * @returns whether it could be done
 */
export async function showForeseen(
  engine: Engine,
  stack: string,
  words: readonly string[],
): Promise<boolean> {
  const found = await foreseen(engine, stack, words);
  say(text(found, { secrets: secretsOf(engine.environment), bold }));
  return found.refusals.length === 0;
}
