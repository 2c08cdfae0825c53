import assert from "node:assert/strict";
import { test } from "node:test";
import { bundleDocument } from "../../plan/bundle.ts";
import { makePlan } from "../../plan/plan.ts";
import { recordKey } from "../../plan/recordKey.ts";
import { markdown, marker } from "../../preview/markdown.ts";
import { parseSettings } from "../../settings/parse.ts";
import { stack } from "../components/program.ts";
import { COMMAND, message, outputs, previewOf, stepEvent, updated } from "./scene.ts";

const size = (text: string) => Buffer.byteLength(text);

/** The first preview of a stack with so many domains, of ten mailboxes each. */
function firstPreview(domains: number) {
  const settings = parseSettings(
    {
      ...stack,
      domains: Object.fromEntries(
        Array.from({ length: domains }, (_, index) => [
          `d${index}.example`,
          {
            since: "2026-11-21",
            mailboxes: Object.fromEntries(Array.from({ length: 10 }, (__, box) => [`box${box}`, {}])),
          },
        ]),
      ),
    },
    {},
    "eu-central-1",
  );
  const plan = makePlan(settings, { today: "2026-11-22", rotation: {}, ramps: {} });
  const content = (record: (typeof plan.records)[number]) =>
    typeof record.content === "string" ? record.content : "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const mailboxes = settings.domains.flatMap((domain) => domain.mailboxes);
  const steps = [
    ...plan.bundles.map((bundle) => ({
      type: COMMAND,
      name: `host-${bundle.name}-files`,
      after: { stdin: bundleDocument(bundle) },
    })),
    ...plan.records.map((record) => ({
      type: "cloudflare:index/dnsRecord:DnsRecord",
      name: `dns-${recordKey(record)}`,
      after: { content: content(record) },
    })),
    ...mailboxes.map(({ address }) => ({
      type: "random:index/randomPassword:RandomPassword",
      name: `accounts-${address}`,
      after: { length: 24 },
    })),
  ];
  return previewOf(
    steps.map((step) => stepEvent({ op: "create", ...step })),
    {
      hostname: settings.hostname,
      domains: settings.domains.map(({ name }) => name),
      mailboxes: Object.fromEntries(mailboxes.map(({ address }) => [address, "generated password"])),
      dnsRecords: Object.fromEntries(
        plan.records.map((record) => [recordKey(record), { ...record, content: content(record) }]),
      ),
    },
    {},
  );
}

test("100 domains of 10 mailboxes are a comment of at most 60 KB, which says what was left out", () => {
  const comment = markdown(firstPreview(100));
  assert.ok(size(comment) <= 60_000, `${size(comment)} bytes`);
  assert.ok(size(comment) > 40_000, "the room is used");
  assert.match(comment, /100 domains and 1000 mailboxes/);
  assert.match(comment, /… \d+ more changes left out for the length: `[^`]+`/);
  assert.match(comment, /… \d+ more lines/);
  // Each section is there, and closed.
  assert.equal(comment.match(/<details>/g)?.length, 3);
  assert.equal(comment.match(/<\/details>/g)?.length, 3);
});

test("a small one is told whole", () => {
  const comment = markdown(firstPreview(1), { limit: 1_000_000 });
  assert.doesNotMatch(comment, /left out/);
});

test("a limit is kept whatever the preview has, in bytes and not in letters", () => {
  const long = (letter: string) => `${letter.repeat(300)}\n`.repeat(100);
  const preview = previewOf(
    [
      ...Array.from({ length: 100 }, (_, index) =>
        updated(COMMAND, `host-step${index}`, { stdin: `a${index}` }, { stdin: long("ü") }),
      ),
      ...Array.from({ length: 300 }, (_, index) =>
        message("warning", `warning ${index} ${long("ß").slice(0, 500)}`),
      ),
    ],
    {
      ...outputs,
      mailboxes: Object.fromEntries(
        Array.from({ length: 3000 }, (_, index) => [`m${index}@example.org`, "ö"]),
      ),
    },
  );
  for (const limit of [60_000, 20_000, 5000])
    assert.ok(size(markdown(preview, { limit })) <= limit, `${limit}: ${size(markdown(preview, { limit }))}`);
});

/** As the engine says it, which goes on to the end of a preview that a policy refuses. */
const violation = (policyName: string, enforcementLevel: string, text: string, name?: string) => ({
  policyEvent: {
    ...(name && { resourceUrn: `urn:pulumi:test::mailhost::cloudflare:index/dnsRecord:DnsRecord::${name}` }),
    message: `What must hold.\n${text}\n`,
    policyName,
    enforcementLevel,
  },
});

test("what policies say stands on top with its remedy, once for all alike; one that refuses comes first", () => {
  const looks = "The SPF record takes 11 look-ups. Take one out.";
  const events = [
    violation("cost-tags", "advisory", "It has no tag."),
    violation("one-spf", "mandatory", looks, "dns-txt:example.org"),
    violation("one-spf", "mandatory", looks, "dns-txt:example.com"),
    message("error", "preview failed\n"),
  ];
  const mailboxes = { ...outputs.mailboxes, "dora@example.org": "generated password" };
  const comment = markdown(previewOf(events, { ...outputs, mailboxes }));
  const [head = "", rest = ""] = comment.split("**What happens**");
  assert.match(head, /^### `test`: \*\*refused by policies\*\*: /m);
  assert.match(
    head,
    /^\*\*What policies say\*\*\n\n- \*\*`one-spf` refuses this \(`dns-txt:example\.com` and `dns-txt:example\.org`\)\.\*\* The SPF record takes 11 look-ups\. Take one out\.\n- \*\*`cost-tags` advises against this\.\*\* It has no tag\.$/m,
  );
  // What would happen is told all the same.
  assert.match(rest, /An `up` that is held by these policies would end/);
  assert.match(rest, /dora@example\.org/);
  assert.doesNotMatch(comment, /preview failed|Refused\./);
});

test("a policy's words are text and code, and nothing else: another pack may say anything", () => {
  const said = (text: string) =>
    /advises against this\.\*\* (.*)$/m.exec(
      markdown(previewOf([violation("theirs", "advisory", text)], outputs)),
    )?.[1];
  assert.equal(
    said("<img src=x> @everyone [click](https://e.example) **bold** in `mailhost:ssh.from[0]`"),
    "&#60;img src=x&#62; &#64;everyone &#91;click&#93;(https://e.example) &#42;&#42;bold&#42;&#42; in `mailhost:ssh.from[0]`",
  );
  assert.equal(said("one ` alone, <b>"), "one &#96; alone, &#60;b&#62;");
});

test("advice of a policy alone is no refusal; a program that refuses too is told with both, and nothing else", () => {
  const advised = markdown(previewOf([violation("cost-tags", "advisory", "It has no tag.")]));
  assert.match(advised, /`cost-tags` advises against this/);
  assert.doesNotMatch(advised, /refused/i);
  const both = markdown(
    previewOf([
      violation("one-spf", "mandatory", "Too many."),
      message("error", "The stack file has a mistake."),
    ]),
  );
  assert.match(both, /^### `test`: refused: nothing would be changed$/m);
  assert.match(both, /The stack file has a mistake/);
  assert.match(both, /`one-spf` refuses this/);
  assert.doesNotMatch(both, /What happens|<details>/);
});

test("a refusal is told with its reason, and nothing else", () => {
  const comment = markdown(
    previewOf([
      message("error", "The stack file has a mistake in it. Nothing was touched.\n  aws:region: is a zone"),
      updated(COMMAND, "host-packages", { stdin: "a" }, { stdin: "b" }),
    ]),
  );
  assert.match(comment, /^### `test`: refused: nothing would be changed$/m);
  assert.match(
    comment,
    /```\nThe stack file has a mistake in it\. Nothing was touched\.\n {2}aws:region: is a zone\n```/,
  );
  assert.doesNotMatch(comment, /<details>|host-packages/);
});

test("nothing that a file says ends its fence, folds up, or calls anybody", () => {
  const file = (content: string) => ({
    stdin: `mailhost bundle x\nfiles: /etc/x\n\n=== /etc/x root:root 0644\n${content}=== end\n`,
  });
  const comment = markdown(
    previewOf([
      updated(COMMAND, "host-x-files", file("a\n"), file("```\n````\n</details> @everybody <!-- x -->\n")),
    ]),
  );
  assert.match(comment, /\n`````diff\n- a\n\+ ```\n\+ ````\n\+ <\/details> @everybody <!-- x -->\n`````\n/);
  const named = markdown(
    previewOf([], {
      ...outputs,
      mailboxes: { ...outputs.mailboxes, "`@everybody` **x**@example.org": "generated password" },
    }),
  );
  assert.match(named, /adds the mailbox `'@everybody' \*\*x\*\*@example\.org`/);
});

test("the marker is the first line, one for each stack", () => {
  assert.ok(markdown(previewOf([])).startsWith(`${marker("test")}\n`));
  assert.equal(marker("--> x"), "<!-- mailhost preview of --__x -->");
});

test("the same preview gives the same text", () => {
  const events = [updated(COMMAND, "host-packages", { stdin: "a" }, { stdin: "b" })];
  assert.equal(markdown(previewOf(events)), markdown(previewOf(events)));
});
