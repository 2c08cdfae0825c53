import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  bundle,
  bundleDocument,
  directory,
  secretFile,
  secretsDocument,
  textFile,
  unit,
} from "../../plan/bundle.ts";
import { manifests } from "../../plan/manifests.ts";
import type { Bundle } from "../../plan/types.ts";
import { noSecrets } from "../noSecrets.ts";

const file = (path: string, content = "x\n") => textFile(path, content);

const daemon = bundle({
  name: "daemon",
  why: "An example.",
  directories: [
    directory("/etc/daemon/keys", { owner: "daemon", mode: "0750" }),
    directory("/var/spool/daemon"),
  ],
  files: [file("/etc/daemon/main.cf", "a = 1\n\n# b\n"), file("/etc/daemon/aliases")],
  secretFiles: [
    secretFile(
      "/etc/daemon/keys/one",
      ["dkimPrivateKeys"],
      ({ dkimPrivateKeys }) => `${dkimPrivateKeys.one}\n`,
    ),
  ],
  validate: ["daemon -t && echo fine"],
  derivations: [
    { command: "map /etc/daemon/aliases", on: ["/etc/daemon/aliases"], makes: ["/etc/daemon/aliases.db"] },
    { command: "index keys", on: ["/etc/daemon/keys/one"] },
  ],
  units: [
    unit("daemon.service", { reload: ["/etc/daemon/"], restart: ["/etc/daemon/main.cf"] }),
    unit("daemon.timer"),
  ],
  disabledUnits: ["other.service"],
  confirm: true,
});
const secrets = { ...noSecrets, dkimPrivateKeys: { one: "private" } };

it("a bundle's document is readable, and whole to its last line", () => {
  assert.equal(
    bundleDocument(daemon),
    `mailhost bundle daemon
files: /etc/daemon/main.cf /etc/daemon/aliases
directory: /etc/daemon/keys daemon:daemon 0750
directory: /var/spool/daemon root:root 0755
validate: daemon -t && echo fine
derive: map /etc/daemon/aliases << /etc/daemon/aliases >> /etc/daemon/aliases.db
unit: daemon.service reload=/etc/daemon/ restart=/etc/daemon/main.cf
unit: daemon.timer
disable: other.service
confirm: yes

=== /etc/daemon/main.cf root:root 0644
a = 1

# b
=== /etc/daemon/aliases root:root 0644
x
=== end
`,
  );
});

it("secrets travel apart, with what hangs on them, and without a say about units", () => {
  assert.doesNotMatch(bundleDocument(daemon), /private|keys\/one/);
  assert.equal(
    secretsDocument(daemon, secrets),
    `mailhost bundle daemon secrets
files: /etc/daemon/keys/one
directory: /etc/daemon/keys daemon:daemon 0750
derive: index keys << /etc/daemon/keys/one
unit: daemon.service reload=/etc/daemon/

=== /etc/daemon/keys/one root:root 0600
private
=== end
`,
  );
  assert.equal(secretsDocument(bundle({ name: "plain", why: "-" }), secrets), undefined);
});

describe("what cannot be written down is refused by name", () => {
  const refused: readonly [string, Partial<Bundle>, RegExp][] = [
    [
      "a content line that parts files",
      { files: [file("/etc/a", "1\n=== x\n")] },
      /^bundle b: \/etc\/a:2 begins with/,
    ],
    ["no newline at the end", { files: [file("/etc/a", "1")] }, /\/etc\/a does not end with a newline/],
    ["a path twice", { files: [file("/etc/a"), file("/etc/a")] }, /\/etc\/a is listed twice/],
    [
      "a path in both documents",
      { files: [file("/etc/a")], secretFiles: [secretFile("/etc/a", [], () => "x\n")] },
      /\/etc\/a is listed twice/,
    ],
    ["a relative path", { files: [file("etc/a")] }, /etc\/a is not a plain absolute path/],
    ["a way up", { files: [file("/etc/../root/a")] }, /is not a plain absolute path/],
    ["a space in a path", { files: [file("/etc/a b")] }, /is not a plain absolute path/],
    ["a mode of three digits", { files: [{ ...file("/etc/a"), mode: "644" }] }, /mode `644`/],
    ["a command of two lines", { validate: ["true\nfalse"] }, /not a command on one line/],
    [
      "a reload for a file of others",
      { units: [unit("a.service", { reload: ["/etc/b"] })] },
      /waits for \/etc\/b/,
    ],
    ["a unit without its suffix", { units: [unit("postfix")] }, /`postfix` is not a unit/],
  ];
  for (const [what, parts, message] of refused)
    it(what, () => {
      assert.throws(() => bundleDocument(bundle({ name: "b", why: "-", ...parts })), { message });
    });
});

it("the host notes a document and the secret files apart, and a document of units alone", () => {
  assert.deepEqual(manifests(daemon), [
    { name: "daemon", files: ["/etc/daemon/main.cf", "/etc/daemon/aliases"] },
    { name: "daemon.secrets", files: ["/etc/daemon/keys/one"] },
  ]);
  const [name, why] = ["timer", "An example."];
  assert.deepEqual(manifests(bundle({ name, why, units: [unit("a.timer")] })), [{ name, files: [] }]);
  assert.deepEqual(manifests(bundle({ name, why })), []);
});
