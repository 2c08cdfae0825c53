import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

const wanted = resolve(import.meta.dirname, "../../files/usr/local/lib/mailhost/sieve/wanted");

it("learning: off it is absent", () => {
  const bundles = hostBundles(settingsWith({ learning: false }));
  assert.equal(
    bundles.some(({ name }) => name === "learning"),
    false,
  );
  assert.doesNotMatch(JSON.stringify(bundles), /imapsieve|imap_sieve|sieve_extprograms/);
});

it("learning: by default each script is compiled where Dovecot looks for it", () => {
  const bundle = hostBundles(settingsWith({})).find(({ name }) => name === "learning");
  assert.deepEqual(
    bundle?.derivations.flatMap(({ makes }) => makes),
    ["junk", "learn-spam", "learn-ham"].map((name) => `/var/lib/dovecot/sieve/${name}.svbin`),
  );
});

it("wanted: a sender is the address in From with what DMARC said, and is known until forgotten", () => {
  const home = mkdtempSync(join(tmpdir(), "wanted-"));
  const run = (doing: string, from: string, dmarc: string) =>
    spawnSync("python3", [wanted, doing], {
      env: { ...process.env, HOME: home },
      input: `Authentication-Results: mail.example.org;\r\n\tdkim=none;\r\n\tdmarc=${dmarc} (policy=none)\r\nFrom: ${from}\r\nAuthentication-Results: mail.example.org; dmarc=pass\r\n\r\ntext\r\n`,
    }).status;
  try {
    assert.equal(run("knows", "zoe@example.net", "pass"), 1);
    assert.equal(run("remember", "Zoe <ZOE@example.net>", "pass"), 0);
    assert.equal(run("remember", "yan@example.net", "none"), 0);
    assert.equal(run("remember", "nobody at all", "none"), 0);
    assert.equal(run("knows", '"Somebody" <zoe@example.net>', "pass"), 0);
    assert.equal(run("knows", "zoe@example.net", "fail"), 1, "a forged one is another");
    assert.equal(
      readFileSync(join(home, "wanted-senders"), "utf8"),
      "zoe@example.net pass\nyan@example.net none\n",
    );
    assert.equal(run("forget", "zoe@example.net", "pass"), 0);
    assert.equal(run("knows", "zoe@example.net", "pass"), 1);
    assert.equal(run("knows", "yan@example.net", "none"), 0);
    assert.equal(run("knows", "yan@example.net", "pass"), 0, "who proves itself by now is no other");
    assert.equal(run("knows", "yan@example.net", "fail"), 1);
    assert.equal(run("forget", "yan@example.net", "pass"), 0);
    assert.equal(run("knows", "yan@example.net", "none"), 1);
  } finally {
    rmSync(home, { recursive: true });
  }
});
