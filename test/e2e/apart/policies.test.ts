/** The policy pack with the real engine: what it says, and when it stops a run. Needs no local cloud. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseDocument } from "yaml";
import { lightPolicies } from "../../../local/engine/preview.ts";
import { rules } from "../../../policy/rules.ts";
import { PreviewReader } from "../../../preview/engine.ts";
import { markdown } from "../../../preview/markdown.ts";
import { type EngineRun, Laboratory, twoDomains } from "../../laboratory.ts";
import { recorded, versions } from "../../upgrades/recorded.ts";

const withPolicies = ["preview", "--policy-pack", "policy"] as const;

/** The names of the policies that had something to say, and at which level. */
function fired({ output }: EngineRun): readonly string[] {
  const names = rules.map(({ name }) => name).join("|");
  const found = output.matchAll(new RegExp(`\\[(advisory|mandatory)\\]\\s+(${names})\\b`, "g"));
  return [...new Set(Array.from(found, ([, level, name]) => `${name} ${level}`))].toSorted();
}

test("the whole program is quiet in the first preview, a fault in its stack file is told, and the word for it is kept", async (t) => {
  // As the comment on a pull request is made.
  const environment = { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true", ...lightPolicies(process.env) };
  const lab = await Laboratory.start(t, { environment });
  await lab.stack("one", twoDomains());
  const first = await lab.run(...withPolicies, "--stack", "one");
  assert.equal(first.code, 0, first.output);
  assert.deepEqual(fired(first), [], first.output);
  assert.doesNotMatch(first.output, /can't run policy|Policy Violations/, first.output);
  assert.match(first.output, /mailhost@v\d+\.\d+\.\d+/, "the pack ran");

  const many = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((number) => `include:s${number}.example.net`);
  lab.write(
    "one",
    twoDomains({
      "mailhost:ssh": { from: "the-whole-internet" },
      "mailhost:relay": { host: "smtp.example.net", username: "me", password: "p", spf: many },
    }),
  );
  const second = await lab.run(...withPolicies, "--stack", "one");
  assert.notEqual(second.code, 0);
  assert.deepEqual(fired(second), ["one-spf mandatory", "ssh-not-open mandatory"], second.output);
  assert.match(second.output, /Write the networks that you deploy from under mailhost:ssh\.from/);
  assert.match(second.output, /takes 11 look-ups at least/);

  const { stdout } = await lab.run(...withPolicies, "--json", "--stack", "one");
  const reader = new PreviewReader();
  for (const line of stdout.split("\n")) reader.take(line);
  const comment = markdown(reader.preview("one"));
  assert.match(comment, /^### `one`: \*\*refused by policies\*\*: makes the mail host `mail\.example\.org`/m);
  const [top = "", below] = comment.split("**What happens**");
  assert.match(
    top,
    /^- \*\*`ssh-not-open` refuses this \(`firewall-group`\)\.\*\* Port 22 is open to ::\/0\. Write the networks/m,
  );
  assert.match(
    top,
    /^- \*\*`one-spf` refuses this \(`dns-txt:example\.com`\)\.\*\* The SPF record of example\.com takes 11 look-ups/m,
  );
  assert.match(below ?? "", /<details>/);

  const words = join(lab.program, "words.json");
  writeFileSync(words, JSON.stringify({ "ssh-not-open": "advisory", "one-spf": "disabled" }));
  const third = await lab.run(...withPolicies, "--policy-pack-config", words, "--stack", "one");
  assert.equal(third.code, 0, third.output);
  assert.deepEqual(fired(third), ["ssh-not-open advisory"], third.output);
});

test("a secret in the open is told from one that Pulumi knows as such, and from one that is not there yet", async (t) => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const lab = await Laboratory.start(t, {
    index: `
      import * as pulumi from "@pulumi/pulumi";
      import { Command } from "@pulumi/command/local/command.js";
      import { PrivateKey } from "@pulumi/tls/privateKey.js";
      const pem = ${JSON.stringify(pem)};
      const key = new PrivateKey("short", { algorithm: "RSA", rsaBits: 1024 });
      new Command("open", { create: "true", stdin: "the key:\\n" + pem });
      new Command("secret", { create: "true", stdin: pulumi.secret(pem), environment: pulumi.secret({ API_TOKEN: "x" }) });
      new Command("later", { create: "true", stdin: key.privateKeyPem });
    `,
  });
  await lab.stack("one", "config: {}");
  const preview = await lab.run(...withPolicies, "--stack", "one");
  assert.notEqual(preview.code, 0);
  assert.deepEqual(fired(preview), ["no-plain-secret mandatory", "rsa-keys-long mandatory"], preview.output);
  assert.equal(preview.output.match(/holds a private key in plain text/g)?.length, 1, preview.output);
  assert.match(preview.output, /no-plain-secret +\(command:local:Command: open\)/);
  assert.ok(!preview.output.includes(pem.split("\n")[1] ?? pem), "the message shows none of it");

  const words = join(lab.program, "words.json");
  writeFileSync(words, JSON.stringify({ "no-plain-secret": "advisory", "rsa-keys-long": "disabled" }));
  const lower = await lab.run(...withPolicies, "--policy-pack-config", words, "--stack", "one");
  assert.match(lower.output, /sees what is secret at the level remediate alone/);
});

test("a DMARC policy that would become milder than the published one is told, until somebody says the word", async (t) => {
  const { stackFile, environment, state, ...cloud } = recorded(
    versions.at(-1) ?? assert.fail("none recorded"),
  );
  const lab = await Laboratory.start(t, { cloud, environment });
  const stack = parseDocument(stackFile);
  // The default, under which the host was recorded, is quarantine.
  stack.setIn(["config", "mailhost:domains", "example.com", "dmarc"], "none");
  stack.setIn(["config", "mailhost:domains", "example.org", "dmarc"], "reject");
  await lab.known("dev", stack.toString(), state);
  const preview = await lab.run(...withPolicies, "--stack", "dev");
  assert.deepEqual(fired(preview), ["dmarc-never-back mandatory"], preview.output);
  assert.match(preview.output, /The DMARC policy of example\.com would go from quarantine to none/);
  const words = join(lab.program, "words.json");
  writeFileSync(words, JSON.stringify({ "dmarc-never-back": { mayWeaken: ["example.com"] } }));
  const allowed = await lab.run(...withPolicies, "--policy-pack-config", words, "--stack", "dev");
  assert.equal(allowed.code, 0, allowed.output);
  assert.deepEqual(fired(allowed), []);
});
