/** Which stack `mailhost check` looks at; the engine is a script that only repeats what it was asked. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, it } from "node:test";
import { check } from "../../cli/check.ts";
import { cloudPaths } from "../../local/paths.ts";

let folder: string;
const { PATH, MAILHOST_STACK } = process.env;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "check-"));
  writeFileSync(join(folder, "pulumi"), '#!/bin/sh\necho "asked: $*" >&2\nexit 1\n', { mode: 0o755 });
  process.env.PATH = [folder, PATH].join(delimiter);
  for (const stack of ["home", "staging"])
    writeFileSync(join(folder, `Pulumi.${stack}.yaml`), "config: {}\n");
});
after(() => {
  process.env.PATH = PATH;
  if (MAILHOST_STACK === undefined) delete process.env.MAILHOST_STACK;
  else process.env.MAILHOST_STACK = MAILHOST_STACK;
  rmSync(folder, { recursive: true });
});

for (const [session, words, stack] of [
  ["home", [], "home"],
  ["home", ["--json"], "home"],
  ["home", ["--stack", "staging"], "staging"],
  ["dev", ["--stack=staging"], "staging"],
] as const) {
  it(`MAILHOST_STACK=${session} check ${words.join(" ")}`, async (t) => {
    const errors = t.mock.method(console, "error", () => undefined);
    process.env.MAILHOST_STACK = session;
    assert.equal(await check(cloudPaths({ MAILHOST_HOME: folder }), words, folder), 2);
    assert.match(String(errors.mock.calls[0]?.arguments[0]), new RegExp(`asked: .*--stack ${stack}$`));
  });
}

for (const [words, reason] of [
  [["--nonsense"], /^Unknown option '--nonsense'\. See: npm run check -- --help$/],
  [["example.org"], /^Unexpected argument 'example\.org'\. See: /],
  [["--every", "soon"], /^--every is "soon": write whole seconds/],
  [["--stack", "nosuch"], /^There is no Pulumi\.nosuch\.yaml\. Stacks here: home, staging\. .* --stack NAME/],
] as const) {
  it(`check ${words.join(" ")} is refused before anything is looked up`, async () => {
    delete process.env.MAILHOST_STACK;
    await assert.rejects(check(cloudPaths({ MAILHOST_HOME: folder }), words, folder), {
      message: reason,
      exitCode: 2,
    });
  });
}
