/** docs/flow.md names no program and no port that the plan does not have. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { bundleDocument } from "../../plan/bundle.ts";
import { hostBundles } from "../../plan/host.ts";
import { hostPorts } from "../../plan/ports.ts";
import { parseSettings } from "../../settings/parse.ts";
import { stack } from "../components/program.ts";
import { pageOf } from "./fenced.ts";

const { text } = pageOf("docs/flow.md");
const bundles = hostBundles(parseSettings(stack, {}));
const documents = bundles.map(bundleDocument).join("\n");

/** Packages whose programs the page calls by their own names. */
const programs: Readonly<Record<string, string>> = {
  Postfix: "postfix",
  Dovecot: "dovecot-lmtpd",
  rspamd: "rspamd",
  Redis: "redis-server",
  unbound: "unbound",
  PostSRSd: "postsrsd",
};

it("each program that has a message is installed by a bundle", () => {
  const installed = bundles.flatMap(({ packages }) => packages);
  for (const [name, pack] of Object.entries(programs)) {
    assert.ok(text.includes(name), name);
    assert.ok(installed.includes(pack), pack);
  }
  // In a picture each box begins with a program of these, or with something that is not on the host.
  const boxes = [...text.matchAll(/\w+\["([^"<]+)(?:<br>[^"]*)?"\]/g)].map(([, title = ""]) => title);
  assert.ok(boxes.length >= 12);
  assert.deepEqual(
    boxes.filter(
      (title) =>
        !Object.keys(programs).some((name) => title.startsWith(name)) &&
        ![
          "another server",
          "a mail program",
          "its tables",
          "its tables, Dovecot",
          "the receiver's server",
          "a relay",
        ].includes(title),
    ),
    [],
  );
});

it("each port is open in the plan, or one of the inside that a file of the host's names", () => {
  const open = hostPorts(bundles).map(({ number }) => number);
  const arrows = [...text.matchAll(/-->\|"([^"]+)"\|/g)].flatMap(
    ([, words = ""]) => words.match(/\b\d{2,5}\b/g) ?? [],
  );
  const steps = [...text.matchAll(/ports? (\d+)(?: and (\d+))?/g)].flatMap(([, one, other]) => [one, other]);
  const named = [...new Set([...arrows, ...steps].filter((port) => port !== undefined).map(Number))];
  assert.ok(named.length >= 6, named.join());
  // What a relay or a receiver has is not this host's, though the numbers are the same.
  assert.deepEqual(
    named.filter((port) => !open.includes(port) && !new RegExp(`[:@ ]${port}\\b`).test(documents)),
    [],
  );
});
