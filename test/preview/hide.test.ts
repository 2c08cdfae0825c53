/** Secrets in every form that they have here, hidden in a preview that nobody masked. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { privateKeyOpenssh } from "../../local/providers/tls/openssh.ts";
import { hidden, hiddenText, publishable, publishableLines, secretsOf } from "../../preview/hide.ts";
import { json } from "../../preview/json.ts";
import { markdown } from "../../preview/markdown.ts";
import { text } from "../../preview/text.ts";
import type { Preview } from "../../preview/types.ts";
import { secretKeys } from "../../settings/plainSecrets.ts";
import { COMMAND, message, outputs, previewOf, stepEvent, updated } from "./scene.ts";

const spki = { type: "spki", format: "pem" } as const;
const pkcs8 = { type: "pkcs8", format: "pem" } as const;
const rsa = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: spki,
  privateKeyEncoding: pkcs8,
});
const rsa1 = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: spki,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});
const ec = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: spki,
  privateKeyEncoding: pkcs8,
});
const sec1 = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: spki,
  privateKeyEncoding: { type: "sec1", format: "pem" },
});
const ed = generateKeyPairSync("ed25519", { publicKeyEncoding: spki, privateKeyEncoding: pkcs8 });
const openssh = privateKeyOpenssh(generateKeyPairSync("ed25519").privateKey);

const pems = [rsa.privateKey, rsa1.privateKey, ec.privateKey, sec1.privateKey, ed.privateKey, openssh];

/** Its lines between the frame's. */
const body = (pem: string) => pem.trim().split("\n").slice(1, -1);

const hashes = [
  "$6$3RHhb1IIz.YQpA3U$oq19qsB6GXr96VxKj.ANgCBFFOSVD/Tq.JwQAqDqPeNV8E2sLA4yAxs8CX1Ex/e0ngrzLqEYUnsMyvyLr4/eX.",
  "$2y$10$abcdefghijklmnopqrstuuJ9pPZzQ4vVY5q5oF5o0Jk1Yw5b2x3yO",
  "$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$RdescudvJCsgt3ub+b0dWRWJTmaaJObG",
  "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
  "{SHA512-CRYPT}$6$salt$uncommonlyLongDigest",
  "{SSHA}canaryDigestOfSsha==",
  "{PLAIN}canaryPlainWord",
];
const tokens = [
  `pul-${"0a1b2c3d".repeat(5)}`,
  `ghp_${"a1B2c3D4".repeat(5)}`,
  `glpat-${"a1B2c3D4".repeat(3)}`,
  "AKIAIOSFODNN7EXAMPLE",
];

/** Everything that must not come out, a line at a time. */
const canaries = [
  ...pems.flatMap(body),
  ...hashes,
  ...tokens,
  "canaryByName",
  "canaryInDocument",
  "canaryQuiet",
];

/** Nothing in it is masked, as if the engine and the program had forgotten to. */
function careless(): Preview {
  const all = [...pems, ...hashes, ...tokens].join("\n");
  const document = (bundle: string, content: string) =>
    `mailhost bundle ${bundle}\nfiles: /etc/x\n\n=== /etc/x root:root 0600\n${content}\n=== end\n`;
  return previewOf([
    updated(COMMAND, "host-x-files", { stdin: document("x", "a") }, { stdin: document("x", all) }),
    // The frame may be missing, and the lines be one.
    updated(
      COMMAND,
      "host-y-files",
      { stdin: document("y", "a") },
      { stdin: document("y", pems.map((pem) => body(pem).join("")).join("\nand\n")) },
    ),
    stepEvent({
      op: "create",
      type: COMMAND,
      name: "host-z-secrets",
      after: { stdin: document("z secrets", "canaryInDocument") },
    }),
    stepEvent({
      op: "create",
      type: COMMAND,
      name: "host-quiet",
      after: { logging: "none", stdin: "canaryQuiet" },
    }),
    stepEvent({
      op: "create",
      type: "aws:iam/accessKey:AccessKey",
      name: "k",
      after: {
        apiToken: "canaryByName",
        nested: [{ passwordHash: "canaryByName", secretKey: "canaryByName" }],
        userData: "canaryByName",
        connection: { privateKey: "canaryByName" },
        text: all,
      },
    }),
    message("warning", `it says: ${all}`),
  ]);
}

for (const [form, render] of Object.entries({ markdown, text, json }))
  test(`no canary comes out, whatever brings it: ${form}`, () => {
    const told = render(careless());
    assert.ok(told.includes("host-z-secrets") && told.includes("/etc/x") && told.includes("[secret]"));
    for (const canary of canaries) assert.ok(!told.includes(canary), `${canary} in ${told}`);
  });

test("nor in the reason of a refusal", () => {
  const told = markdown(previewOf([message("error", `Bad key:\n${ed.privateKey}\n${hashes.join("\n")}`)]));
  assert.match(told, /Bad key:/);
  for (const canary of [...body(ed.privateKey), ...hashes]) assert.ok(!told.includes(canary));
});

test("public keys, records and ordinary words stay", () => {
  const plain = [
    rsa.publicKey,
    `v=DKIM1; h=sha256; k=rsa; p=${body(rsa.publicKey).join("")}`,
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1n5Q",
    "v=spf1 mx include:spf.example.net -all",
    "smtpd_sasl_auth_enable = yes # {{name}}, $myhostname, $6 a month, https://example.org/x",
    "postmaster@example.org ann@example.org",
  ].join("\n");
  assert.equal(hiddenText(plain), plain);
});

test("secrets of the environment are hidden in every writing of them", () => {
  const secrets = secretsOf({
    CLOUDFLARE_API_TOKEN: 'a "quoted" token',
    AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG",
    SSH_PRIVATE: "first line of a key file\nsecond line of that file",
    AWS_REGION: "eu-central-1",
    PASS: "short",
  });
  const said = hiddenText(
    [
      'a "quoted" token',
      JSON.stringify({ a: 'a "quoted" token' }),
      Buffer.from("wJalrXUtnFEMI/K7MDENG").toString("base64"),
      "second line of that file",
      "eu-central-1 short",
    ].join("\n"),
    secrets,
  );
  assert.equal(
    said,
    ["[secret]", '{"a":"[secret]"}', "[secret]", "[secret]", "eu-central-1 short"].join("\n"),
  );
});

test("of secrets that lie over each other all is hidden, in whatever order they come", () => {
  const [short, long, lapping] = ["0123456789", "0123456789abcdef", "abcdefghijkl"];
  for (const secrets of [
    [short, long],
    [long, short],
  ])
    assert.equal(hiddenText(`a ${long} b`, secrets), "a [secret] b");
  assert.equal(hiddenText("a 0123456789abcdefghijkl b", [long, lapping]), "a [secret] b");
  // Its form is known of one part only.
  assert.equal(hiddenText("a $6$salt$hash,and the rest b", ["$6$salt$hash,and the rest"]), "a [secret] b");
});

test("a secret that is longer than a line may be is hidden before the line is cut", () => {
  const token = "canaryToken".repeat(30);
  const key = ed.privateKey.trim().split("\n");
  const careful = (content: string) => ({
    stdin: `mailhost bundle x\nfiles: /etc/x\n\n=== /etc/x root:root 0600\n${content}\n=== end\n`,
  });
  const preview = previewOf([
    updated(COMMAND, "host-x-files", careful("a"), careful(`${"b".repeat(150)} ${token}`)),
    stepEvent({ op: "create", type: "aws:s3/bucket:Bucket", name: `b${"c".repeat(30)}${token}`, after: {} }),
  ]);
  for (const render of [
    markdown(preview, { secrets: [token] }),
    markdown(preview, { secrets: [token], limit: 1500 }),
    text(preview, { secrets: [token] }),
    json(preview, [token]),
  ])
    assert.doesNotMatch(render, /canary/);
  const lines = publishableLines(["first", ...key, "last"].map((line) => ({ sign: "+", text: line })));
  assert.deepEqual(
    lines.map((line) => line.text),
    ["first", ...key.map(() => "[secret]"), "last"],
  );
});

test("what is hidden leaves JSON whole", () => {
  const secret = 'a "quoted" word';
  const told = json(
    previewOf([
      message("warning", 'it says "$6$salt$hash" and goes on'),
      message("warning", `${ed.privateKey.slice(0, 60)}`),
      message("warning", `the token is ${secret}`),
    ]),
    [secret],
  );
  assert.deepEqual((JSON.parse(told) as { readonly warnings: readonly string[] }).warnings.toSorted(), [
    "[secret]",
    'it says "[secret]" and goes on',
    "the token is [secret]",
  ]);
});

test("every name that a stack file has for a secret is known, as an input and as a variable", () => {
  for (const key of secretKeys.map(String)) {
    assert.deepEqual(hidden({ [key]: "x" }), { [key]: "[secret]" });
    const variable = `MY_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
    assert.deepEqual(secretsOf({ [variable]: "long enough" }), ["long enough"]);
  }
});

test("what a terminal would obey is taken out", () => {
  assert.equal(publishable("a\u001b[31mred\u001b[0m\u0007b\u202e\u2066c\r\n\td"), "aredbc\n\td");
});

test("the outputs of the scene are not hidden themselves", () => {
  assert.deepEqual(previewOf([]).outputs.after, outputs);
});
