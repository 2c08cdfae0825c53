import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { run } from "../../local/run.ts";
import { shellWord } from "../../plan/shell.ts";

/**
 * Files that a program wants to be told by, passwords among them: for root alone, and gone when the test file ends.
 * @returns writes one, and says where it is
 */
export function scratchFiles(): (name: string, text: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "mailhost-test-"));
  after(() => rmSync(folder, { recursive: true }));
  return (name, text) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
}

/**
 * Runs a program that sees other files than there are at some places: names that lead where the world's DNS leads, or
 * another resolver. @throws where it fails, with what it said
 */
export function seeing(
  files: Readonly<Record<string, string>>,
  command: readonly string[],
  options: Parameters<typeof run>[2] = {},
): Promise<string> {
  const mounts = Object.entries(files).map(
    ([at, file]) => `mount --bind ${shellWord(file)} ${shellWord(at)}; `,
  );
  return run("unshare", ["--mount", "sh", "-euc", `${mounts.join("")}exec "$@"`, "sh", ...command], options);
}
