import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { parseSettings } from "../../settings/parse.ts";
import { plainSecrets } from "../../settings/plainSecrets.ts";
import { withShared } from "../../settings/shared.ts";
import { type Example, examples, examplesEnvironment, exampleText } from "../examples.ts";

const file = (text: string) => (path: string) => {
  assert.equal(path, "stacks.yaml");
  return text;
};

const shared = `
values:
  pulumiConfig:
    mailhost:owner: ann@example.org
    mailhost:server: { timeZone: Europe/Berlin, dataSize: 40 }
    mailhost:ssh: { from: [203.0.113.7/32, 198.51.100.7/32] }
`;

describe("what several stacks have in common", () => {
  it("comes under what the stack file says: mappings key by key, lists and texts as a whole", () => {
    const own = {
      shared: "stacks.yaml",
      server: { dataSize: 5 },
      ssh: { from: ["192.0.2.1/32"] },
      hostname: "mail.example.org",
    };
    assert.deepEqual(withShared(own, file(shared)), {
      owner: "ann@example.org",
      server: { timeZone: "Europe/Berlin", dataSize: 5 },
      ssh: { from: ["192.0.2.1/32"] },
      hostname: "mail.example.org",
    });
  });

  it("is nothing where the stack file names none", () => {
    const own = { owner: "ann@example.org" };
    assert.deepEqual(withShared(own, assert.fail), own);
  });

  for (const [what, path, text, message] of [
    ["a number", 7, "", /mailhost:shared: is no path; write that of a file beside Pulumi\.yaml/],
    ["no YAML", "stacks.yaml", "values: [", /names stacks\.yaml, which is no YAML; mend its line 1/],
    [
      "no settings",
      "stacks.yaml",
      "mailhost:owner: me",
      /has no settings; write them there under values: pulumiConfig:/,
    ],
    [
      "another program's",
      "stacks.yaml",
      "values: { pulumiConfig: { 'aws:region': eu-central-1 } }",
      /in which aws:region is no setting of mailhost:; write it into the stack file/,
    ],
  ] as const)
    it(`is refused in words: ${what}`, () => {
      assert.throws(() => withShared({ shared: path }, file(text)), { name: "SettingsError", message });
    });

  it("is refused where there is no such file", () => {
    assert.throws(
      () => withShared({ shared: "missing.yaml" }),
      /names missing\.yaml, which cannot be read; write the path/,
    );
  });
});

describe("the example stacks", () => {
  const raw = (name: Example) => {
    const { config } = parse(exampleText(name)) as { readonly config: Readonly<Record<string, unknown>> };
    const own = Object.entries(config).filter(([key]) => key.startsWith("mailhost:"));
    return withShared(Object.fromEntries(own.map(([key, value]) => [key.slice("mailhost:".length), value])));
  };
  const settings = (name: Example) => parseSettings(raw(name), examplesEnvironment, "eu-central-1");

  it("have no mistake and no secret in them", () => {
    for (const name of examples) {
      assert.doesNotThrow(() => settings(name), name);
      assert.deepEqual(plainSecrets(raw(name)), [], name);
    }
  });

  it("are what they say: one domain and three mailboxes; four domains", () => {
    const mailboxes = settings("personal").domains.map((domain) => domain.mailboxes.length);
    assert.deepEqual(mailboxes, [3]);
    assert.equal(settings("organisation").domains.length, 4);
  });

  it("of staging and prod share what is equal", () => {
    const [staging, prod] = [settings("staging"), settings("prod")];
    assert.deepEqual(staging.ssh, prod.ssh);
    assert.equal(staging.owner, prod.owner);
    assert.equal(staging.server.timeZone, "Europe/Berlin");
    assert.equal(prod.server.timeZone, "Europe/Berlin");
    const different = Object.keys(prod.options).filter(
      (key) =>
        JSON.stringify(prod.options[key as keyof typeof prod.options]) !==
        JSON.stringify(staging.options[key as keyof typeof staging.options]),
    );
    assert.deepEqual(different, ["dailyCheck"]);
  });
});
