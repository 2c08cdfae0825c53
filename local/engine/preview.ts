import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { checkout } from "../paths.ts";

export interface PreviewOptions {
  /** The CLI: a path, or a name on PATH. */
  readonly pulumi: string;
  /** Folder of the program. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** @default the one that is selected */
  readonly stack?: string;
  /** More words for `pulumi preview`. @default none */
  readonly words?: readonly string[];
  /** Called with each of the engine's events, a JSON object in one line. They are on no disk: some have secrets in clear. */
  readonly onEvent: (line: string) => void;
}

/** The environment in which this program's policies start without what they do not want (`policy/light.js`). */
export function lightPolicies(env: NodeJS.ProcessEnv): { readonly NODE_OPTIONS: string } {
  const light = `--import=${pathToFileURL(join(checkout, "policy/light.js"))}`;
  return { NODE_OPTIONS: [env.NODE_OPTIONS, light].filter(Boolean).join(" ") };
}

/**
 * Runs a preview, and hands its events over as they come. One that the program refuses has them, too: then they say why.
 * @throws where the engine could not begin, with its words
 */
export async function streamPreview({
  pulumi,
  cwd,
  env,
  stack,
  words = [],
  onEvent,
}: PreviewOptions): Promise<void> {
  const named = stack === undefined ? [] : ["--stack", stack];
  const child = spawn(pulumi, ["preview", "--json", "--non-interactive", ...named, ...words], {
    cwd,
    env: {
      ...env,
      ...(words.includes("--policy-pack") && lightPolicies(env)),
      PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let events = 0;
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const lines = createInterface(child.stdout).on("line", (line) => {
    if (!line.startsWith("{")) return;
    events++;
    onEvent(line);
  });
  const read = once(lines, "close");
  const [code] = (await once(child, "close").catch((error: Error) => {
    throw new Error(`pulumi cannot be run: ${error.message}`);
  })) as [number | null];
  await read;
  if (events === 0) throw new Error(`pulumi preview failed: ${said.trim() || `exit code ${code ?? "none"}`}`);
}
