/**
 * What a pull request's comment says, of changes as people make them: each is previewed by the real engine on the host's
 * real state, and told as in test/e2e/previews/. `node --test --test-update-snapshots test/e2e/host/32-previews.test.ts`
 * writes these anew; read what has changed in them as somebody who knows nothing of the change.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Document, parse } from "yaml";
import { shellWord } from "../../../plan/shell.ts";
import { checkout, cloudInfo, mailhost, typed, withFile, withStack } from "../mailhost.ts";
import { secrets } from "../secrets.ts";
import { laterEnvironment } from "../turns.ts";

const org = ["config", "mailhost:domains", "example.org"];

/** Never to be seen again, in whatever way it might come out. */
const canary = "Canary-4f1d9a7b30";

type Edit = (set: (path: readonly string[], value: unknown) => void, stack: Document) => void;

const edited =
  (edit: Edit) =>
  (body: () => Promise<void>): Promise<void> =>
    withStack((stack) => edit((path, value) => stack.setIn(path, stack.createNode(value)), stack), body);

interface Kind {
  readonly make: (body: () => Promise<void>) => Promise<void>;
  /** @default 0 */
  readonly code?: number;
  readonly env?: Readonly<Record<string, string>>;
}

const kinds: Readonly<Record<string, Kind>> = {
  "mailbox-added": { make: edited((set) => set([...org, "mailboxes", "dora"], {})) },
  "mailbox-removed": {
    make: edited((set, stack) => {
      stack.deleteIn([...org, "mailboxes", "bob"]);
      set([...org, "aliases"], { info: "ann" });
    }),
  },
  "mailbox-renamed": {
    make: edited((set, stack) => {
      stack.deleteIn([...org, "mailboxes", "bob"]);
      set([...org, "mailboxes", "robert"], {});
      set([...org, "aliases"], { info: ["ann", "robert"], sales: "robert" });
    }),
  },
  alias: { make: edited((set) => set([...org, "aliases", "shop"], ["ann", "carol@example.com"])) },
  domain: {
    make: edited((set) =>
      set(["config", "mailhost:domains", "test.example.org"], {
        zone: "example.org",
        since: "2026-11-21",
        mailboxes: { eve: {} },
      }),
    ),
  },
  "template-line": {
    make: (body) =>
      withFile(
        "files/etc/postfix/main.cf",
        (text) => text.replace("\nsmtpd_helo_required = yes\n", "\nsmtpd_helo_required = no\n"),
        body,
      ),
  },
  "machine-type": {
    make: edited((set) => {
      const family = cloudInfo().architecture === "arm64" ? "t4g" : "t3a";
      set(["config", "mailhost:server", "instanceType"], `${family}.medium`);
    }),
  },
  "region-refused": { make: edited((set) => set(["config", "aws:region"], "eu-central-1b")), code: 1 },
  // A key that somebody else may have: its turn ends at once, where the next one's would in 90 days.
  "rotation-step": {
    make: edited((set) => set(["config", "mailhost:dkim"], { revoked: ["20261121"] })),
    env: laterEnvironment(1),
  },
  "relay-on": {
    make: edited((set) =>
      set(["config", "mailhost:relay"], {
        host: "smtp.relay.example.net",
        username: "customer",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
        password: "${RELAY_PASSWORD}",
        spf: ["include:spf.relay.example.net"],
      }),
    ),
    env: { RELAY_PASSWORD: canary },
  },
  "option-off": { make: edited((set) => set(["config", "mailhost:clientSetup"], false)) },
  "policy-backwards": { make: edited((set) => set([...org, "dmarc"], { policy: "none" })) },
};

/** Without what differs from cloud to cloud, and from day to day. */
function timeless(comment: string): string {
  return (
    comment
      .replaceAll(/\b198\.18\.\d+\.\d+\b/g, "198.18.0.16")
      .replaceAll(/\b(t3a|t4g)(?=\.\w+)/g, "t4g")
      .replaceAll(/\b(i|vol|ami|eipalloc|sg|subnet)-[0-9a-f]{8,17}\b/g, "$1-0123456789abcdef0")
      .replaceAll(/\b[0-9a-f]{32}\b/g, "0123456789abcdef0123456789abcdef")
      .replaceAll(/(?<=mailhost-mail-example-org-)[0-9a-f]{6}\b/g, "012345")
      .replaceAll(/(?<=v=STSv1; id=)\w+/g, "0123456789")
      .replaceAll(/(?<=\bp=)[A-Za-z0-9+/=]{40,}/g, "KEY")
      .replaceAll(/(?<=TLSA 3 1 1 )[0-9A-F]{64}/g, "DIGEST")
      // A domain's first two weeks are over some day.
      .replaceAll(/(?<=\. )(?:300|3600)(?= IN )/g, "TTL")
      // The day it came here is the stack file's; all others are of keys that were made since.
      .replaceAll(/\b(?!20261121)20\d{6}(?=[a-z]{0,2}\b)/g, "20990101")
  );
}

const comments: string[] = [];

async function commentOn({ make, code = 0, env = {} }: Kind, ...args: readonly string[]): Promise<string> {
  let comment = "";
  await make(async () => {
    const ran = await mailhost(["preview", ...args], { env });
    assert.equal(ran.code, code, ran.stderr);
    comment = ran.stdout;
  });
  comments.push(comment);
  return comment;
}

for (const [name, kind] of Object.entries(kinds)) {
  test(`the comment on a change: ${name}`, async (t: TestContext) => {
    const comment = await commentOn(kind, "--markdown");
    assert.ok(Buffer.byteLength(comment) <= 60_000);
    t.assert.fileSnapshot(timeless(comment), join(import.meta.dirname, "../previews", `${name}.md`), {
      serializers: [String],
    });
  });
}

test("the same for a terminal and for a program; a drift is a failure where none is expected", async () => {
  const relay = kinds["relay-on"] ?? assert.fail("no such kind");
  const text = await commentOn(relay);
  assert.match(text, /^dev: sends mail through the relay smtp\.relay\.example\.net; /);
  assert.match(text, /\n {4}\+ default_transport = smarthost:\[smtp\.relay\.example\.net\]:587\n/);
  const told = JSON.parse(await commentOn({ ...relay, code: 1 }, "--json", "--expect-no-changes")) as {
    readonly risks: readonly { readonly title: string }[];
    readonly changes: readonly { readonly name: string }[];
  };
  assert.match(told.risks[0]?.title ?? "", /^Mail leaves through/);
  assert.ok(told.changes.some(({ name }) => name === "host-relay-secrets"));
});

/** A step's script, as GitHub runs it. @returns what is on the run's page, and what later steps are told */
async function runStep(workflow: string, job: string, step: string) {
  const { jobs } = parse(readFileSync(join(checkout, ".github/workflows", `${workflow}.yml`), "utf8")) as {
    readonly jobs: Readonly<
      Record<string, { readonly steps: readonly { readonly name?: string; readonly run?: string }[] }>
    >;
  };
  const script = jobs[job]?.steps.find(({ name }) => name === step)?.run ?? assert.fail(`no step ${step}`);
  const folder = mkdtempSync(join(tmpdir(), "mailhost-step-"));
  try {
    const file = (name: string) => shellWord(join(folder, name));
    await typed(
      `export STACK=dev RUNNER_TEMP=${shellWord(folder)} GITHUB_STEP_SUMMARY=${file("summary")} GITHUB_OUTPUT=${file("output")}\n: > ${file("summary")}\nexec bash -e -c ${shellWord(script)}`,
    );
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    return { summary: read("summary") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the workflows' own scripts, on this host", async () => {
  await (kinds["mailbox-added"] ?? assert.fail()).make(async () => {
    const { summary } = await runStep("preview", "preview", "Preview");
    assert.match(
      summary,
      /^<!-- mailhost preview of dev -->\n### `dev`: adds the mailbox `dora@example\.org`/,
    );
    const daily = await runStep("daily", "daily", "Drift and due steps");
    assert.equal(daily.summary, summary);
  });
  const { summary } = await runStep("deploy", "deploy", "Check");
  assert.equal(summary, "", "the check finds nothing, so nothing is said");
});

test("no secret of the state or of the environment is in any of it", async () => {
  const never = [canary, Buffer.from(canary).toString("base64"), ...(await secrets()).values()];
  assert.ok(comments.length === Object.keys(kinds).length + 2 && never.length > 30);
  for (const comment of comments)
    for (const secret of never) assert.ok(!comment.includes(secret), "a secret in clear");
});
