/** What editors go by: the schema of stack files, held to the settings, to stack files as people have them, and to an editor's server. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { Ajv } from "ajv";
import { parse, parseDocument } from "yaml";
import { firstStackFile } from "../../cli/stackFile/first.ts";
import { generated } from "../../docs/generate.ts";
import { type Node, settingsSchema } from "../../settings/jsonSchema.ts";
import { answers } from "../cli/answers.ts";
import { everythingWith, largerMachine, morePeople } from "../e2e/everything.ts";
import { examples } from "../examples.ts";
import { Editor } from "./editor.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const schemaOf = (name: string) => JSON.parse(read(`docs/${name}.schema.json`)) as object;

it("what is generated is what the schema of the settings says", () => {
  for (const [name, text] of Object.entries(generated()))
    assert.equal(read(`docs/${name}`), text, `docs/${name} is stale: run \`npm run docs\``);
});

// A list of types is what this draft has for a mapping that may be empty.
const ajv = new Ajv({
  strict: true,
  allowUnionTypes: true,
  strictRequired: false,
  strictTypes: false,
  allErrors: true,
});
const judges = {
  stack: ajv.compile(schemaOf("stack")),
  part: ajv.compile(schemaOf("part")),
};

/** Where the values are that it does not take. */
function refused(what: keyof typeof judges, text: string): readonly string[] {
  const judge = judges[what];
  judge(parse(text));
  const places = (judge.errors ?? [])
    .filter(({ keyword }) => !["if", "anyOf", "oneOf"].includes(keyword))
    .map(({ instancePath, params }) => {
      const more = (params.additionalProperty ?? params.missingProperty) as string | undefined;
      return [...instancePath.split("/").slice(1), ...(more === undefined ? [] : [more])]
        .map((key) => key.replaceAll("~1", "/"))
        .join(" › ");
    });
  return [...new Set(places)].toSorted();
}

/** Settings for a test, in the smallest stack file that is whole. */
const stack = (more: string) => `config:
  aws:region: eu-central-1
  cloudflare:baseUrl: https://api.example.net
  mailhost:hostname: mail.example.org
  mailhost:owner: ann@example.org
  mailhost:ssh: { from: [203.0.113.7/32] }
  mailhost:domains: { example.org: { since: 2026-11-21, mailboxes: { ann: } } }
${more}
encryptionsalt: v1:a
`;

describe("the schema takes", () => {
  it("the stack files that are here, and those that they name, each of which names its own to editors", () => {
    for (const path of globSync("*.yaml", { cwd: root, exclude: ["Pulumi.yaml"] })) {
      const what = path.startsWith("Pulumi.") ? "stack" : "part";
      assert.deepEqual(refused(what, read(path)), [], path);
      assert.ok(read(path).startsWith(`# yaml-language-server: $schema=docs/${what}.schema.json\n`), path);
    }
    for (const name of examples) assert.deepEqual(refused("stack", read(`Pulumi.${name}.yaml`)), []);
  });

  it("one with everything switched on", () => {
    const whole = parseDocument(read("Pulumi.dev.yaml"));
    const relay = {
      host: "relay.example.net",
      port: 465,
      username: "customer",
      password: "secret",
      caCertificate: "a certificate",
      spf: "ip4:192.0.2.1",
      tlsPort: 465,
      address: "192.0.2.1",
    };
    const machines = {
      printer: { networks: ["198.51.100.7/32"], senders: ["scanner@example.org"], limit: 3 },
      nas: { certificate: "a certificate", senders: ["nas@example.org"] },
      shop: { login: true, senders: ["@example.com"] },
    };
    for (const change of [morePeople, largerMachine, everythingWith(relay, machines)]) change(whole);
    assert.deepEqual(refused("stack", whole.toString()), []);
  });

  it("every example of every setting", () => {
    const shown = examplesOf(settingsSchema(), ["config"]);
    assert.ok(shown.length > 100);
    for (const { path, value } of shown) {
      const tree = parse(stack("")) as Record<string, unknown>;
      set(tree, path, value);
      // What else it would have to say there is not what is asked.
      const wrong = refused("stack", JSON.stringify(tree)).filter((place) =>
        place.startsWith(path.join(" › ")),
      );
      assert.deepEqual(
        wrong.filter((place) => place === path.join(" › ")),
        [],
        `${path.join(".")}: ${JSON.stringify(value)}`,
      );
    }
  });

  it("numbers and truth values in quotes, what comes from the environment, and what Pulumi has encrypted", () => {
    const text = stack(`  mailhost:pop3s: "true"
  mailhost:rspamdPage: \${PAGE}
  mailhost:server: { dataSize: "40", rootSize: "\${SIZE}", architecture: "\${LOCAL_CLOUD_ARCHITECTURE}" }
  mailhost:lockedStore: { passphrase: { secure: v1:abc } }
  mailhost:relay: { host: ses, password: { secure: v1:abc } }`);
    assert.deepEqual(refused("stack", text), []);
  });

  it("less, where the rest stands elsewhere", () => {
    for (const elsewhere of [
      "config: { mailhost:shared: stacks.yaml }",
      "config: { mailhost:parts: [a.yaml] }",
      "environment: [mail]",
    ])
      assert.deepEqual(refused("stack", elsewhere), []);
    assert.deepEqual(
      refused("part", "config: { mailhost:domains: { example.org: { mailboxes: { ann: {} } } } }"),
      [],
    );
    assert.deepEqual(refused("part", "values: { pulumiConfig: { mailhost:server: { dataSize: 40 } } }"), []);
    // As `pulumi stack init` leaves it.
    assert.deepEqual(refused("stack", "encryptionsalt: v1:a"), []);
  });
});

describe("the schema refuses", () => {
  const mistakes: readonly [string, string, readonly string[]][] = [
    ["a misspelt key", "  mailhost:pop3: true", ["config › mailhost:pop3"]],
    ["one without a namespace", "  pop3s: true", ["config › pop3s"]],
    [
      "a word that is none of its",
      "  mailhost:server: { architecture: arm }",
      ["config › mailhost:server › architecture"],
    ],
    ["a number out of range", "  mailhost:server: { rootSize: 3 }", ["config › mailhost:server › rootSize"]],
    [
      "a text in place of a number",
      "  mailhost:server: { dataSize: much }",
      ["config › mailhost:server › dataSize"],
    ],
    ["a list in place of a mapping", "  mailhost:server: [arm64]", ["config › mailhost:server"]],
    [
      "a name in a nested mapping",
      "  mailhost:lists: { refused: [a@example.net] }",
      ["config › mailhost:lists › refused"],
    ],
    [
      "what a list's entry lacks",
      "  mailhost:lists: { dns: [{ score: 3 }] }",
      ["config › mailhost:lists › dns › 0 › zone"],
    ],
    [
      "what a mapping of names lacks",
      "  mailhost:trustedHosts: { shop: { login: true } }",
      ["config › mailhost:trustedHosts › shop › senders"],
    ],
  ];
  for (const [title, more, places] of mistakes)
    it(title, () => assert.deepEqual(refused("stack", stack(more)), places));

  it("a stack file without what each host needs", () => {
    assert.deepEqual(refused("stack", "config: { mailhost:domains: { example.org: {} } }"), [
      "config › mailhost:domains › example.org › since",
      "config › mailhost:hostname",
      "config › mailhost:owner",
      "config › mailhost:ssh",
    ]);
  });

  it("in a file that it names: another such, another program's setting, a secret that Pulumi would not decrypt", () => {
    for (const [text, place] of [
      ["config: { mailhost:parts: a.yaml }", "config › mailhost:parts"],
      ["config: { aws:region: eu-central-1 }", "config › aws:region"],
      ["config: { mailhost:relay: { password: { secure: v1:a } } }", "config › mailhost:relay › password"],
    ] as const)
      assert.ok(refused("part", text).includes(place), place);
    assert.equal(judges.part({}), false);
  });
});

it("the schema has the meaning and the default of each setting", () => {
  const { properties } = schemaOf("stack") as { readonly properties: { readonly config: Node } };
  const { description, default: usual } =
    properties.config.properties?.["mailhost:server"]?.properties?.dataSize ?? assert.fail();
  assert.deepEqual([description?.slice(0, 23), usual], ["Size of the data volume", 20]);
  const missing = Object.entries(properties.config.properties ?? {}).filter(([, node]) => !node.description);
  assert.deepEqual(missing, []);
});

it("an editor underlines mistakes, nothing else, and offers keys and words", async (t) => {
  const editor = await Editor.open(t);
  const head =
    "# yaml-language-server: $schema=docs/stack.schema.json\nconfig:\n  aws:region: eu-central-1\n";
  const first = firstStackFile({ ...answers, mailboxes: ["ann"] }, "encryptionsalt: v1:a");
  assert.deepEqual(await editor.underlined("Pulumi.first.yaml", first), []);
  for (const name of ["Pulumi.organisation.yaml", "organisation.mailboxes.yaml", "stacks.yaml"])
    assert.deepEqual(await editor.underlined(name, read(name)), [], name);

  const mistaken = first
    .replace("mailhost:owner", "mailhost:ownr")
    .replace("ann: {}", "ann: { quota: much }");
  const lines = mistaken.split("\n");
  const found = (await editor.underlined("Pulumi.mistaken.yaml", mistaken)).map(
    ({ range, message }) => [lines[range.start.line]?.trim().split(" ")[0], message] as const,
  );
  assert.deepEqual(found.toSorted(), [
    ["ann:", 'Incorrect type. Expected "number".'],
    ["config:", 'Missing property "mailhost:owner".'],
    ["mailhost:ownr:", "Property mailhost:ownr is not allowed."],
  ]);

  const offered = await editor.completed("Pulumi.keys.yaml", `${head}  mailhost:po`);
  assert.ok(offered.includes("mailhost:pop3s"), offered.join());
  assert.deepEqual(await editor.completed("Pulumi.inner.yaml", `${head}  mailhost:server:\n    arch`), [
    "architecture",
    "instanceType",
    "rootSize",
    "dataSize",
    "timeZone",
  ]);
  assert.deepEqual(
    await editor.completed("Pulumi.words.yaml", `${head}  mailhost:server:\n    architecture: `),
    ["arm64", "amd64"],
  );
});

interface Shown {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Every example that the settings show, with its place. */
function examplesOf(node: Node, path: readonly string[]): readonly Shown[] {
  const own = (node.examples ?? []).map((value) => ({ path, value }));
  const prefix = path.length === 1 ? "mailhost:" : "";
  const below = Object.entries(node.properties ?? {}).flatMap(([key, inner]) =>
    examplesOf(inner, [...path, prefix + key]),
  );
  const entry = typeof node.additionalProperties === "object" ? node.additionalProperties : undefined;
  const named = entry ? examplesOf(entry, [...path, "example.org"]) : [];
  // Beside another form of the same value, an example is what the value as a whole may be.
  return [...own, ...below, ...named];
}

function set(tree: Record<string, unknown>, [key = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) tree[key] = value;
  else {
    tree[key] ??= {};
    set(tree[key] as Record<string, unknown>, rest, value);
  }
}
