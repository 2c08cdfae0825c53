/** The stack file is exchanged whole, and never under somebody's hands. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, it } from "node:test";
import { Failure } from "../../../cli/failure.ts";
import { exchange, exchangeAll, refuseWhereOpen } from "../../../cli/stackFile/write.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stack-file-"));
  file = join(folder, "Pulumi.prod.yaml");
  writeFileSync(file, "before\n", { mode: 0o640 });
});
afterEach(() => rmSync(folder, { recursive: true }));

const isBusy = (error: unknown) => error instanceof Failure && error.exitCode === 3;
/** A process that has lived. */
async function deadPid(): Promise<number> {
  const child = spawn("true");
  await once(child, "exit");
  return child.pid ?? assert.fail();
}

/** Vim's first block, as memline.c writes it. */
function swap(pid: number, host = hostname()): Buffer {
  const block = Buffer.alloc(4096);
  block.write("b0VIM 9.1");
  block.writeUInt32LE(pid, 24);
  block.write("ann", 28);
  block.write(host, 68);
  return block;
}

it("exchanges the text, keeps the mode, and leaves nothing beside", () => {
  exchange(file, "before\n", "after\n");
  assert.equal(readFileSync(file, "utf8"), "after\n");
  assert.equal(statSync(file).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(folder), ["Pulumi.prod.yaml"]);
});

it("writes through a link, which stays one", () => {
  const link = join(folder, "link.yaml");
  symlinkSync(file, link);
  exchange(link, "before\n", "after\n");
  assert.equal(readFileSync(file, "utf8"), "after\n");
  assert.equal(statSync(link).ino, statSync(file).ino);
});

it("does not write over what somebody has changed meanwhile", () => {
  writeFileSync(file, "somebody's\n");
  assert.throws(() => exchange(file, "before\n", "after\n"), isBusy);
  assert.equal(readFileSync(file, "utf8"), "somebody's\n");
  assert.deepEqual(readdirSync(folder), ["Pulumi.prod.yaml"]);
});

it("writes several files or none: where somebody has changed the second, the first stays", () => {
  const second = join(folder, "a.yaml");
  const both = [file, second].map((path) => ({ path, before: "before\n", text: "after\n" }));
  writeFileSync(second, "somebody's\n");
  // A new file would be another one.
  const { ino } = statSync(file);
  assert.throws(() => exchangeAll(both), isBusy);
  assert.equal(statSync(file).ino, ino);
  assert.equal(readFileSync(file, "utf8"), "before\n");
  writeFileSync(second, "before\n");
  exchangeAll(both);
  assert.deepEqual(
    both.map(({ path }) => readFileSync(path, "utf8")),
    ["after\n", "after\n"],
  );
});

it("gives back what is written where a later one fails", () => {
  // The same file twice: it is as it was before the first is written, and not after.
  const twice = ["one\n", "two\n"].map((text) => ({ path: file, before: "before\n", text }));
  assert.throws(() => exchangeAll(twice), isBusy);
  assert.equal(readFileSync(file, "utf8"), "before\n");
  assert.equal(statSync(file).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(folder), ["Pulumi.prod.yaml"]);
});

const marks: readonly [string, string, () => void][] = [
  [
    "Vim",
    ".Pulumi.prod.yaml.swp",
    () => writeFileSync(join(folder, ".Pulumi.prod.yaml.swp"), swap(process.pid)),
  ],
  [
    "a second Vim",
    ".Pulumi.prod.yaml.swo",
    () => writeFileSync(join(folder, ".Pulumi.prod.yaml.swo"), swap(process.pid)),
  ],
  [
    "Vim on another machine",
    ".Pulumi.prod.yaml.swp",
    () => writeFileSync(join(folder, ".Pulumi.prod.yaml.swp"), swap(1, "elsewhere")),
  ],
  [
    "Emacs",
    ".#Pulumi.prod.yaml",
    () => symlinkSync(`ann@${hostname()}.${process.pid}:1700000000`, join(folder, ".#Pulumi.prod.yaml")),
  ],
  ["Kate", ".Pulumi.prod.yaml.kate-swp", () => writeFileSync(join(folder, ".Pulumi.prod.yaml.kate-swp"), "")],
];
for (const [editor, mark, open] of marks) {
  it(`is refused where ${editor} has the file open`, () => {
    open();
    assert.throws(
      () => refuseWhereOpen(file),
      (error) => isBusy(error) && (error as Error).message.includes(mark),
    );
    assert.throws(() => exchange(file, "before\n", "after\n"), isBusy);
    assert.equal(readFileSync(file, "utf8"), "before\n");
  });
}

it("an editor that has died, and the swap file of another file, are no hindrance", async () => {
  const pid = await deadPid();
  writeFileSync(join(folder, ".Pulumi.prod.yaml.swp"), swap(pid));
  symlinkSync(`ann@${hostname()}.${pid}:1700000000`, join(folder, ".#Pulumi.prod.yaml"));
  writeFileSync(join(folder, ".Pulumi.dev.yaml.swp"), swap(process.pid));
  refuseWhereOpen(file);
  exchange(file, "before\n", "after\n");
  assert.equal(readFileSync(file, "utf8"), "after\n");
});

// What is left out counts as a failure, and not everybody has it.
if (existsSync("/usr/bin/vim"))
  it("a real Vim is noticed, where there is one", async () => {
    const vim = spawn(
      "script",
      ["-qec", `vim -u NONE -i NONE --cmd 'set swapfile directory=.' ${file}`, "/dev/null"],
      {
        cwd: folder,
        env: { ...process.env, TERM: "xterm" },
        stdio: ["pipe", "ignore", "ignore"],
      },
    );
    try {
      const end = Date.now() + 60_000;
      while (
        !existsSync(join(folder, ".Pulumi.prod.yaml.swp")) ||
        statSync(join(folder, ".Pulumi.prod.yaml.swp")).size < 4096
      ) {
        assert.ok(Date.now() < end, "Vim has made no swap file");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.throws(() => exchange(file, "before\n", "after\n"), isBusy);
    } finally {
      vim.stdin.end(":q!\r");
      await once(vim, "exit");
    }
    exchange(file, "before\n", "after\n");
  });
