/** A checkout of one's own, in which a test may write. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

/**
 * This one as it stands, without its tests, in a folder that is there.
 * @param programs shell scripts in place of the programs that came with `npm ci`, by their names. @default those programs
 */
export function checkoutIn(folder: string, programs?: Readonly<Record<string, string>>): string {
  const checkout = join(folder, "checkout");
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
  });
  for (const path of files
    .split("\0")
    .filter((name) => name !== "" && !name.startsWith("test/") && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(checkout, path)), { recursive: true });
    cpSync(join(root, path), join(checkout, path));
  }
  const [modules, own] = [join(root, "node_modules"), join(checkout, "node_modules")];
  if (programs === undefined) {
    symlinkSync(modules, own);
    return checkout;
  }
  mkdirSync(join(own, ".bin"), { recursive: true });
  for (const name of readdirSync(modules).filter((one) => one !== ".bin"))
    symlinkSync(join(modules, name), join(own, name));
  for (const [name, script] of Object.entries(programs))
    writeFileSync(join(own, ".bin", name), `#!/bin/sh\n${script}`, { mode: 0o755 });
  return checkout;
}
