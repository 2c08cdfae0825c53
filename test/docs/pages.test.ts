/** The pages a person reads, held to the code: what they name exists, and what they show parses. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { z } from "zod";
import { ensureEngine } from "../../local/engine/engine.ts";
import { cloudPaths } from "../../local/paths.ts";
import { parseSettings } from "../../settings/parse.ts";
import { schema } from "../../settings/schema.ts";
import { blocksOf, fence, pages } from "./fenced.ts";

const root = resolve(import.meta.dirname, "../..");
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
}).split("\n");
const topLevel = new Set(tracked.filter((path) => path.includes("/")).map((path) => path.split("/")[0]));
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

const blocks = pages.flatMap(blocksOf);

/** Everything in a page's inline code. */
const spans = pages.flatMap(({ path, text }) =>
  [...text.replace(fence, "").matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => ({
    page: path,
    text: span.replaceAll("\\|", "|"),
  })),
);

/** Lines of shell, in blocks and in inline code. */
const commands = [
  ...spans,
  ...blocks
    .filter(({ language }) => language === "sh")
    .flatMap(({ page, text }) =>
      text
        .replaceAll("\\\n", " ")
        .split("\n")
        .map((line) => ({ page, text: line })),
    ),
];

function missing(found: Iterable<string>): void {
  assert.deepEqual([...new Set(found)], []);
}

describe("links", () => {
  const links = pages.flatMap(({ path, text }) =>
    [...text.replace(fence, "").matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => ({ path, target })),
  );
  const local = links.filter(({ target }) => !/^[a-z]+:/.test(target));

  it("are there at all", () => assert.ok(local.length > 20));

  it("lead to files that exist", () => {
    missing(
      local
        .map(({ path, target }) => ({
          path,
          file: join(dirname(path), target.replace(/#.*/, "")),
          own: target.startsWith("#"),
        }))
        .filter(({ file, own }) => !own && !existsSync(join(root, file)))
        .map(({ path, file }) => `${path}: ${file}`),
    );
  });

  it("lead to headings that exist", () => {
    const anchors = new Map(
      pages.map(({ path, text }) => [
        path,
        new Set([...text.replace(fence, "").matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => slug(title))),
      ]),
    );
    missing(
      local
        .filter(({ target }) => target.includes("#"))
        .filter(({ path, target }) => {
          const [file = "", anchor = ""] = target.split("#");
          const page = file === "" ? path : relative(root, resolve(root, dirname(path), file));
          return !anchors.get(page)?.has(anchor);
        })
        .map(({ path, target }) => `${path}: ${target}`),
    );
  });
});

/** As GitHub makes anchors of headings. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

describe("files", () => {
  it("of the repository that are named exist", () => {
    const named = spans
      .map(({ page, text }) => ({ page, path: text.replace(/[:,].*$/, "") }))
      .filter(
        ({ path }) =>
          topLevel.has(path.split("/")[0] ?? "") && /^[\w.@/-]+$/.test(path) && path.includes("/"),
      );
    assert.ok(named.length > 40);
    missing(
      named.filter(({ path }) => !existsSync(join(root, path))).map(({ page, path }) => `${page}: ${path}`),
    );
  });

  it("in the root that are named exist", () => {
    // `home` stands for the reader's own stack.
    const own = "Pulumi.home.yaml";
    const named = spans.filter(
      ({ text }) => text !== own && /^(Pulumi|[A-Z]+|index|package|tsconfig)\.[\w.]+$/.test(text),
    );
    assert.ok(named.length > 3);
    missing(
      named.filter(({ text }) => !existsSync(join(root, text))).map(({ page, text }) => `${page}: ${text}`),
    );
  });
});

describe("commands", () => {
  const runs = commands.flatMap(({ page, text }) =>
    [...text.matchAll(/\bnpm (run (?:-s )?)?([a-z][\w:-]*)(?: -- ([^#;&|`]*))?/g)].map(
      ([, run, script = "", args = ""]) => ({ page, run: run !== undefined, script, args: args.trim() }),
    ),
  );

  it("of npm exist", () => {
    assert.ok(runs.length > 30);
    const builtIn = new Set(["ci", "start", "stop", "test"]);
    missing(
      runs
        .filter(({ run, script }) => (run ? !(script in scripts) : !builtIn.has(script)))
        .map(({ page, script }) => `${page}: npm run ${script}`),
    );
    for (const name of ["start", "stop", "test"]) assert.ok(scripts[name]);
  });

  it("of the local cloud are scripts that call them by their own names, and the README names each", () => {
    const { stdout } = spawnSync(process.execPath, [join(root, "local/main.ts"), "--help"], {
      encoding: "utf8",
    });
    const [, list = ""] = stdout.split("\nCommands:\n");
    const own = [...list.matchAll(/^ {2}([a-z]+)\b/gm)]
      .map(([, name = ""]) => name)
      .filter((name) => name !== "help");
    assert.ok(own.length > 5, stdout);
    assert.deepEqual(
      Object.fromEntries(Object.entries(scripts).filter(([, line]) => line.includes("local/main.ts"))),
      Object.fromEntries(own.map((name) => [name, `node local/main.ts ${name}`])),
    );
    const named = new Set(runs.filter(({ page }) => page === "README.md").map(({ script }) => script));
    missing(own.filter((name) => !named.has(name)));
  });

  it("for any stack are scripts that call them by their own names, or commands of mailhost", () => {
    const { stdout } = spawnSync(process.execPath, [join(root, "cli/main.ts"), "--help"], {
      encoding: "utf8",
    });
    const [, list = ""] = stdout.split("\nCommands:\n");
    const own = [...list.matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name = ""]) => name);
    assert.ok(own.length > 8, stdout);
    const ofCli = Object.entries(scripts).filter(([, line]) => line.includes("cli/main.ts"));
    for (const [name, line] of ofCli) {
      if (name === "mailhost") assert.equal(line, "node cli/main.ts");
      else assert.deepEqual([line, own.includes(name)], [`node cli/main.ts ${name}`, true]);
    }
    const page = pages.find(({ path }) => path === "docs/cli.md")?.text ?? "";
    missing(own.filter((name) => name !== "help" && !new RegExp(`\\b${name}\\b`).test(page)));
  });

  it("of Pulumi have the options that are shown", async () => {
    const { pulumi } = await ensureEngine({ cacheDir: cloudPaths().cache, log: console.error });
    const shown = new Map<string, Set<string>>();
    for (const { text } of commands) {
      for (const [, line = ""] of text.matchAll(/\bpulumi (?:-- )?((?:[a-z-]+ ?)+[^#;&|]*)/g)) {
        const options = line.match(/(?<=^|\s)--[a-z][\w-]*/g) ?? [];
        if (options.length === 0) continue;
        const words = line.split(" ").slice(
          0,
          line.split(" ").findIndex((word) => !/^[a-z]+$/.test(word)),
        );
        // `config set` and `stack init` are commands of two words; `stack output credentials` has an argument.
        const command = words
          .slice(0, ["config", "stack", "state"].includes(words[0] ?? "") ? 2 : 1)
          .join(" ");
        shown.set(command, new Set([...(shown.get(command) ?? []), ...options]));
      }
    }
    assert.ok(shown.size >= 5, [...shown.keys()].join());
    const wrong: string[] = [];
    for (const [command, options] of shown) {
      const { stdout, status } = spawnSync(pulumi, [...command.split(" "), "--help"], {
        encoding: "utf8",
      });
      if (status !== 0) wrong.push(`pulumi ${command}`);
      for (const option of options)
        if (!new RegExp(`(^|\\s)${option}\\b`).test(stdout)) wrong.push(`pulumi ${command} ${option}`);
    }
    missing(wrong);
  });

  it("have the options that are shown", () => {
    const shown = new Map<string, Set<string>>();
    for (const { script, args } of runs) {
      // What follows these is Pulumi's or the host's.
      if (script === "pulumi" || script === "host") continue;
      const sub = script === "mail" ? [/^[a-z]+/.exec(args)?.[0] ?? ""] : [];
      const key = [script, ...sub].join(" ").trim();
      const options = shown.get(key) ?? new Set();
      for (const [option] of args.matchAll(/(?<=^|\s)--[a-z][\w-]*/g)) options.add(option);
      shown.set(key, options);
    }
    const wrong: string[] = [];
    for (const [key, options] of shown) {
      const [script = "", ...rest] = key.split(" ");
      if (options.size === 0 && rest.length === 0) continue;
      const program = /^node (local\/\S+|cli\/\S+)(.*)$/.exec(scripts[script] ?? "");
      if (program === null) {
        wrong.push(`${key} takes no options`);
        continue;
      }
      const [, file = "", fixed = ""] = program;
      const { stdout, status } = spawnSync(
        process.execPath,
        [join(root, file), ...fixed.trim().split(/\s+/), ...rest, "--help"].filter((word) => word !== ""),
        { cwd: root, encoding: "utf8" },
      );
      if (status !== 0) wrong.push(`${key} --help ends with ${status}`);
      for (const option of options)
        if (!new RegExp(`(^|\\s)${option}\\b`).test(stdout)) wrong.push(`${key} ${option}`);
    }
    missing(wrong);
  });
});

describe("settings", () => {
  /** Example stacks take these from the environment. */
  const environment = {
    RELAY_PASSWORD: "secret",
    BOB_HASH: `$6$salt$${"b".repeat(86)}`,
    LOCAL_CLOUD_ARCHITECTURE: "arm64",
    LOCAL_CLOUD_RESOLVER: "198.18.0.10",
    LOCAL_CLOUD_ROOT_HINTS: ". 3600000 NS a.root.example.\na.root.example. 3600000 A 198.18.0.2\n",
    LOCAL_CLOUD_TRUST_ANCHOR: `. IN DS 20326 8 2 ${"AB".repeat(32)}`,
    LOCAL_CLOUD_ACME_CA: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  };
  const stacks = [
    ...blocks.filter(({ language }) => language === "yaml"),
    { page: "Pulumi.dev.yaml", language: "yaml", text: readFileSync(join(root, "Pulumi.dev.yaml"), "utf8") },
  ];

  it("in every example are right", () => {
    assert.ok(stacks.length >= 5);
    for (const { page, text } of stacks) {
      const { config } = parse(text) as { config: Record<string, unknown> };
      const raw = Object.fromEntries(
        Object.entries(config)
          .filter(([key]) => key.startsWith("mailhost:"))
          .map(([key, value]) => [key.slice("mailhost:".length), value]),
      );
      assert.doesNotThrow(() => parseSettings(raw, environment), `${page}:\n${text}`);
      for (const key of Object.keys(config)) assert.match(key, /^(mailhost:\w+|aws:region)$/, page);
    }
  });

  it("that are named exist", () => {
    const keys = new Set<string>();
    const visit = (node: z.core.JSONSchema._JSONSchema, path: string) => {
      if (typeof node === "boolean") return;
      if (path !== "") keys.add(path);
      for (const [key, inner] of Object.entries(node.properties ?? {})) {
        keys.add(key);
        visit(inner, path === "" ? key : `${path}.${key}`);
      }
      for (const way of node.anyOf ?? []) visit(way, path);
      if (node.additionalProperties) visit(node.additionalProperties, `${path}.<name>`);
      for (const inner of node.anyOf ?? []) visit(inner, path);
    };
    visit(z.toJSONSchema(schema, { io: "input" }), "");
    const heads = Object.keys(z.toJSONSchema(schema, { io: "input" }).properties ?? {});
    const named = spans.flatMap(({ page, text }) => {
      const plain = text.replace(/^mailhost:(?!.*:)/, "");
      return heads.includes(plain.split(".")[0] ?? "") && /^[\w.<>]+$/.test(plain) ? [{ page, plain }] : [];
    });
    assert.ok(named.length > 5);
    missing(named.filter(({ plain }) => !keys.has(plain)).map(({ page, plain }) => `${page}: ${plain}`));
    const set = commands.flatMap(({ page, text }) =>
      [...text.matchAll(/\bconfig set\b.*?\bmailhost:([\w.]+)/g)].map(([, key = ""]) => ({ page, key })),
    );
    assert.ok(set.length > 0);
    missing(set.filter(({ key }) => !keys.has(key)).map(({ page, key }) => `${page}: config set ${key}`));
    // Those that stand alone in the pages' words: each is a key somewhere.
    for (const { page, text } of spans) {
      if (/^(since|zone|catchAll|dataSize|rootSize|instanceType|passwordHash|timeZone|subnetId)$/.test(text))
        assert.ok(keys.has(text), `${page}: ${text}`);
    }
  });
});

describe("words that the program says", () => {
  const sources = tracked
    .filter(
      (path) =>
        /^(\.github|cli|local|check|components|plan|settings|files)\//.test(path) &&
        existsSync(join(root, path)),
    )
    .map((path) => readFileSync(join(root, path), "utf8"))
    .join("\n");

  it("stand in its sources as troubleshooting.md quotes them", () => {
    const page = pages.find(({ path }) => path === "docs/troubleshooting.md")?.text ?? "";
    const section = page.split(/^## /m).find((part) => part.startsWith("What this program says")) ?? "";
    const quotes = [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, quote = ""]) => quote);
    assert.ok(quotes.length > 8);
    missing(
      quotes
        .flatMap((quote) => quote.split("…"))
        .map((part) => part.trim())
        .filter((part) => part !== "" && !sources.includes(part)),
    );
  });

  it("about packages of the local cloud are all in local-cloud.md", () => {
    const page = pages.find(({ path }) => path === "docs/local-cloud.md")?.text ?? "";
    const needed = [
      ...readFileSync(join(root, "local/prerequisites.ts"), "utf8").matchAll(/package: "([^"]+)"/g),
    ].map(([, name = ""]) => name);
    assert.ok(needed.length > 5);
    missing(needed.filter((name) => !page.includes(`\`${name}\``)));
  });

  it("about the environment are known to it", () => {
    const variables = commands.flatMap(({ page, text }) =>
      [...text.matchAll(/\b(?:MAILHOST|LOCAL_CLOUD)_[A-Z_]+/g)].map(([name]) => ({ page, name })),
    );
    assert.ok(variables.length > 0);
    missing(
      variables.filter(({ name }) => !sources.includes(name)).map(({ page, name }) => `${page}: ${name}`),
    );
  });
});

it("the architecture names index.ts's components, in its order", () => {
  const program = readFileSync(join(root, "index.ts"), "utf8");
  const made = [...program.matchAll(/\bnew (\w+)\(/g)].map(([, name]) => name);
  const [, table = ""] =
    /\| component \| makes \|\n.*\n((?:\|.*\n)+)/.exec(
      readFileSync(join(root, "docs/architecture.md"), "utf8"),
    ) ?? assert.fail("no table of components");
  const named = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([A-Z]\w+)`/g)].map(([, name]) => name),
  );
  assert.deepEqual(named, [...new Set(made)]);
});
