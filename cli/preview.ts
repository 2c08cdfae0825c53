import { needCloud } from "../local/cloud.ts";
import { streamPreview } from "../local/engine/preview.ts";
import { type CloudPaths, checkout, defaultStack } from "../local/paths.ts";
import { Stack } from "../local/stack.ts";
import { bold, say } from "../local/terminal.ts";
import { PreviewReader } from "../preview/engine.ts";
import { secretsOf } from "../preview/hide.ts";
import { json } from "../preview/json.ts";
import { markdown } from "../preview/markdown.ts";
import { text } from "../preview/text.ts";
import type { Preview } from "../preview/types.ts";

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
  const words = policyWords(options);
  const [found, environment] = await (stack === defaultStack
    ? localPreview(paths, words)
    : previewOf(stack, words));
  const secrets = secretsOf(environment);
  if (options.json) say(json(found, secrets));
  else if (options.markdown) say(markdown(found, { secrets }));
  else say(text(found, { secrets, bold }));
  if (found.refusals.length > 0 || found.violations.some(({ isMandatory }) => isMandatory)) return 1;
  return options.expectNoChanges && found.changes.length > 0 ? 1 : 0;
}

type Found = readonly [preview: Preview, environment: Readonly<Record<string, string | undefined>>];

function policyWords({ policyPack, policyPackConfig }: PreviewCommandOptions): readonly string[] {
  return [
    ...(policyPack === undefined ? [] : ["--policy-pack", policyPack]),
    ...(policyPackConfig === undefined ? [] : ["--policy-pack-config", policyPackConfig]),
  ];
}

async function localPreview(paths: CloudPaths, words: readonly string[]): Promise<Found> {
  // What is on the standard output is the preview, and nothing else.
  const stack = await Stack.open(paths, await needCloud(paths), (line) => console.error(line));
  await stack.ensureState();
  const reader = new PreviewReader();
  await stack.preview((line) => reader.take(line), words);
  return [reader.preview(defaultStack), stack.environment];
}

/** A stack in the world: the engine on PATH, with the credentials of the environment. */
async function previewOf(stack: string, words: readonly string[]): Promise<Found> {
  const reader = new PreviewReader();
  const onEvent = (line: string) => reader.take(line);
  await streamPreview({ pulumi: "pulumi", cwd: checkout, env: process.env, stack, words, onEvent });
  return [reader.preview(stack), process.env];
}
