import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { parseSettings, SettingsError } from "../../settings/parse.ts";
import { gather, inPlace, type Raw } from "../../settings/pieces.ts";
import { plainSecrets } from "../../settings/plainSecrets.ts";
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
    assert.deepEqual(gather(own, file(shared)).raw, {
      owner: "ann@example.org",
      server: { timeZone: "Europe/Berlin", dataSize: 5 },
      ssh: { from: ["192.0.2.1/32"] },
      hostname: "mail.example.org",
    });
  });

  it("is nothing where the stack file names none", () => {
    const own = { owner: "ann@example.org" };
    assert.deepEqual(gather(own, assert.fail).raw, own);
  });

  for (const [what, path, text, message] of [
    ["a number", 7, "", /mailhost:shared: is no path; write that of a file beside Pulumi\.yaml/],
    ["no YAML", "stacks.yaml", "values: [", /names stacks\.yaml, which is no YAML; mend its line 1/],
    ["no settings", "stacks.yaml", "mailhost:owner: me", /has no settings; write them there under config:/],
    [
      "another program's",
      "stacks.yaml",
      "values: { pulumiConfig: { 'aws:region': eu-central-1 } }",
      /in which aws:region is no setting of mailhost:; write it into the stack file/,
    ],
  ] as const)
    it(`is refused in words: ${what}`, () => {
      assert.throws(() => gather({ shared: path }, file(text)), { name: "SettingsError", message });
    });

  it("is refused where there is no such file", () => {
    assert.throws(
      () => gather({ shared: "missing.yaml" }),
      /names missing\.yaml, which cannot be read; write the path/,
    );
  });
});

describe("a file of settings", () => {
  const read = (text: string) => gather({ shared: "stacks.yaml" }, file(text)).raw;

  it("has keys and the targets of aliases as they are written, also those that look like numbers", () => {
    const names = ["0301234", "1e3", "0x10", "null", "true"];
    const { domains } = read(
      `config: { mailhost:domains: { example.org: { mailboxes: { ${names.map((name) => `${name}: {}`).join(", ")} }, aliases: { a: 0301234, b: [1e3, ann] } } } }`,
    ) as { domains: Record<string, { mailboxes: object; aliases: object }> };
    assert.deepEqual(Object.keys(domains["example.org"]?.mailboxes ?? {}).toSorted(), names.toSorted());
    assert.deepEqual(domains["example.org"]?.aliases, { a: "0301234", b: ["1e3", "ann"] });
  });

  it("is refused by its name where its YAML aliases are too many", () => {
    const lines = Array.from(
      { length: 12 },
      (_, index) => `  x${index + 1}: &x${index + 1} [${Array(10).fill(`*x${index}`).join(", ")}]`,
    );
    assert.throws(() => read(["config:", "  x0: &x0 [a]", ...lines].join("\n")), {
      name: "SettingsError",
      message: /names stacks\.yaml, which cannot be read: Excessive alias count/,
    });
  });

  it("is named once", () => {
    const text = () => "config: { mailhost:owner: ann@example.org }";
    for (const raw of [{ parts: ["a.yaml", "./a.yaml"] }, { shared: "a.yaml", parts: "b/../a.yaml" }])
      assert.throws(() => gather(raw, text), {
        name: "SettingsError",
        message: /which is named before; write each/,
      });
  });
});

describe("the example stacks", () => {
  const raw = (name: Example) => {
    const { config } = parse(exampleText(name)) as { readonly config: Readonly<Record<string, unknown>> };
    const own = Object.entries(config).filter(([key]) => key.startsWith("mailhost:"));
    return gather(Object.fromEntries(own.map(([key, value]) => [key.slice("mailhost:".length), value]))).raw;
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

describe("a stack in parts", () => {
  const files: Readonly<Record<string, string>> = {
    "mailboxes.yaml": `# who is here
config:
  mailhost:domains:
    example.org:
      mailboxes:
        ann: {}
        bob:
          quota: none
          suspendet: true
`,
    "aliases.yaml": `
values:
  pulumiConfig:
    mailhost:domains:
      example.org:
        aliases:
          info: [ann, nobody]
`,
    "stacks.yaml":
      "values: { pulumiConfig: { mailhost:owner: ann@example.org, mailhost:domains: { example.org: { catchAll: ann } } } }",
    "twice.yaml": `
config:
  mailhost:hostname: mx.example.org
  mailhost:domains:
    example.org: { since: 2026-01-01, mailboxes: { ann: { quota: 3 } } }
`,
    "again.yaml": "config: { mailhost:domains: { example.org: { mailboxes: { ann: { quota: 4 } } } } }",
    "secret.yaml":
      "config: { mailhost:domains: { example.org: { mailboxes: { ann: { passwordHash: { secure: v1:a } } } } } }",
    "nested.yaml": "config: { mailhost:parts: mailboxes.yaml }",
  };
  const textOf = (path: string) => files[path] ?? assert.fail(path);
  const own = {
    hostname: "mail.example.org",
    ssh: { from: ["203.0.113.7/32"] },
    domains: { "example.org": { since: "2026-11-21", mailboxes: { ann: { suspended: true } } } },
  };
  const wrong = (raw: Raw) => {
    try {
      const gathered = gather(raw, textOf);
      inPlace(gathered, () => parseSettings(gathered.raw, {}));
    } catch (error) {
      assert.ok(error instanceof SettingsError);
      return error.message.split("\n").slice(1);
    }
    return [];
  };

  it("says what one file would", () => {
    const { raw } = gather(
      { ...own, parts: ["mailboxes.yaml", "aliases.yaml"], shared: "stacks.yaml" },
      textOf,
    );
    assert.deepEqual(raw, {
      hostname: "mail.example.org",
      ssh: { from: ["203.0.113.7/32"] },
      owner: "ann@example.org",
      domains: {
        "example.org": {
          since: "2026-11-21",
          mailboxes: { ann: { suspended: true }, bob: { quota: "none", suspendet: true } },
          aliases: { info: ["ann", "nobody"] },
          catchAll: "ann",
        },
      },
    });
    assert.deepEqual(gather({ ...own, parts: "aliases.yaml" }, textOf).raw.hostname, "mail.example.org");
  });

  it("has the file and the line of each mistake", () => {
    assert.deepEqual(wrong({ ...own, owner: "x", parts: ["mailboxes.yaml", "aliases.yaml"] }), [
      "  mailhost:domains.example.org.mailboxes.bob.quota (mailboxes.yaml, line 8): is a text where a number belongs; write a number from 0 to 1000000",
      "  mailhost:domains.example.org.mailboxes.bob.suspendet (mailboxes.yaml, line 9): is not a setting; write suspended",
      "  mailhost:domains.example.org.aliases.info[1] (aliases.yaml, line 7): leads to nobody@example.org, which does not exist; add a mailbox or alias nobody to example.org",
      "  mailhost:owner: is no full mail address; write one such as ann@example.org",
    ]);
  });

  it("says nothing twice: each place is told, with its line", () => {
    assert.deepEqual(wrong({ ...own, parts: ["twice.yaml", "again.yaml"] }), [
      "  mailhost:hostname (twice.yaml, line 3): stands in another file of this stack, too; write it in one of them",
      "  mailhost:domains.example.org.since (twice.yaml, line 5): stands in another file of this stack, too; write it in one of them",
      "  mailhost:domains.example.org.mailboxes.ann.quota (again.yaml, line 1): stands in another file of this stack, too; write it in one of them",
    ]);
  });

  it("has nothing that Pulumi would have to decrypt, and names no file itself", () => {
    assert.match(
      wrong({ ...own, parts: "secret.yaml" }).join(),
      /ann\.passwordHash \(secret\.yaml, line 1\): is encrypted, which Pulumi reads in the stack file alone/,
    );
    assert.match(
      wrong({ ...own, parts: ["nested.yaml"] }).join(),
      /mailhost:parts\[0\]: names nested\.yaml, which names files itself/,
    );
    assert.match(
      wrong({ ...own, parts: [7] }).join(),
      /mailhost:parts\[0\]: is no path; write .* such as mailboxes\.yaml/,
    );
  });

  it("takes names that every object has", () => {
    const { raw } = gather(
      { domains: { a: {} }, parts: "odd.yaml" },
      () => "config: { mailhost:domains: { a: { mailboxes: { constructor: {}, toString: } } } }",
    );
    assert.deepEqual(raw.domains, { a: { mailboxes: { constructor: {}, toString: null } } });
  });
});
