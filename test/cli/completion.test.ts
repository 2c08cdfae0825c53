/** The words that a shell offers, asked of the shells themselves. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { ensurePackages } from "../../local/prerequisites.ts";
import { atTerminal } from "../terminal.ts";

const root = resolve(import.meta.dirname, "../..");
let folder: string;
const script = (shell: string) =>
  execFileSync(process.execPath, [join(root, "cli/main.ts"), "completion", shell], { encoding: "utf8" });
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "completion-"));
  await ensurePackages([
    { what: "zsh", package: "zsh", why: "is a shell that the tests complete in" },
    { what: "fish", package: "fish", why: "is a shell that the tests complete in" },
  ]);
});
after(() => rmSync(folder, { recursive: true }));

/** What has been typed, and what is then offered, in any order. */
const offered: readonly (readonly [typed: string, words: readonly string[]])[] = [
  ["mailhost mailb", ["mailbox"]],
  ["mailhost queue r", ["retry", "remove"]],
  ["mailhost mailbox add dora@example.org --de", ["--device"]],
  ["mailhost password ann@example.org --qr ", ["account", "password"]],
  ["mailhost logs --stack pe", ["personal"]],
  ["mailhost logs --mailbox ", []],
];

describe("bash", () => {
  it("offers the commands below, their options, and their values", () => {
    const path = join(folder, "mailhost.bash");
    writeFileSync(path, script("bash"));
    for (const [typed, words] of offered) {
      const ask = `source ${path}; COMP_WORDS=(${typed.replace(/ $/, " ''")}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _mailhost; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const found = execFileSync("bash", ["--norc", "-c", ask], { encoding: "utf8" }).split("\n");
      assert.deepEqual(found.filter((word) => word !== "").toSorted(), words.toSorted(), typed);
    }
  });

  it("runs nothing that is in the name of a stack file", () => {
    const there = join(folder, "stacks");
    mkdirSync(there);
    for (const name of ["home", "$(touch ran)", "`touch ran`", "two words"])
      writeFileSync(join(there, `Pulumi.${name}.yaml`), "");
    const path = join(folder, "stacks.bash");
    writeFileSync(path, script("bash").replaceAll(root, there));
    const ask = `source ${path}; COMP_WORDS=(mailhost logs --stack ''); COMP_CWORD=3; _mailhost; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const found = execFileSync("bash", ["--norc", "-c", ask], { cwd: there, encoding: "utf8" });
    assert.equal(found, "home\n");
    assert.equal(existsSync(join(there, "ran")), false);
  });

  it("completes at a key, as it is installed", () => {
    const rc = join(folder, "bashrc");
    writeFileSync(rc, `PS1='> '\nmailhost() { echo "typed: $*"; }\n${script("bash")}`);
    const { shown } = atTerminal(
      ["bash", "--noprofile", "--rcfile", rc, "-i"],
      [
        ["> ", "mailhost mailb\tpas\tann --dev\t phone\r"],
        ["typed: mailbox passwd ann --device phone", "exit\r"],
      ],
    );
    assert.match(shown, /typed: mailbox passwd ann --device phone/);
  });
});

it("zsh completes at a key", () => {
  writeFileSync(join(folder, ".zshrc"), `PS1='> '\nmailhost() { echo "typed: $*" }\n${script("zsh")}`);
  atTerminal(
    ["zsh", "-i"],
    [
      ["> ", "mailhost mailb\tpas\tann --dev\tphone\r"],
      ["typed: mailbox passwd ann --device phone", "exit\r"],
    ],
    { environment: { ...process.env, ZDOTDIR: folder, TERM: "xterm" } },
  );
});

it("fish offers the same", () => {
  const path = join(folder, "mailhost.fish");
  writeFileSync(path, script("fish"));
  for (const [typed, words] of offered) {
    const found = execFileSync("fish", ["--no-config", "-c", `source ${path}; complete -C '${typed}'`], {
      encoding: "utf8",
      env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
    });
    const names = found.split("\n").flatMap((line) => line.split("\t")[0] || []);
    assert.deepEqual(names.toSorted(), words.toSorted(), typed);
  }
});
