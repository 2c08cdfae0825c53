import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkKernel, ensurePackages, ensurePrerequisites } from "../../local/prerequisites.ts";

const main = join(import.meta.dirname, "../../local/main.ts");
const cli = join(import.meta.dirname, "../../cli/main.ts");

test("another system than Linux is told what to use", async () => {
  const platform = Object.getOwnPropertyDescriptor(process, "platform") ?? assert.fail();
  Object.defineProperty(process, "platform", { ...platform, value: "darwin" });
  try {
    await assert.rejects(
      ensurePrerequisites(() => {}),
      /^Error: The local cloud needs Linux; this is darwin\. Run it in a virtual machine with Debian 12 or 13\.$/,
    );
  } finally {
    Object.defineProperty(process, "platform", platform);
  }
});

test("who is not root is told how to become it, by every command that needs it", () => {
  const folder = mkdtempSync(join(tmpdir(), "not-root-"));
  const said = (program: string, command: string, exitCode: number) => {
    // In a user namespace of its own, without a mapping, a process is nobody.
    const { status, stderr } = spawnSync("unshare", ["--user", process.execPath, program, command], {
      encoding: "utf8",
      env: { ...process.env, MAILHOST_HOME: folder, NODE_COMPILE_CACHE: undefined },
    });
    assert.equal(status, exitCode, stderr);
    return stderr;
  };
  assert.match(
    said(main, "start", 1),
    /only root may: become root \(`sudo -i`\) and stay it, then run `npm start`/,
  );
  assert.match(
    // It could not look (docs/cli.md).
    said(cli, "check", 2),
    /is not running\. Start it with: npm start Root's cloud is another: become root/,
  );
  rmSync(folder, { recursive: true });
});

/** Runs something with programs of the test's own before all others. */
async function withPrograms(
  programs: Readonly<Record<string, string>>,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const { PATH } = process.env;
  const folder = mkdtempSync(join(tmpdir(), "programs-"));
  for (const [name, script] of Object.entries(programs))
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  process.env.PATH = `${folder}:${PATH}`;
  try {
    await body(folder);
  } finally {
    process.env.PATH = PATH;
    rmSync(folder, { recursive: true });
  }
}

const probe = { what: "mailhost-probe", package: "probe", why: "shows that it is said" };

test("what is missing is installed, with its reason, once; an old list of packages is brought up to date first", async () => {
  const apt = `cd "$(dirname "$0")"
    echo "$1" >> ran
    [ "$1" = update ] && { touch listed; exit; }
    [ -e listed ] || exit 100
    for last; do :; done
    printf '#!/bin/sh\\n' > "mailhost-$last" && chmod 755 "mailhost-$last"`;
  await withPrograms({ "apt-get": apt }, async (folder) => {
    const said: string[] = [];
    await ensurePackages([probe], (text) => said.push(text));
    assert.deepEqual(said, [
      "Installing from Debian, once:",
      "  probe                   shows that it is said",
    ]);
    assert.equal(readFileSync(join(folder, "ran"), "utf8"), "install\nupdate\ninstall\n");
    said.length = 0;
    await ensurePackages([probe], (text) => said.push(text));
    assert.deepEqual(said, []);
  });
});

test("what is still missing after an installation is named", async () => {
  await withPrograms({ "apt-get": "exit 0" }, async () => {
    await assert.rejects(
      ensurePackages([probe], () => {}),
      /^Error: After the installation these are still missing: mailhost-probe\.$/,
    );
  });
});

test("a kernel, or a container, without namespaces is told what to use", async () => {
  await withPrograms(
    { unshare: "echo 'unshare: unshare failed: Operation not permitted' >&2; exit 1" },
    async () => {
      await assert.rejects(
        checkKernel(),
        /does not offer network namespaces, veth and nftables: use a whole machine or a virtual one with Debian 12 or 13\. \(.*Operation not permitted/s,
      );
    },
  );
});

test("what is missing is named where no apt-get can install it", async () => {
  const { PATH } = process.env;
  process.env.PATH = "/nonexistent";
  try {
    await assert.rejects(
      ensurePackages([{ what: "knotd", package: "knot", why: "-" }], () => {}),
      /These programs are missing: knotd\. On Debian 12 or 13 this step installs them; here, install them yourself \(Debian's packages: knot\)\./,
    );
  } finally {
    process.env.PATH = PATH;
  }
});
