/** `pulumi new` with a clone of this repository, and a first preview of what it makes. Needs no local cloud. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { examplesEnvironment, exampleText } from "../../examples.ts";
import { Laboratory } from "../../laboratory.ts";

const source = join(import.meta.dirname, "../../..");

test("pulumi new makes a project of it, under a name of one's own, that can be previewed", async (t) => {
  const lab = await Laboratory.start(t, { environment: examplesEnvironment });
  const clone = join(lab.program, "..", "clone");
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: source, encoding: "utf8" })
    .split("\0")
    .filter((file) => file !== "" && existsSync(join(source, file)));
  for (const file of files) cpSync(join(source, file), join(clone, file));
  const made = join(lab.program, "..", "made");
  const words = ["--generate-only", "--offline", "--yes", "--name", "mymail", "--dir", made];
  const { code, output } = await lab.run("new", clone, ...words);
  assert.equal(code, 0, output);
  assert.deepEqual(readdirSync(made).toSorted(), readdirSync(clone).toSorted());
  const project = parse(readFileSync(join(made, "Pulumi.yaml"), "utf8")) as Readonly<Record<string, unknown>>;
  assert.equal(project.name, "mymail");
  assert.equal(project.template, undefined);
  assert.deepEqual(project.options, { refresh: "always" });
  // What it asks for are settings, and what a host cannot do without.
  const { template } = parse(readFileSync(join(source, "Pulumi.yaml"), "utf8")) as {
    readonly template: { readonly config: Readonly<Record<string, unknown>> };
  };
  assert.deepEqual(Object.keys(template.config), ["aws:region", "mailhost:hostname", "mailhost:owner"]);

  symlinkSync(join(source, "node_modules"), join(made, "node_modules"));
  const mine = lab.in(made);
  await mine.stack("personal", exampleText("personal"));
  const preview = await mine.run("preview", "--stack", "personal");
  assert.equal(preview.code, 0, preview.output);
  assert.match(preview.output, /\+ \d{3} to create/);
});
