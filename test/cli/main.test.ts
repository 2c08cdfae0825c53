/** `mailhost` as it is typed: in a checkout of its own, without a cloud. What wants a host is in test/e2e/host/33-commands. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { examples } from "../examples.ts";
import { atTerminal, line } from "../terminal.ts";
import { checkoutIn } from "./checkout.ts";

const root = resolve(import.meta.dirname, "../..");
let folder: string;
let checkout: string;
const file = () => join(checkout, "Pulumi.dev.yaml");
const dev = readFileSync(join(root, "Pulumi.dev.yaml"), "utf8");

before(() => {
  folder = mkdtempSync(join(tmpdir(), "cli-"));
  checkout = checkoutIn(folder);
});
after(() => rmSync(folder, { recursive: true }));
beforeEach(() => writeFileSync(file(), dev));

/** No cloud of anybody's, and no account. */
const environment = () => ({
  PATH: process.env.PATH,
  HOME: folder,
  MAILHOST_HOME: join(folder, "home"),
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
  // As docs/cli.md asks for.
  ANN_HASH: `$6$salt$${"b".repeat(86)}`,
});

function cli(...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(checkout, "cli/main.ts"), ...words], {
    cwd: folder,
    env: environment(),
    encoding: "utf8",
  });
  return { code: status, stdout, stderr };
}

describe("every command", () => {
  /** The help of all of them, those below others too. */
  const all = (...words: readonly string[]): (readonly [string, string])[] => {
    const { code, stdout, stderr } = cli(...words, "--help");
    assert.equal(code, 0, `${words.join(" ")}: ${stderr}`);
    const [, list] = stdout.split("\nCommands:\n");
    if (list === undefined) return [[words.join(" "), stdout]];
    const names = [...list.matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name = ""]) => name);
    return names.filter((name) => name !== "help").flatMap((name) => all(...words, name));
  };

  let commands: readonly (readonly [string, string])[];
  before(() => {
    commands = all();
  });

  it("has help, with an example that is its own; and JSON, where it tells something", () => {
    assert.ok(commands.length >= 27, commands.join(", "));
    for (const [words, help] of commands) {
      // The check has a help of its own, as it is typed with npm.
      assert.match(help, new RegExp(`^ {2}.*\\bmailhost ${words}|^npm run ${words} --`, "m"));
      // What a shell completes is the same for all stacks.
      if (words.startsWith("completion ")) continue;
      assert.match(help, /--stack/, words);
      assert.equal(/--json/.test(help), !["host", "unlock", "rspamd"].includes(words), words);
    }
  });

  it("has its exit codes in docs/cli.md, and no other is there", () => {
    const page = readFileSync(join(root, "docs/cli.md"), "utf8");
    const [, table = ""] = page.split("\n## Exit codes\n");
    const rows = [...table.matchAll(/^\| (`.+`) \| ([\d, ]+) \|$/gm)].flatMap(([, names = "", codes = ""]) =>
      names.split(", ").map((name) => [name.replaceAll("`", ""), codes] as const),
    );
    assert.deepEqual(rows.map(([name]) => name).toSorted(), commands.map(([words]) => words).toSorted());
    const known = [...table.matchAll(/^\| (\d+) \| /gm)].map(([, code = ""]) => code);
    for (const [name, codes] of rows)
      for (const code of codes.split(", ")) assert.ok(known.includes(code), `${name}: ${code}`);
  });

  it("that a message names is there", () => {
    const names = commands.map(([words]) => words);
    const known = new Set([...names, ...names.map((words) => words.split(" ")[0])]);
    const sources = readdirSync(join(root, "cli"), { recursive: true, encoding: "utf8" });
    const named = sources
      .filter((path) => path.endsWith(".ts"))
      .flatMap((path) => [
        ...readFileSync(join(root, "cli", path), "utf8").matchAll(
          /(?:\bmailhost |(?:mailhostCommand|toType)\(\w+, [`"])([a-z]+)(?: ([a-z]+)\b)?/g,
        ),
      ]);
    assert.ok(named.length >= 20, String(named.length));
    for (const [text, command = "", below] of named) {
      const isGroup = names.some((words) => words.startsWith(`${command} `));
      assert.ok(known.has(isGroup && below ? `${command} ${below}` : command), text);
    }
  });
});

describe("the exit code", () => {
  it("is 0 where it is done, and the rest of the file is as it was", () => {
    const { code, stdout } = cli("mailbox", "add", "dora@example.org");
    assert.equal(code, 0);
    assert.match(stdout, /^Pulumi\.dev\.yaml: adds the mailbox dora@example\.org$/m);
    assert.match(stdout, /^\+ {9}dora: \{\}$/m);
    assert.match(stdout, /^To make it so: npm run pulumi -- up$/m);
    assert.equal(
      readFileSync(file(), "utf8"),
      dev.replace("        bob: {}\n", "        bob: {}\n        dora: {}\n"),
    );
  });

  it("is 1 where it is refused, with the reason, also as JSON, and nothing is touched", () => {
    for (const [words, reason] of [
      [["mailbox", "add", "ann@example.org"], /ann@example\.org is there already/],
      [["mailbox", "add", "info@example.org"], /info@example\.org is an alias/],
      [
        ["mailbox", "add", "ann@example.net"],
        /has no domain example\.net\. It has: example\.org, example\.com\./,
      ],
      [["mailbox", "add", "ann"], /ann is no mail address/],
      [
        ["mailbox", "remove", "anne@example.org"],
        /There is no mailbox anne@example\.org\. Did you mean ann\? example\.org has ann, bob\./,
      ],
      [
        ["mailbox", "remove", "info@example.org"],
        /info@example\.org is an alias, and no mailbox\. .*: npx mailhost alias list$/m,
      ],
      [
        ["alias", "remove", "inf@example.org"],
        /There is no alias inf@example\.org\. Did you mean info\? example\.org has info, sales\./,
      ],
      [
        ["alias", "remove", "ann@example.org"],
        /ann@example\.org is a mailbox, and no alias\. To remove it: npx mailhost mailbox remove ann@example\.org$/m,
      ],
      [["mailbox", "resume", "ann@example.org"], /is not suspended/],
      [["mailbox", "passwd", "ann@example.org", "--device", "phone"], /has no device phone\. It has: none\./],
      [
        ["mailbox", "passwd", "ann@example.org", "--hash-from", "$6$abc"],
        /takes the name of an environment variable/,
      ],
      [["alias", "add", "info@example.org", "bob"], /leads there already/],
      [
        ["alias", "add", "info@example.org", "nobody"],
        /mailhost:domains\.example\.org\.aliases\.info\[2\]: /,
      ],
      [["alias", "remove", "info@example.org", "carol"], /does not lead to carol\. It leads to: ann, bob\./],
      [["domain", "add", "example.org"], /is there already/],
      [
        ["domain", "remove", "example.net"],
        /has no domain example\.net\. .*It has: example\.org, example\.com\.$/m,
      ],
      [
        ["mailbox", "list", "--stack", "nowhere"],
        /There is no Pulumi\.nowhere\.yaml\. Stacks here: dev.*\. .* npx mailhost init --stack nowhere/,
      ],
      // What asks the engine alone, too.
      ...["password ann@example.org", "host", "reports"].map(
        (words) =>
          [
            [...words.split(" "), "--stack", "nowhere"],
            /^There is no Pulumi\.nowhere\.yaml\. Stacks here: dev/,
          ] as const,
      ),
    ] as const) {
      const { code, stderr } = cli(...words);
      assert.equal(code, 1, words.join(" "));
      assert.match(stderr, reason);
      assert.equal(readFileSync(file(), "utf8"), dev, words.join(" "));
    }
    const { code, stdout } = cli("mailbox", "add", "ann@example.org", "--json");
    const told = JSON.parse(stdout) as { error: string; exitCode: number };
    assert.deepEqual([code, told.exitCode], [1, 1]);
    assert.match(told.error, /is there already/);
  });

  it("is 1 where the local cloud's engine is wanted and does not run: nothing is written", () => {
    for (const option of ["--yes", "--dry-run"]) {
      const { code, stderr } = cli("mailbox", "add", "dora@example.org", option);
      assert.equal(code, 1);
      assert.match(stderr, /The local cloud's does not run \(npm start\)/);
      assert.equal(readFileSync(file(), "utf8"), dev);
    }
  });

  it("is 1 where mail may be at stake and the name was not said again", () => {
    const { code, stderr } = cli("mailbox", "remove", "bob@example.org");
    assert.equal(code, 1);
    assert.match(stderr, /could not be asked.* add: --confirm bob@example\.org/s);
    const other = cli("mailbox", "remove", "bob@example.org", "--confirm", "ann@example.org");
    assert.match(other.stderr, /--confirm names ann@example\.org, and not bob@example\.org/);
    assert.equal(readFileSync(file(), "utf8"), dev);
  });

  it("is 2 where the command is not written as its help says", () => {
    for (const words of [
      ["mailbox", "rename"],
      ["mailbox", "add"],
      ["mailbox", "add", "dora@example.org", "--quota", "much"],
      ["mailbox", "add", "dora@example.org", "--yes", "--file-only"],
      ["mailbox", "passwd", "ann@example.org", "--password", "secret"],
      ["init", "--stack", "home", "--ssh-from", "203.0.113.7/32"],
      ["password", "ann@example.org", "--qr", "--json"],
      ["init", "--stack", "ho me", "--domain", "example.org", "--ssh-from", "203.0.113.7/32"],
      ["queue", "--stack", "$(true)"],
      ["queue", "retry"],
      ["queue", "retry", "4dDKlq2vXVz1Qx", "--all"],
      ["password", "ann@example.org", "--qr"],
      ["logs", "--mailbox", "ann"],
      ["check", "--nonsense"],
    ]) {
      const { code, stdout, stderr } = cli(...words, "--json");
      assert.equal(code, 2, words.join(" "));
      assert.doesNotMatch(stderr, /npm start/, words.join(" "));
      const told = JSON.parse(stdout) as { error: string; exitCode: number };
      assert.equal(told.exitCode, 2);
      assert.match(told.error, /^(?!error:).*\w/, words.join(" "));
    }
    assert.equal(cli("mailbox").stdout, "");
    assert.equal(existsSync(join(checkout, "Pulumi.home.yaml")), false);
    assert.equal(existsSync(join(checkout, "Pulumi.ho me.yaml")), false);
    assert.match(
      cli("queue", "list", "--stack", "ho me").stderr,
      /"ho me" is no name of a stack; write letters.*\n\(mailhost queue list --help says more\)/s,
    );
  });

  it("of what cannot be taken out is not 0, and no folder is made for it", () => {
    const folder = join(checkout, "taken out");
    assert.notEqual(cli("leave", "--to", folder).code, 0);
    assert.equal(existsSync(folder), false);
  });

  it("is 2 of a check that could not look", () => {
    const { code, stderr } = cli("check");
    assert.equal(code, 2);
    assert.match(stderr, /npm start/);
  });

  it("is 2 where there is no preview, with the reason, also as JSON", () => {
    const { code, stdout, stderr } = cli("preview", "--json");
    const told = JSON.parse(stdout) as { error: string; exitCode: number };
    assert.deepEqual([code, told.exitCode], [2, 2]);
    assert.match(told.error, /npm start/);
    assert.equal(stderr.trim(), told.error.trim());
  });

  it("is 3 where an editor has the file open", () => {
    const mark = join(checkout, ".Pulumi.dev.yaml.kate-swp");
    writeFileSync(mark, "");
    try {
      assert.equal(cli("mailbox", "add", "dora@example.org").code, 3);
      assert.equal(readFileSync(file(), "utf8"), dev);
    } finally {
      rmSync(mark);
    }
  });
});

it("a mistake that was there before is no reason to refuse a change", () => {
  const mistaken = dev.replace("dataSize: 4", "dataSize: many");
  writeFileSync(file(), mistaken);
  assert.equal(cli("alias", "add", "post@example.org", "ann").code, 0);
  assert.equal(
    readFileSync(file(), "utf8"),
    mistaken.replace("sales: bob\n", "sales: bob\n        post: ann\n"),
  );
});

describe("a stack in several files", () => {
  const split = () => join(checkout, "Pulumi.split.yaml");
  const part = () => join(checkout, "split.mailboxes.yaml");
  const line = "        bob: {}\n";
  const own = dev.replace("config:\n", "config:\n  mailhost:parts: split.mailboxes.yaml\n").replace(line, "");
  const mailboxes = `# who is here
config:
  mailhost:domains:
    example.org:
      mailboxes:
        bob: {} # and his brother
`;
  beforeEach(() => {
    writeFileSync(split(), own);
    writeFileSync(part(), mailboxes);
  });
  after(() => {
    rmSync(split());
    rmSync(part());
  });

  it("is changed in the one in which the thing stands, and the others are as they were", () => {
    const { code, stdout } = cli("mailbox", "suspend", "bob@example.org", "--stack", "split");
    assert.equal(code, 0);
    assert.match(stdout, /^split\.mailboxes\.yaml: suspends the mailbox bob@example\.org$/m);
    assert.match(stdout, /^split\.mailboxes\.yaml is written\.$/m);
    assert.equal(readFileSync(part(), "utf8"), mailboxes.replace("bob: {}", "bob: { suspended: true }"));
    assert.equal(readFileSync(split(), "utf8"), own);

    const added = cli("mailbox", "add", "dora@example.org", "--stack", "split", "--json");
    const { file: named, written } = JSON.parse(added.stdout) as { file: string; written: boolean };
    assert.deepEqual([named, written], ["split.mailboxes.yaml", true]);
    assert.match(readFileSync(part(), "utf8"), /^ {8}dora: \{\}$/m);
    assert.equal(readFileSync(split(), "utf8"), own);
  });

  it("is listed whole, and a mistake names its file and its line", () => {
    const listed = cli("mailbox", "list", "--stack", "split", "--json");
    assert.deepEqual(
      (JSON.parse(listed.stdout) as { address: string }[]).map(({ address }) => address).toSorted(),
      ["ann@example.org", "bob@example.org", "carol@example.com"],
    );
    const { code, stderr } = cli(
      "mailbox",
      "remove",
      "bob@example.org",
      "--stack",
      "split",
      "--confirm",
      "bob@example.org",
    );
    assert.equal(code, 1);
    assert.match(
      stderr,
      /mailhost:domains\.example\.org\.aliases\.info\[1\]: leads to bob@example\.org, which does not exist/,
    );
    assert.equal(readFileSync(part(), "utf8"), mailboxes);
    const odd = cli("mailbox", "add", "dora@example.org", "--quota", "9999999", "--stack", "split");
    assert.match(odd.stderr, /dora\.quota \(split\.mailboxes\.yaml, line 7\): is out of range/);
  });

  it("is left alone where the file in question is open, and in no other case", () => {
    const open = join(checkout, ".split.mailboxes.yaml.kate-swp");
    writeFileSync(open, "");
    try {
      assert.equal(cli("mailbox", "suspend", "bob@example.org", "--stack", "split").code, 3);
      assert.equal(cli("mailbox", "suspend", "ann@example.org", "--stack", "split").code, 0);
    } finally {
      rmSync(open);
    }
    assert.equal(readFileSync(part(), "utf8"), mailboxes);
  });

  it("is told in words where a file is missing or says what another does", () => {
    rmSync(part());
    const missing = cli("mailbox", "list", "--stack", "split");
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /mailhost:parts: names split\.mailboxes\.yaml, which cannot be read/);
    writeFileSync(part(), "config: { mailhost:hostname: mx.example.org }\n");
    const twice = cli("mailbox", "add", "dora@example.org", "--stack", "split");
    assert.equal(twice.code, 1);
    assert.match(
      twice.stderr,
      /mailhost:hostname \(split\.mailboxes\.yaml, line 1\): stands in another file of this stack, too/,
    );
  });
});

describe("what is in a file that stacks share", () => {
  const team = () => join(checkout, "Pulumi.team.yaml");
  const own = dev
    .replace("config:\n", "config:\n  mailhost:shared: team.yaml\n")
    .replace("        bob: {}\n", "        bob: {}\n        erik: {}\n")
    .replace("sales: bob\n", "sales: bob\n        post: ann\n");
  before(() => {
    writeFileSync(
      join(checkout, "team.yaml"),
      `values:
  pulumiConfig:
    mailhost:domains:
      example.org:
        mailboxes:
          dora: {}
          erik: { suspended: true, passwordHash: $6$salt$${"b".repeat(86)} }
        aliases: { office: [ann, dora], post: [bob] }
      example.net:
        since: 2026-11-01
        mailboxes: { frida: {} }
`,
    );
  });
  beforeEach(() => writeFileSync(team(), own));
  after(() => {
    rmSync(team());
    rmSync(join(checkout, "team.yaml"));
  });

  it("is listed", () => {
    const { code, stdout, stderr } = cli("mailbox", "list", "--stack", "team", "--json");
    assert.equal(code, 0, stderr);
    const listed = JSON.parse(stdout) as { address: string; password: string }[];
    assert.deepEqual(listed.map(({ address, password }) => `${address} ${password}`).toSorted(), [
      "ann@example.org generated",
      "bob@example.org generated",
      "carol@example.com generated",
      "dora@example.org generated",
      "erik@example.org of its own",
      "frida@example.net generated",
    ]);
  });

  it("is not changed, and nothing is written over it", () => {
    for (const words of [
      ["mailbox", "add", "dora@example.org"],
      ["mailbox", "add", "office@example.org"],
      ["mailbox", "add", "gert@example.net"],
      ["mailbox", "remove", "dora@example.org"],
      ["mailbox", "remove", "erik@example.org"],
      ["mailbox", "suspend", "frida@example.net"],
      ["mailbox", "suspend", "dora@example.org"],
      ["mailbox", "resume", "erik@example.org"],
      ["mailbox", "passwd", "erik@example.org"],
      ["mailbox", "passwd", "dora@example.org", "--hash-from", "ANN_HASH"],
      ["alias", "add", "office@example.org", "bob"],
      ["alias", "add", "dora@example.org", "bob"],
      ["alias", "add", "info@example.net", "frida"],
      ["alias", "remove", "office@example.org", "dora"],
      ["alias", "remove", "post@example.org"],
      ["domain", "add", "example.net"],
      ["domain", "remove", "example.net"],
      ["domain", "remove", "example.org", "--confirm", "example.org"],
    ]) {
      const { code, stderr } = cli(...words, "--stack", "team");
      assert.equal(code, 1, words.join(" "));
      assert.match(stderr, /is in team\.yaml \(mailhost:shared\); change it there/, words.join(" "));
      assert.equal(readFileSync(team(), "utf8"), own, words.join(" "));
    }
  });

  it("is no hindrance to what the stack file has itself, nor to a new generated password", () => {
    for (const words of [
      ["mailbox", "add", "gert@example.org"],
      ["mailbox", "suspend", "bob@example.org"],
      ["mailbox", "passwd", "dora@example.org"],
      ["alias", "add", "post@example.org", "bob"],
    ]) {
      const { code, stderr } = cli(...words, "--stack", "team");
      assert.equal(code, 0, `${words.join(" ")}: ${stderr}`);
    }
  });
});

it("what a message tells to type is for the stack that was named", () => {
  const home = join(checkout, "Pulumi.home.yaml");
  writeFileSync(home, dev);
  try {
    for (const words of [
      ["mailbox", "add", "info@example.org"],
      ["mailbox", "add", "ann@example.net"],
      ["alias", "remove", "ann@example.org"],
    ]) {
      assert.match(
        cli(...words, "--stack", "home").stderr,
        /npx mailhost \w+ .* --stack home$/m,
        words.join(" "),
      );
    }
    assert.doesNotMatch(cli("mailbox", "add", "info@example.org").stderr, /--stack/);
  } finally {
    rmSync(home);
  }
});

it("a message names as many as it has room for, and what shows all", () => {
  const many = Array.from({ length: 12 }, (_, n) => `        m${n}: {}\n`).join("");
  writeFileSync(file(), dev.replace("        bob: {}\n", `        bob: {}\n${many}`));
  assert.match(
    cli("mailbox", "suspend", "zoe@example.org").stderr,
    /example\.org has ann, bob, m0, .*, m5 and 4 more: npx mailhost mailbox list\.$/m,
  );
});

it("lists what the file says, as JSON too, with no hash in it", () => {
  writeFileSync(
    file(),
    dev.replace(
      "bob: {}",
      "bob: { passwordHash: $HASH, quota: 3 }".replace("$HASH", `$6$salt$${"b".repeat(86)}`),
    ),
  );
  const { stdout } = cli("mailbox", "list", "--json");
  assert.deepEqual(JSON.parse(stdout), [
    { address: "ann@example.org", suspended: false, password: "generated" },
    { address: "bob@example.org", quota: 3, suspended: false, password: "of its own" },
    { address: "carol@example.com", suspended: false, password: "generated" },
  ]);
  assert.match(cli("alias", "list").stdout, /^info@example\.org +ann@example\.org, bob@example\.org$/m);
  assert.match(cli("domain", "list").stdout, /^example\.com +since 2026-11-21 +mailboxes: 1/m);
});

it("init keeps what Pulumi has written, and a file with settings whole", () => {
  const path = join(checkout, "Pulumi.home.yaml");
  writeFileSync(path, "encryptionsalt: v1:abc=:v1:def\n");
  const words = [
    "init",
    "--stack",
    "home",
    "--domain",
    "example.org",
    "--mailbox",
    "ann",
    "x.y",
    "--ssh-from",
    "203.0.113.7/32",
    "--no-check",
  ];
  const made = cli(...words);
  assert.equal(made.code, 0, made.stderr);
  const text = readFileSync(path, "utf8");
  assert.match(text, /\nencryptionsalt: v1:abc=:v1:def\n$/);
  assert.ok(text.split("\n").filter((line) => line.trim().startsWith("#")).length >= 7);
  const listed = cli("mailbox", "list", "--stack", "home", "--json");
  assert.equal(listed.code, 0, listed.stderr);
  assert.deepEqual(
    (JSON.parse(listed.stdout) as { address: string }[]).map(({ address }) => address),
    ["ann@example.org", "x.y@example.org"],
  );
  const again = cli(...words);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /Pulumi\.home\.yaml is there, and has aws:region/);
  assert.equal(readFileSync(path, "utf8"), text);
  rmSync(path);
});

describe("init", () => {
  const path = () => join(checkout, "Pulumi.home.yaml");
  const init = (...words: readonly string[]) =>
    cli("init", "--domain", "example.org", "--ssh-from", "203.0.113.7/32", "--no-check", ...words);
  const home = (...words: readonly string[]) => init("--stack", "home", ...words);
  afterEach(() => rmSync(path(), { force: true }));

  it("leaves alone what somebody has written, comments too", () => {
    for (const text of ["# notes of mine\n", "encryptionsalt: v1:abc= # ours\n", "environment: [mail]\n"]) {
      writeFileSync(path(), text);
      const { code, stderr } = home();
      assert.equal(code, 1, text);
      assert.match(stderr, /its line 1 is none that pulumi stack init has written/);
      assert.equal(readFileSync(path(), "utf8"), text);
    }
  });

  it("suggests another name where the stack is the local cloud's or an example", () => {
    for (const words of [[], ...examples.map((name) => ["--stack", name])])
      assert.match(init(...words).stderr, /mailhost init --stack home/, words.join(" "));
  });

  it("names what is to be done next, and leaves out what is done", () => {
    const { stdout } = home();
    assert.match(stdout, /^ {2}npx pulumi stack init home /m);
    // Nothing was looked at, and nothing is wrong above.
    assert.doesNotMatch(stdout, /mended/);
    for (const text of ["encryptionsalt: v1:abc=:v1:def\n", "secretsprovider: awskms://alias/mail\n"]) {
      writeFileSync(path(), text);
      const { code, stdout, stderr } = home();
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stdout, /stack init/);
      assert.match(stdout, /^ {2}npx pulumi up --stack home$/m);
    }
  });

  it("refuses each answer that is none, by its option", () => {
    for (const [words, reason] of [
      [["--mailbox", "ann@example.net"], /^--mailbox: ann@example\.net is not in example\.org; /],
      [["--mailbox", ","], /^--mailbox: name one mailbox or more/],
      [["--ssh-from", ","], /^--ssh-from: write a network/],
      [["--domain", "example"], /^--domain: example is no domain name; /],
      [["--region", "eu-central-1a"], /^--region: eu-central-1a is a zone of a region; write eu-central-1\./],
      [["--owner", "ann"], /^--owner: ann is no mail address; /],
      [["--hostname", "example.org"], /^--hostname: example\.org is the mail domain itself; /],
      [["--zone", "example.com"], /^--zone: example\.com does not hold example\.org; /],
      [["--ssh-from", "203.0.113.300"], /^--ssh-from: 203\.0\.113\.300 is no network; /],
      [["--ssh-from", "0.0.0.0/0"], /^--ssh-from: 0\.0\.0\.0\/0 opens SSH to a large part of the internet; /],
    ] as const) {
      const { code, stderr } = cli(
        ...["init", "--stack", "home", "--no-check"],
        ...(words[0] === "--domain" ? [] : ["--domain", "example.org"]),
        ...(words[0] === "--ssh-from" ? [] : ["--ssh-from", "203.0.113.7/32"]),
        ...words,
      );
      assert.equal(code, 1, words.join(" "));
      assert.match(stderr, reason);
      assert.equal(existsSync(path()), false);
    }
  });

  it("takes a whole address of the domain, and a lone address as its network; the date is in quotes", () => {
    const words = [
      "--domain",
      "Example.org",
      "--mailbox",
      "ann@example.ORG",
      "--ssh-from",
      "203.0.113.7",
      "2001:db8::7",
    ];
    const { code, stderr } = cli("init", "--stack", "home", "--no-check", ...words);
    assert.equal(code, 0, stderr);
    const text = readFileSync(path(), "utf8");
    assert.match(text, /^ {4}from: \[203\.0\.113\.7\/32, 2001:db8::7\/128\]$/m);
    assert.match(text, /^ {8}ann: \{\}$/m);
    assert.match(text, /^ {6}since: "\d{4}-\d\d-\d\d"$/m);
  });
});

describe("at a terminal", () => {
  const path = () => join(checkout, "Pulumi.home.yaml");
  const typed = (
    words: readonly string[],
    ...answers: readonly (readonly [asked: string, answer: string])[]
  ) =>
    atTerminal([process.execPath, join(checkout, "cli/main.ts"), ...words], answers, {
      folder,
      environment: environment(),
    });
  const init = ["init", "--stack", "home", "--no-check", "--ssh-from", "203.0.113.7/32"];
  afterEach(() => rmSync(path(), { force: true }));

  it("init asks for what it was not told, says what is wrong with an answer, and asks again", () => {
    const { code, shown } = typed(
      init,
      ["such as test.example.org: ", line("example")],
      ["example is no domain name", ""],
      ["such as test.example.org: ", line("test.example.org")],
      ["that has its records [test.example.org]: ", line("example.org")],
      ["before the @ [ann]: ", line("ann@example.net")],
      ["ann@example.net is not in test.example.org", ""],
      ["before the @ [ann]: ", line("dora, erik")],
      ["own name [mail.example.org]: ", line("")],
      ["own mail [dora@test.example.org]: ", line("")],
      ["AWS region [eu-central-1]: ", line("west")],
      ["west is not an AWS region", ""],
      ["AWS region [eu-central-1]: ", line("eu-west-1")],
    );
    assert.equal(code, 0, shown);
    assert.match(shown, /^Pulumi\.home\.yaml is written\./m);
    const text = readFileSync(path(), "utf8");
    for (const said of [
      /^ {2}aws:region: eu-west-1\b/m,
      /^ {2}mailhost:hostname: mail\.example\.org\b/m,
      /^ {2}mailhost:owner: dora@test\.example\.org\b/m,
      /^ {6}zone: example\.org\b/m,
      /^ {8}erik: \{\}$/m,
    ])
      assert.match(text, said);
  });

  it("Ctrl-C is no answer: nothing is written", () => {
    const { code, shown } = typed(init, ["such as test.example.org: ", "\u0003"]);
    assert.equal(code, 1);
    assert.match(shown, /Nothing was changed\./);
    assert.equal(existsSync(path()), false);
  });

  it("a password is asked for twice, and not shown", () => {
    const { code, shown } = typed(
      ["mailbox", "passwd", "ann@example.org", "--ask", "--file-only"],
      ["The password: ", line("correct horse battery")],
      ["The same again: ", line("correct horse batterie")],
    );
    assert.equal(code, 1);
    assert.match(shown, /These were two different ones\. Nothing was changed\./);
    assert.doesNotMatch(shown, /correct|horse/);
    assert.equal(readFileSync(file(), "utf8"), dev);
  });
});

it("init tells what the accounts lack, before there is a stack", () => {
  const { code, stdout } = cli(
    "init",
    "--stack",
    "home",
    "--domain",
    "example.org",
    "--ssh-from",
    "203.0.113.7/32",
    "--json",
  );
  assert.equal(code, 1);
  const { check } = JSON.parse(stdout) as { check: { item: string; right: boolean }[] };
  assert.deepEqual(
    check
      .filter(({ right }) => !right)
      .map(({ item }) => item)
      .toSorted(),
    ["aws", "cloudflare"],
  );
  rmSync(join(checkout, "Pulumi.home.yaml"));
});

it("the commands of docs/cli.md do what they are shown for, one after the other", () => {
  const page = readFileSync(join(root, "docs/cli.md"), "utf8");
  const lines = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) =>
    block.trim().split("\n"),
  );
  const typed = lines.filter((line) => !line.includes("# needs the host"));
  assert.ok(typed.length >= 15);
  for (const line of typed) {
    const [, words = ""] = /^npx mailhost ([^#]*)/.exec(line) ?? assert.fail(line);
    const confirmed = / remove (\S+@\S+\.org)\s*$/.exec(words)?.[1];
    const isMailbox = words.startsWith("mailbox remove");
    const { code, stderr } = cli(
      ...words.trim().split(/\s+/),
      ...(isMailbox && confirmed ? ["--confirm", confirmed] : []),
    );
    assert.equal(code, 0, `${line}\n${stderr}`);
  }
});

it("the bin hands over to the Node that came along, whatever Node calls it", () => {
  const { status, stdout } = spawnSync(join(checkout, "cli/bin.js"), ["domain", "list", "--json"], {
    cwd: "/",
    env: environment(),
    encoding: "utf8",
  });
  assert.equal(status, 0);
  assert.equal((JSON.parse(stdout) as unknown[]).length, 2);
});
