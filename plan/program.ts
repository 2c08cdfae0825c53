import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const repository = fileURLToPath(new URL("../", import.meta.url));
const made = new Map<string, string>();

/**
 * A program of this repository, and all that it imports, as one text of JavaScript for Debian 13's Node, which reads no
 * TypeScript. The same code gives the same text, on any machine.
 * @param entry its first file, from the repository's root: `check/onHost.ts`
 */
export function program(entry: string): string {
  const known = made.get(entry);
  if (known !== undefined) return known;
  const { outputFiles } = buildSync({
    entryPoints: [entry],
    absWorkingDir: repository,
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "cjs",
    charset: "utf8",
    // It travels and is kept in the state: blanks and comments go. Names stay, for whoever reads a stack trace.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "silent",
  });
  const text = outputFiles[0]?.text ?? "";
  made.set(entry, text);
  return text;
}
