/** Edits of stack files as people write them: nothing but what was asked for changes, 200 edits long. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { Failure } from "../../../cli/failure.ts";
import {
  addAlias,
  addDomain,
  addMailbox,
  piecesOf,
  removeAlias,
  removeDomain,
  removeMailbox,
  type StackText,
  setPasswordHash,
  suspendMailbox,
} from "../../../cli/stackFile/domains.ts";
import { type Edit, edited, type Keys, type Value } from "../../../cli/stackFile/edit.ts";
import { gather } from "../../../settings/pieces.ts";

const root = resolve(import.meta.dirname, "../../..");
const name = "Pulumi.prod.yaml";
const dev = readFileSync(join(root, "Pulumi.dev.yaml"), "utf8");

/** The README's second example, whose comments stand in a column. */
const fuller =
  [...readFileSync(join(root, "README.md"), "utf8").matchAll(/```yaml\n([\s\S]*?)```/g)][1]?.[1] ??
  assert.fail();

/** As another hand would write it: four blanks, mappings on one line, lists on several, quotes, no line break at its end. */
const odd = `# ours
"config":
    aws:region: eu-central-1
    mailhost:domains:
        'example.org': { since: "2026-11-21", mailboxes: { ann: {}, 'bob': { quota: 3 } } }  # small
        Example.COM:   # the other one
            since: 2026-11-21

            # who is here
            mailboxes:
                carol:
                    # until her phone is mended
                    suspended: true
                dave:          # no settings
            # where mail goes
            aliases:
                info:
                    - carol    # first
                    - dave

                # sales
                sales: >-
                    carol
            catchAll: carol
        # domains of friends
        example.net:
            since: 2026-11-22
            mailboxes:
              # nobody yet
    mailhost:ssh: {from: [203.0.113.7/32]}  # me
# the end`;

const samples: Readonly<Record<string, string>> = {
  dev,
  fuller,
  odd,
  "with CRLF": odd.replaceAll("\n", "\r\n"),
};
const domainsOf: Readonly<Record<string, readonly string[]>> = {
  dev: ["example.org", "example.com"],
  fuller: ["example.org", "example.com"],
  odd: ["example.org", "example.com", "example.net"],
  "with CRLF": ["example.org", "example.com", "example.net"],
};

function comments(text: string): string[] {
  return text.split(/\r?\n/).flatMap((line) => /(?:^|\s)(#.*)$/.exec(line)?.[1] ?? []);
}

/** Whether the lines of one are among the other's, in the same order. */
function isWithin(some: readonly string[], all: readonly string[]): boolean {
  let next = 0;
  for (const line of all) if (line === some[next]) next += 1;
  return next === some.length;
}

function at(text: string, keys: Keys): unknown {
  return keys.reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], parse(text));
}

const domains = ["config", "mailhost:domains"];
const edit = (text: string, ...edits: readonly Edit[]) =>
  edits.reduce((before, one) => edited(before, one, name), text);

describe("an edit changes its own line", () => {
  const changed = (before: string, after: string) => {
    const [old, fresh] = [before.split("\n"), after.split("\n")];
    return {
      gone: old.filter((line) => !fresh.includes(line)),
      new: fresh.filter((line) => !old.includes(line)),
    };
  };
  const cases: readonly [string, string, Edit, readonly string[], readonly string[]][] = [
    [
      "a mailbox more",
      dev,
      { kind: "set", at: [...domains, "example.org", "mailboxes", "dora"], value: {} },
      [],
      ["        dora: {}"],
    ],
    [
      "beside comments in a column",
      fuller,
      { kind: "set", at: [...domains, "example.org", "mailboxes", "ann", "quota"], value: 5 },
      ["        ann: {}"],
      ["        ann: { quota: 5 }"],
    ],
    [
      "in a mapping on one line",
      odd,
      { kind: "set", at: [...domains, "example.org", "mailboxes", "zoe"], value: {} },
      [
        `        'example.org': { since: "2026-11-21", mailboxes: { ann: {}, 'bob': { quota: 3 } } }  # small`,
      ],
      [
        `        'example.org': { since: "2026-11-21", mailboxes: { ann: {}, 'bob': { quota: 3 }, zoe: {} } }  # small`,
      ],
    ],
    [
      "where there is nothing but a comment",
      odd,
      { kind: "set", at: [...domains, "example.net", "mailboxes", "zoe"], value: {} },
      [],
      ["                zoe: {}"],
    ],
    [
      "after a key without a value",
      odd,
      { kind: "set", at: [...domains, "Example.COM", "mailboxes", "dave", "suspended"], value: true },
      ["                dave:          # no settings"],
      ["                dave: { suspended: true }          # no settings"],
    ],
    [
      "at the end of a list",
      odd,
      { kind: "append", at: [...domains, "Example.COM", "aliases", "info"], value: "zoe@example.net" },
      [],
      ["                    - zoe@example.net"],
    ],
    [
      "after a folded text",
      odd,
      { kind: "set", at: [...domains, "Example.COM", "aliases", "shop"], value: ["carol"] },
      [],
      ["                shop: [carol]"],
    ],
    [
      "one of a list goes",
      odd,
      { kind: "remove", at: [...domains, "Example.COM", "aliases", "info", 1] },
      ["                    - dave"],
      [],
    ],
    [
      "the last of a mapping goes",
      dev,
      { kind: "remove", at: [...domains, "example.com", "mailboxes", "carol"] },
      ["        carol: {}"],
      ["      mailboxes: {}"],
    ],
    [
      "below an empty mapping",
      dev.replace("mailboxes:\n        carol: {}", "mailboxes: {}  # soon"),
      { kind: "set", at: [...domains, "example.com", "mailboxes", "zoe"], value: {} },
      ["      mailboxes: {}  # soon"],
      ["      mailboxes:  # soon", "        zoe: {}"],
    ],
    [
      "a secret",
      dev,
      {
        kind: "set",
        at: [...domains, "example.org", "mailboxes", "ann", "passwordHash"],
        value: { secure: "v1:a+/=:b==" },
      },
      ["        ann: {}"],
      ["        ann:", "          passwordHash: { secure: v1:a+/=:b== }"],
    ],
    [
      "a name that looks like a number",
      dev,
      { kind: "set", at: [...domains, "example.org", "mailboxes", "007"], value: {} },
      [],
      [`        "007": {}`],
    ],
    [
      "a name that YAML would read as something else",
      dev,
      { kind: "append", at: [...domains, "example.org", "aliases", "info"], value: "true" },
      ["        info: [ann, bob]"],
      [`        info: [ann, bob, "true"]`],
    ],
  ];
  for (const [title, text, change, gone, fresh] of cases) {
    it(title, () => assert.deepEqual(changed(text, edit(text, change)), { gone, new: fresh }));
  }

  it("at the end of a file without a line break", () => {
    const text = "config:\n  mailhost:domains:\n    example.org: {}";
    const after = edit(text, {
      kind: "set",
      at: [...domains, "example.net"],
      value: { since: "2026-11-22", mailboxes: {} },
    });
    assert.equal(after, `${text}\n    example.net:\n      since: "2026-11-22"\n      mailboxes: {}`);
  });

  it("keeps the line breaks of another system", () => {
    const after = edit(samples["with CRLF"] ?? "", {
      kind: "set",
      at: [...domains, "example.net", "mailboxes", "zoe"],
      value: {},
    });
    assert.equal(after.replaceAll("\r\n", "").includes("\n"), false);
  });

  it("by the library where the text has a form that cannot be cut", () => {
    const text =
      "config:\n  mailhost:domains:\n    ? example.org\n    : since: 2026-11-21 # then\n      mailboxes: { ann: {} }\n";
    const after = edit(text, { kind: "remove", at: [...domains, "example.org", "since"] });
    assert.deepEqual(at(after, [...domains, "example.org"]), { mailboxes: { ann: {} } });
  });

  it("is refused where it would change something else as well", () => {
    const text = "config:\n  mailhost:domains:\n    a.org: &a { mailboxes: { ann: {} } }\n    b.org: *a\n";
    assert.throws(
      () => edit(text, { kind: "set", at: [...domains, "b.org", "mailboxes", "bob"], value: {} }),
      /Pulumi\.prod\.yaml is written in a way \(anchors/,
    );
    assert.throws(
      () => edit("config: [", { kind: "remove", at: ["config"] }),
      /Pulumi\.prod\.yaml is no YAML\. Nothing was touched\./,
    );
  });
});

/** What a person may ask for, some of which is refused. */
const wish = fc.record({
  kind: fc.constantFrom(
    "mailbox",
    "gone",
    "suspended",
    "resumed",
    "hash",
    "no hash",
    "alias",
    "less",
    "no alias",
    "domain",
    "no domain",
  ),
  local: fc.constantFrom("ann", "bob", "carol", "dave", "zoe", "x.y", "007", "no", "info", "sales", "a+b"),
  other: fc.constantFrom("ann", "bob", "carol@example.com", "zoe", "true", "x@elsewhere.example"),
  domain: fc.nat(20),
  quota: fc.option(fc.nat(50), { nil: undefined }),
});

type Wish = typeof wish extends fc.Arbitrary<infer W> ? W : never;

function addressOf({ local, domain }: Wish, known: readonly string[]): string {
  return `${local}@${known[domain % known.length] ?? ""}`;
}

/** @throws Failure where it is refused */
function made(file: StackText, one: Wish, own: readonly string[], extra: ReadonlySet<string>): StackText {
  const { kind, other, domain, quota } = one;
  const address = addressOf(one, [...own, ...extra]);
  const act: Readonly<Record<string, () => StackText>> = {
    mailbox: () => addMailbox(file, address, quota === undefined ? {} : { quota, appPasswords: ["phone"] }),
    gone: () => removeMailbox(file, address),
    suspended: () => suspendMailbox(file, address, true),
    resumed: () => suspendMailbox(file, address, false),
    hash: () =>
      setPasswordHash(file, address, quota === undefined ? `\${HASH_${domain}}` : { secure: `v1:${quota}` }),
    "no hash": () => setPasswordHash(file, address, undefined),
    alias: () => addAlias(file, address, [other]),
    less: () => removeAlias(file, address, [other]),
    "no alias": () => removeAlias(file, address, []),
    domain: () => addDomain(file, `d${domain}.example.net`, "2026-11-22", undefined),
    "no domain": () => removeDomain(file, [...extra][0] ?? "none.example"),
  };
  return act[kind]?.() ?? assert.fail(kind);
}

describe("200 random edits", () => {
  for (const [title, sample] of Object.entries(samples)) {
    it(`of ${title}: comments and order are those of before, and it says what was asked for`, () => {
      fc.assert(
        fc.property(fc.array(wish, { minLength: 200, maxLength: 200 }), (wishes) => {
          const own = domainsOf[title] ?? [];
          const extra = new Set<string>();
          let text = sample;
          let done = 0;
          // What stands inside something that is taken out goes with it.
          let kept = sample.split(/\r?\n/).filter((line) => comments(line).length > 0);
          for (const one of wishes) {
            const { kind, domain } = one;
            const fresh = `d${domain}.example.net`;
            const address = addressOf(one, [...own, ...extra]);
            const removes = /gone|no|less/.test(kind) && kind !== "no domain";
            let after: string;
            try {
              after = made({ text, name }, one, own, extra).text;
            } catch (error) {
              // Refused, in words: nothing has changed.
              if (!(error instanceof Failure)) throw error;
              continue;
            }
            done += 1;
            if (kind === "domain") extra.add(fresh);
            if (kind === "no domain") extra.delete([...extra][0] ?? "");
            const lines = (one: string) => one.split(/\r?\n/);
            if (removes || kind === "resumed" || kind === "hash") {
              // A whole line may go, with what was said behind it; no other changes.
              const gone = comments(text).filter((line) => !comments(after).includes(line));
              assert.ok(gone.length <= 2, `${kind} ${address}\n${text}\n${after}`);
              kept = kept.filter((line) => !gone.some((comment) => line.endsWith(comment)));
            }
            assert.ok(isWithin(comments(kept.join("\n")), comments(after)), `${kind} ${address}\n${after}`);
            // What neither goes nor is changed stands in the same order, letter by letter.
            const [before, now] = [lines(text), lines(after)];
            const common = before.filter((line) => now.includes(line));
            assert.ok(
              isWithin(
                common.filter(
                  (line) =>
                    before.indexOf(line) === before.lastIndexOf(line) &&
                    now.indexOf(line) === now.lastIndexOf(line),
                ),
                now,
              ),
            );
            if (kind === "no domain") {
              // It goes as one piece, however much is in it.
              const from = before.findIndex((line, index) => line !== now[index]);
              const rest = before.toSpliced(from, before.length - now.length);
              assert.deepEqual(rest, now);
            } else assert.ok(before.length - common.length <= 8, `${kind} ${address}\n${text}\n${after}`);
            text = after;
          }
          assert.ok(done >= 20, `${done}`);
          assert.deepEqual(Object.keys(at(text, domains) as Value as object), [
            ...Object.keys(at(sample, domains) as object),
            ...extra,
          ]);
        }),
        { numRuns: 2, endOnFailure: true },
      );
    });
  }
});

it("a mailbox may have a name that every object has", () => {
  const text = "config:\n  mailhost:domains:\n    example.org:\n      mailboxes:\n        ann: {}\n";
  const after = addMailbox({ text, name }, "constructor@example.org", {});
  assert.match(after.text, /constructor: \{\}/);
  assert.equal(removeMailbox(after, "constructor@example.org").text, text);
  const part = { text: text.replace("ann", "constructor"), name: "a.yaml" };
  const own = {
    text: "config: { mailhost:parts: [a.yaml], mailhost:domains: { example.org: { mailboxes: { ann: {} } } } }",
    name,
  };
  const gone = removeMailbox({ ...own, parts: [part] }, "constructor@example.org");
  assert.equal(gone.text, own.text);
  assert.doesNotMatch(gone.parts?.[0]?.text ?? "", /constructor/);
});

it("a part with nothing under config: is changed where its settings are read", () => {
  const part = {
    text: "config:\nvalues:\n  pulumiConfig:\n    mailhost:domains:\n      example.org:\n        mailboxes:\n          ann: {}\n",
    name: "a.yaml",
  };
  const own = { text: "config:\n  mailhost:parts: [a.yaml]\n", name };
  const after = addMailbox({ ...own, parts: [part] }, "bob@example.org", {});
  assert.equal(after.parts?.[0]?.text, `${part.text}          bob: {}\n`);
});

describe("names that look like numbers", () => {
  const numbers = `config:
  mailhost:domains:
    example.org:
      mailboxes:
        007: {}
        1e3: { quota: 3 } # hers
        12: {}
      aliases:
        0x10: [012, 12]
        404: 007
`;
  const own = { text: "config:\n  mailhost:parts: [a.yaml]\n", name };
  const split: StackText = { ...own, parts: [{ text: numbers, name: "a.yaml" }] };
  const partOf = (after: StackText) => {
    assert.equal(after.text, own.text);
    return after.parts?.[0]?.text.split("\n") ?? [];
  };
  const before = numbers.split("\n");

  for (const [title, after, gone, fresh] of [
    ["is there", removeMailbox(split, "007@example.org"), ["        007: {}"], []],
    [
      "is changed",
      suspendMailbox(split, "1e3@example.org", true),
      ["        1e3: { quota: 3 } # hers"],
      ["        1e3: { quota: 3, suspended: true } # hers"],
    ],
    ["comes", addMailbox(split, "0301@example.org", {}), [], [`        "0301": {}`]],
    [
      "is a target that comes",
      addAlias(split, "404@example.org", ["0301"]),
      ["        404: 007"],
      [`        404: ["007", "0301"]`],
    ],
    [
      "is a target that goes",
      removeAlias(split, "0x10@example.org", ["012"]),
      ["        0x10: [012, 12]"],
      ["        0x10: [12]"],
    ],
  ] as const)
    it(`one of a part ${title} as it is written there`, () => {
      const now = partOf(after);
      assert.deepEqual(
        {
          gone: before.filter((line) => !now.includes(line)),
          fresh: now.filter((line) => !before.includes(line)),
        },
        { gone, fresh },
      );
    });

  it("another one, which the number would be, is not there", () => {
    for (const address of ["7@example.org", "1000@example.org"])
      assert.throws(
        () => removeMailbox(split, address),
        /There is no mailbox .* example\.org has 007, 12, 1e3\./,
      );
    assert.throws(() => addMailbox(split, "007@example.org", {}), /007@example\.org is there already/);
  });

  it("those of the stack file itself are the engine's, which reads numbers", () => {
    const file = { text: numbers, name };
    assert.equal(removeMailbox(file, "7@example.org").text, numbers.replace("        007: {}\n", ""));
    assert.throws(() => removeMailbox(file, "007@example.org"), /There is no mailbox 007@example\.org/);
    assert.match(addMailbox(file, "007@example.org", {}).text, /^ {8}007: \{\}$[\s\S]*^ {8}"007": \{\}$/m);
    const list = { text: numbers.replace("404: 007", "404: [ann]"), name };
    assert.match(addAlias(list, "404@example.org", ["bob"]).text, /^ {8}404: \[ann, bob\]$/m);
  });
});

describe("a stack in several files", () => {
  const home = `# ours
config:
  mailhost:parts: [mailboxes.yaml, aliases.yaml]
  mailhost:domains:
    example.org: { since: "2026-11-21" } # the first
    example.com:
      since: "2026-11-21" # the second
      mailboxes: { carol: { passwordHash: { secure: v1:0 } } }
      catchAll: carol
`;
  const mailboxes = `# who is here
config:
  mailhost:domains:
    example.org:
      mailboxes:
        ann: {} # the boss
        bob: { quota: 3 }
    example.com:
      mailboxes:
        # hers is encrypted
        carol: {}
        dave:
          suspended: true # on leave
`;
  const aliases = `# where mail goes, in the form of an environment
values:
  pulumiConfig:
    mailhost:domains:
      example.org:
        aliases:
          info: [ann, bob] # both
          sales: bob
`;
  const split: StackText = {
    text: home,
    name,
    parts: [
      { name: "mailboxes.yaml", text: mailboxes },
      { name: "aliases.yaml", text: aliases },
    ],
  };
  const texts = (file: StackText) => piecesOf(file).map(({ text }) => text);
  /** What it says of its domains, without what says nothing. */
  const says = ({ text, parts = [] }: StackText) => {
    const textOf = (path: string) => parts.find((part) => part.name === path)?.text ?? assert.fail(path);
    const raw = { domains: at(text, domains), parts: parts.map((part) => part.name) };
    return JSON.parse(
      // Only the stack file itself may have what is encrypted.
      JSON.stringify(gather(raw, textOf).raw.domains, (_, value: unknown) =>
        typeof value === "object" && value !== null && !Array.isArray(value)
          ? Object.fromEntries(
              Object.entries(value).filter(
                ([key, inner]) => !/^(mailboxes|aliases)$/.test(key) || Object.keys(inner ?? {}).length > 0,
              ),
            )
          : value,
      ),
    ) as unknown;
  };
  const [mailboxesAt, aliasesAt] = [1, 2];

  it("each thing is changed where it stands, and a new one comes to its like", () => {
    for (const [title, after, where, line] of [
      ["a mailbox more", addMailbox(split, "zoe@example.org", {}), mailboxesAt, "        zoe: {}"],
      [
        "suspended",
        suspendMailbox(split, "bob@example.org", true),
        mailboxesAt,
        "        bob: { quota: 3, suspended: true }",
      ],
      ["an alias more", addAlias(split, "shop@example.org", ["ann"]), aliasesAt, "          shop: ann"],
      [
        "the first of a domain",
        addAlias(split, "shop@example.com", ["carol"]),
        aliasesAt,
        "          shop: [carol]",
      ],
      [
        "a target more",
        addAlias(split, "sales@example.org", ["ann"]),
        aliasesAt,
        "          sales: [bob, ann]",
      ],
      [
        "a domain more",
        addDomain(split, "example.net", "2026-11-22", undefined),
        0,
        '    example.net: { since: "2026-11-22" }',
      ],
      // Pulumi decrypts nothing elsewhere.
      [
        "a secret",
        setPasswordHash(split, "ann@example.org", { secure: "v1:1" }),
        0,
        `    example.org: { since: "2026-11-21", mailboxes: { ann: { passwordHash: { secure: v1:1 } } } } # the first`,
      ],
      [
        "the name of one",
        setPasswordHash(split, "ann@example.org", `\${ANN_HASH}`),
        mailboxesAt,
        `        ann: { passwordHash: "\${ANN_HASH}" } # the boss`,
      ],
    ] as const) {
      const [before, now] = [texts(split), texts(after)];
      assert.deepEqual(
        now.flatMap((text, index) => (text === before[index] ? [] : [index])),
        [where],
        title,
      );
      assert.ok(now[where]?.split("\n").includes(line), `${title}\n${now[where]}`);
    }
  });

  it("goes from wherever it is", () => {
    const after = removeMailbox(split, "carol@example.com");
    assert.ok(texts(after).every((text) => !/^ *carol:|\{ carol/m.test(text)));
    const [, ...parts] = texts(removeDomain(split, "example.org"));
    assert.ok(parts.every((text) => !text.includes("example.org")));
  });

  it("says after 200 random edits what one file would say, with all comments that are not of what went", () => {
    const whole: StackText = {
      text: `config:\n  mailhost:domains: ${JSON.stringify(says(split))}\n`,
      name,
    };
    fc.assert(
      fc.property(fc.array(wish, { minLength: 200, maxLength: 200 }), (wishes) => {
        const own = domainsOf.dev ?? [];
        const extra = new Set<string>();
        let [one, several, done] = [whole, split, 0];
        for (const what of wishes) {
          const both = [one, several].map((file) => {
            try {
              return made(file, what, own, extra);
            } catch (error) {
              if (!(error instanceof Failure)) throw error;
              return error.message;
            }
          });
          const [after, apart] = both;
          if (typeof after !== "object" || typeof apart !== "object") {
            assert.equal(after, apart);
            continue;
          }
          assert.deepEqual(says(apart), says(after), JSON.stringify(what));
          const before = comments(texts(several).join("\n"));
          const now = comments(texts(apart).join("\n"));
          assert.ok(before.filter((comment) => !now.includes(comment)).length <= 2, texts(apart).join("\n"));
          if (what.kind === "domain") extra.add(`d${what.domain}.example.net`);
          if (what.kind === "no domain") extra.delete([...extra][0] ?? "");
          [one, several, done] = [after, apart, done + 1];
        }
        assert.ok(done >= 20, `${done}`);
      }),
      { numRuns: 2, endOnFailure: true },
    );
  });
});
