/** GitHub's workflows, as far as that can be without GitHub: what they may do, and their scripts as they run there. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { parse } from "yaml";
import { collect } from "../../local/run.ts";
import { marker } from "../../preview/markdown.ts";

const root = join(import.meta.dirname, "../..");

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

interface Job {
  readonly if?: string;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: unknown;
  readonly permissions?: object;
  readonly concurrency?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const texts = new Map(
  globSync(".github/workflows/*.yml", { cwd: root }).map((path) => [
    path.replace(/^.*\/|\.yml$/g, ""),
    readFileSync(join(root, path), "utf8"),
  ]),
);
const workflows = new Map([...texts].map(([name, text]) => [name, parse(text) as Workflow]));
const jobs = [...workflows].flatMap(([workflow, { jobs: all }]) =>
  Object.entries(all).map(([name, job]) => ({ where: `${workflow}/${name}`, job })),
);

function script(workflow: string, job: string, step: string): string {
  const found = workflows.get(workflow)?.jobs[job]?.steps.find(({ name }) => name === step)?.run;
  return found ?? assert.fail(`no step ${step}`);
}

test("there are three, and each may do nothing but what its jobs say", () => {
  assert.deepEqual([...workflows.keys()].toSorted(), ["daily", "deploy", "preview"]);
  for (const [name, { permissions }] of workflows) assert.deepEqual(permissions, {}, name);
  const granted = Object.fromEntries(jobs.map(({ where, job }) => [where, job.permissions]));
  const aws = { contents: "read", "id-token": "write" };
  assert.deepEqual(granted, {
    "preview/preview": { ...aws, "pull-requests": "write" },
    "preview/fork": { contents: "read" },
    "deploy/deploy": aws,
    "daily/daily": aws,
  });
  for (const { where, job } of jobs) assert.ok(job["timeout-minutes"], where);
});

test("every action is pinned by its commit, with the version beside it", () => {
  for (const [name, text] of texts) {
    const uses = text.split("\n").filter((line) => line.includes("uses:"));
    assert.ok(uses.length > 0, name);
    for (const line of uses)
      assert.match(line, /^ {6}- uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, name);
  }
});

test("a fork gets no secret, no environment and no code of its own run", () => {
  const { if: condition, environment, steps } = workflows.get("preview")?.jobs.fork ?? assert.fail();
  assert.match(condition ?? "", /full_name != github\.repository/);
  assert.equal(environment, undefined);
  assert.doesNotMatch(JSON.stringify(steps), /secrets\.|npm|node/);
  assert.match(workflows.get("preview")?.jobs.preview?.if ?? "", /full_name == github\.repository/);
  // With `pull_request_target` a fork's code would have them.
  assert.equal(workflows.get("preview")?.on, "pull_request");
});

test("who deploys waits for an approval, one after the other, and is dropped for no daily run", () => {
  assert.equal(workflows.get("deploy")?.jobs.deploy?.environment, "production");
  assert.equal(workflows.get("deploy")?.concurrency, "deploy");
  assert.equal(workflows.get("daily")?.concurrency, "daily");
});

test("no long-lived key of AWS, no checkout's token left behind, no value of an event inside a script", () => {
  for (const { where, job } of jobs) {
    assert.doesNotMatch(JSON.stringify(job), /AWS_(SECRET|ACCESS)/, where);
    for (const { uses = "", with: inputs, run = "" } of job.steps) {
      if (uses.startsWith("actions/checkout@")) assert.equal(inputs?.["persist-credentials"], false, where);
      // Expressions are filled in before the shell reads its script: a title of a pull request would be a command.
      assert.doesNotMatch(run, /\$\{\{/, where);
    }
  }
});

test("each script is one that a shell takes", () => {
  for (const { where, job } of jobs)
    for (const { run } of job.steps)
      if (run !== undefined) {
        const { status, stderr } = spawnSync("bash", ["-n"], { input: run, encoding: "utf8" });
        assert.equal(status, 0, `${where}: ${stderr}`);
      }
});

test("the example for GitLab is one that it can read, for no fork, with scripts that a shell takes", () => {
  const page = readFileSync(join(root, "docs/pull-requests.md"), "utf8");
  const text = /```yml\n([\s\S]*?)```/.exec(page)?.[1] ?? assert.fail("no example");
  const { preview } = parse(text) as {
    readonly preview: {
      readonly rules: readonly { readonly if: string }[];
      readonly script: readonly unknown[];
    };
  };
  assert.match(preview.rules[0]?.if ?? "", /SOURCE_PROJECT_ID == \$CI_PROJECT_ID/);
  for (const line of preview.script) {
    assert.equal(typeof line, "string", JSON.stringify(line));
    assert.equal(spawnSync("bash", ["-n"], { input: String(line) }).status, 0, String(line));
  }
});

interface StepOptions {
  readonly says?: string;
  readonly code?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a step as GitHub does, where `npm run -s <script>` and `npx` do what the test says. */
async function runStep(t: TestContext, text: string, { says = "", code = 0, env = {} }: StepOptions) {
  const folder = mkdtempSync(join(tmpdir(), "mailhost-step-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin/npm"), '#!/bin/sh\necho "$@" >> "$LOG"\nprintf %s "$SAYS"\nexit "$CODE"\n');
  chmodSync(join(folder, "bin/npm"), 0o755);
  symlinkSync("npm", join(folder, "bin/npx"));
  const files = {
    GITHUB_STEP_SUMMARY: join(folder, "summary"),
    GITHUB_OUTPUT: join(folder, "output"),
    LOG: join(folder, "log"),
  };
  for (const path of Object.values(files)) writeFileSync(path, "");
  // The shell that GitHub takes where a step names none.
  const child = spawn("bash", ["-e", "-c", text], {
    env: {
      ...files,
      PATH: [join(folder, "bin"), process.env.PATH].join(delimiter),
      RUNNER_TEMP: folder,
      GITHUB_SHA: "0123456789abcdef",
      STACK: "prod",
      ...env,
      SAYS: says,
      CODE: String(code),
    },
  });
  const ran = await collect(child);
  const read = (path: string) => readFileSync(path, "utf8");
  return {
    ...ran,
    summary: read(files.GITHUB_STEP_SUMMARY),
    output: read(files.GITHUB_OUTPUT),
    log: read(files.LOG),
    folder,
  };
}

test("preview: a refusal is told and not an end, no preview at all is one", async (t) => {
  const text = script("preview", "preview", "Preview");
  for (const code of [0, 1]) {
    const ran = await runStep(t, text, { says: "the comment", code });
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(ran.log, "run -s preview -- --stack prod --policy-pack policy --markdown\n");
    assert.equal(ran.output, `code=${code}\n`);
    assert.equal(ran.summary, "the comment");
    assert.equal(readFileSync(join(ran.folder, "comment.md"), "utf8"), "the comment");
  }
  const none = await runStep(t, text, { code: 2 });
  assert.equal(none.code, 2);
  assert.equal(none.summary, "");
});

test("deploy: a failed check says how to go back, a good one nothing", async (t) => {
  const text = script("deploy", "deploy", "Check");
  const good = await runStep(t, text, { says: "all is right" });
  assert.deepEqual([good.code, good.summary], [0, ""]);
  const bad = await runStep(t, text, { says: "wrong: no MX", code: 1 });
  assert.equal(bad.code, 1);
  assert.match(bad.summary, /\n {4}wrong: no MX\n/);
  assert.match(bad.summary, /To go back: .* `git revert 0123456789abcdef` /);
});

test("daily: a drift is told, and a preview that failed ends it", async (t) => {
  const text = script("daily", "daily", "Drift and due steps");
  const drift = await runStep(t, text, { says: "a drift", code: 1 });
  assert.deepEqual([drift.code, drift.summary, drift.output], [0, "a drift", "code=1\n"]);
  assert.match(drift.log, /--expect-no-changes\n$/);
  assert.equal((await runStep(t, text, { code: 2 })).code, 2);
});

test("whatever previews or deploys is held by the policies, with the owner's words to them where there are some", async (t) => {
  for (const [workflow, job, step, command] of [
    [
      "preview",
      "preview",
      "Preview",
      /^run -s preview -- --stack prod --policy-pack policy(.*) --markdown\n$/,
    ],
    [
      "daily",
      "daily",
      "Drift and due steps",
      /^run -s preview -- --stack prod --policy-pack policy(.*) --markdown --expect-no-changes\n$/,
    ],
    ["daily", "daily", "Apply", /^pulumi up .* --stack prod --policy-pack policy(.*)\n$/],
    ["deploy", "deploy", "Up", /^pulumi up .* --stack prod --policy-pack policy(.*)\n$/],
  ] as const) {
    const text = script(workflow, job, step);
    for (const [env, words] of [
      [{ POLICY_CONFIG: "" }, ""],
      [{ POLICY_CONFIG: "our words.json" }, " --policy-pack-config our words.json"],
    ] as const)
      assert.equal(command.exec((await runStep(t, text, { env })).log)?.[1], words, `${workflow} ${step}`);
  }
});

test("a fork: the changed lines of what is deployed, and no others", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "mailhost-fork-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const git = (...args: readonly string[]) =>
    assert.equal(
      spawnSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], { cwd: folder })
        .status,
      0,
    );
  const write = (text: string) => {
    mkdirSync(join(folder, "files"), { recursive: true });
    for (const path of ["Pulumi.prod.yaml", "stacks.yaml", "mailboxes.yaml", "files/main.cf", "other.txt"])
      writeFileSync(join(folder, path), `${text} of ${path}\n`);
    git("add", "-A");
    git("commit", "-qm", text);
  };
  git("init", "-q");
  write("old");
  write("new");
  const ran = await runStep(t, `cd '${folder}'\n${script("preview", "fork", "Changed lines")}`, {});
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.summary, /\n {4}-old of Pulumi\.prod\.yaml\n {4}\+new of Pulumi\.prod\.yaml\n/);
  assert.match(ran.summary, /\+new of stacks\.yaml/);
  assert.match(ran.summary, /\+new of mailboxes\.yaml/);
  assert.match(ran.summary, /\+new of files\/main\.cf/);
  assert.doesNotMatch(ran.summary, /other\.txt/);
});

interface Comment {
  readonly id: number;
  body: string;
  readonly user: { readonly type: string };
}

/** As much of GitHub as the script asks for (docs.github.com/rest/issues/comments). */
async function startGitHub(t: TestContext, comments: Comment[]): Promise<string> {
  const server = createServer(async (request, response) => {
    const { method, url = "", headers } = request;
    assert.equal(headers.authorization, "Bearer a-token");
    const { pathname, searchParams } = new URL(url, "http://github");
    const body = await readAll(request);
    const answer = (code: number, content: unknown) =>
      response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(content));
    const list = pathname === "/repos/ann/mail/issues/7/comments";
    if (list && method === "GET") {
      const [size, page] = ["per_page", "page"].map((key) => Number(searchParams.get(key)));
      answer(200, comments.slice(((page ?? 1) - 1) * (size ?? 30), (page ?? 1) * (size ?? 30)));
    } else if (list && method === "POST") {
      comments.push({
        id: comments.length + 1,
        user: { type: "Bot" },
        ...(JSON.parse(body) as { body: string }),
      });
      answer(201, {});
    } else {
      const id = /^\/repos\/ann\/mail\/issues\/comments\/(\d+)$/.exec(pathname)?.[1];
      const found = comments.find((comment) => comment.id === Number(id));
      if (method !== "PATCH" || found === undefined) return answer(404, {});
      found.body = (JSON.parse(body) as { body: string }).body;
      answer(200, {});
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function readAll(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}

test("one comment for each stack, found again behind a hundred others, and nobody else's", async (t) => {
  const person = (body: string, index: number): Comment => ({ id: index + 1, body, user: { type: "User" } });
  const quoted = `${marker("prod")}\nquoted by a person`;
  const comments = [quoted, ...Array.from({ length: 120 }, (_, index) => `comment ${index}`)].map(person);
  const url = await startGitHub(t, comments);
  const folder = mkdtempSync(join(tmpdir(), "mailhost-comment-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const put = async (body: string) => {
    const path = join(folder, "comment.md");
    writeFileSync(path, body);
    const step = script("preview", "preview", "Comment");
    return await collect(
      spawn("bash", ["-e", "-c", step], {
        cwd: root,
        env: {
          PATH: process.env.PATH,
          RUNNER_TEMP: folder,
          GITHUB_API_URL: url,
          GITHUB_REPOSITORY: "ann/mail",
          GITHUB_TOKEN: "a-token",
          PULL_REQUEST: "7",
        },
      }),
    );
  };
  for (const text of ["first", "second"]) {
    const { code, stderr } = await put(`${marker("prod")}\n${text}\n`);
    assert.equal(code, 0, stderr);
  }
  assert.equal((await put(`${marker("staging")}\nother\n`)).code, 0);
  assert.equal(comments.length, 123);
  assert.equal(comments[0]?.body, quoted);
  assert.deepEqual(
    comments.slice(121).map(({ body }) => body),
    [`${marker("prod")}\nsecond\n`, `${marker("staging")}\nother\n`],
  );
  assert.notEqual((await put("no marker\n")).code, 0);
});
