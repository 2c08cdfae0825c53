import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

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
