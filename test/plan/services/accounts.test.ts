import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bundleDocument, secretsDocument } from "../../../plan/bundle.ts";
import { hostBundles } from "../../../plan/host.ts";
import { accounts } from "../../../plan/services/accounts.ts";
import { dovecot } from "../../../plan/services/dovecot.ts";
import { noSecrets } from "../../noSecrets.ts";
import { settingsWith } from "../../options/settings.ts";
import { sampleSettings } from "./sample.ts";

const hash = `{BLF-CRYPT}$2y$05$${"a".repeat(53)}`;
const secrets = {
  ...noSecrets,
  passwordHashes: Object.fromEntries(
    ["ann@example.org", "bob@example.org", "carol@example.com", "dora@example.com"].map((address) => [
      address,
      hash,
    ]),
  ),
};
const content = (path: string) =>
  accounts(sampleSettings())
    .secretFiles.find((file) => file.path === path)
    ?.content(secrets);

it("each mailbox is a line for Dovecot and a line for Postfix", () => {
  assert.equal(
    content("/etc/dovecot/users"),
    [
      "# Mailboxes and password hashes, for Dovecot's passwd-file.",
      `ann@example.org:${hash}::::::`,
      `bob@example.org:${hash}::::::`,
      `carol@example.com:${hash}::::::`,
      "",
    ].join("\n"),
  );
  assert.deepEqual(content("/etc/postfix/mailboxes")?.split("\n").slice(1), [
    "ann@example.org ann@example.org",
    "bob@example.org bob@example.org",
    "carol@example.com carol@example.com",
    "",
  ]);
});

it("nobody but root and Dovecot reads them", () => {
  const modes = accounts(sampleSettings()).secretFiles.map(({ path, group, mode }) => [path, group, mode]);
  assert.deepEqual(modes, [
    ["/etc/dovecot/users", "dovecot", "0640"],
    ["/etc/dovecot/suspended", "dovecot", "0640"],
    ["/etc/postfix/mailboxes", "_rspamd", "0640"],
  ]);
});

it("a mailbox more changes one document of the whole host, and no unit", () => {
  const documents = (settings: ReturnType<typeof sampleSettings>) =>
    new Map(
      hostBundles(settings).flatMap((bundle) => [
        [`${bundle.name}`, bundleDocument(bundle)],
        // Keys are another matter.
        [
          `${bundle.name} secrets`,
          ["rspamd", "tls"].includes(bundle.name) ? "" : secretsDocument(bundle, secrets),
        ],
      ]),
    );
  const before = documents(sampleSettings());
  // In the domain with a catch-all, where a mailbox could be thought to concern the aliases.
  const after = documents(sampleSettings({ carol: {}, dora: {} }));
  const changed = [...after].filter(([name, text]) => before.get(name) !== text).map(([name]) => name);
  assert.deepEqual(changed, ["accounts secrets"]);
  assert.doesNotMatch(after.get("accounts secrets") ?? "", /^unit:/m);
});

it("a hash that would write other fields or lines is refused, and not shown", () => {
  for (const bad of ["{PLAIN}a:b", `${hash}\nroot:x`, "no scheme", ""]) {
    const passwordHashes = { ...secrets.passwordHashes, "bob@example.org": bad };
    const [users] = accounts(sampleSettings()).secretFiles;
    assert.throws(() => users?.content({ ...secrets, passwordHashes }), {
      message: "the password hash of bob@example.org is malformed",
    });
  }
});

it("a mailbox without a hash is a mistake of the program's", () => {
  const [users] = accounts(sampleSettings()).secretFiles;
  assert.throws(() => users?.content(noSecrets), /no password hash for ann@example.org/);
});

describe("app passwords", () => {
  const withDevices = (ann: readonly string[], bob: readonly string[]) =>
    settingsWith({
      domains: {
        "example.org": {
          since: "2026-11-21",
          mailboxes: { ann: { appPasswords: ann }, bob: { appPasswords: bob } },
        },
      },
    });
  const filesOf = (ann: readonly string[], bob: readonly string[]) => {
    const keys = [
      ...ann.map((device) => `ann@example.org/${device}`),
      ...bob.map((device) => `bob@example.org/${device}`),
    ];
    const passwordHashes = Object.fromEntries(
      ["ann@example.org", "bob@example.org", ...keys].map((key) => [key, `{BLF-CRYPT}${key}`]),
    );
    return Object.fromEntries(
      accounts(withDevices(ann, bob))
        .secretFiles.filter(({ path }) => path.startsWith("/etc/dovecot/app-passwords"))
        .map(({ path, content, mode, group }) => {
          assert.deepEqual([mode, group], ["0640", "dovecot"]);
          return [
            path,
            content({ ...secrets, passwordHashes })
              .split("\n")
              .slice(1, -1),
          ];
        }),
    );
  };

  it("each mailbox's are in files of their own order, with the device for the log", () => {
    assert.deepEqual(filesOf(["phone", "laptop"], ["phone"]), {
      "/etc/dovecot/app-passwords.1": [
        "ann@example.org:{BLF-CRYPT}ann@example.org/phone::::::device=phone",
        "bob@example.org:{BLF-CRYPT}bob@example.org/phone::::::device=phone",
      ],
      "/etc/dovecot/app-passwords.2": [
        "ann@example.org:{BLF-CRYPT}ann@example.org/laptop::::::device=laptop",
      ],
    });
  });

  it("without one there is no file, and no line for Dovecot", () => {
    assert.deepEqual(filesOf([], []), {});
    const paths = (ann: readonly string[]) => dovecot(withDevices(ann, [])).files.map(({ path }) => path);
    const conf = "/etc/dovecot/mailhost.d/app-passwords.conf";
    assert.equal(paths([]).includes(conf), false);
    assert.equal(paths(["phone"]).includes(conf), true);
  });

  it("as many places to look as the mailbox with the most has", () => {
    const { files, units } = dovecot(withDevices(["phone", "laptop"], ["phone"]));
    const conf = files.find(({ path }) => path.endsWith("/app-passwords.conf")) ?? assert.fail();
    assert.deepEqual(
      [...conf.content.matchAll(/passwd_file_path = (\S+)/g)].map(([, path]) => path),
      ["/etc/dovecot/app-passwords.1", "/etc/dovecot/app-passwords.2"],
    );
    assert.ok(units.some(({ reload }) => reload.includes(conf.path)));
  });

  it("a name that could be something else, or stands twice, is refused with its place", () => {
    assert.throws(
      () => withDevices(["phone", "Ann's", "phone"], ["a:b"]),
      /ann\.appPasswords\[1\][\s\S]*ann\.appPasswords\[2\]: is named twice[\s\S]*bob\.appPasswords\[0\]/,
    );
  });
});
