import assert from "node:assert/strict";
import { it } from "node:test";
import { Isolate } from "../../local/world/isolate.ts";
import { wkdHash } from "../../options/openpgpKeys.ts";
import { webHosts, webPages, workerScript } from "../../plan/web.ts";
import { SettingsError } from "../../settings/mistakes.ts";
import { openpgpAddresses, openpgpBinary } from "../../settings/openpgp.ts";
import { annsKey } from "./openpgpKey.ts";
import { settingsWith } from "./settings.ts";

const withKeys = (openpgpKeys: object) => settingsWith({ clientSetup: false, mtaSts: false, openpgpKeys });

function mistakes(openpgpKeys: object): string {
  try {
    withKeys(openpgpKeys);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  return assert.fail("nothing was wrong");
}

it("openpgpKeys: off it is absent", () => {
  assert.deepEqual(webPages(withKeys({}), {}), []);
});

it("openpgpKeys: a directory for each domain that has one, with the key as gpg would export it", () => {
  const pages = webPages(withKeys({ "ann@example.org": annsKey }), {});
  assert.deepEqual(webHosts(pages), [{ host: "openpgpkey.example.org", zone: "example.org" }]);
  assert.deepEqual(
    pages.map(({ path }) => path),
    [
      "/.well-known/openpgpkey/example.org/policy",
      // As `gpg --with-wkd-hash -k ann@example.org` prints it.
      "/.well-known/openpgpkey/example.org/hu/qtgmukx58ikag7nqwxsqupgad8cozzzn",
    ],
  );
  assert.deepEqual(pages[1]?.content, { base64: openpgpBinary(annsKey)?.toString("base64") });
});

it("openpgpKeys: the Worker answers with the key's bytes", async () => {
  const settings = withKeys({ "ann@example.org": annsKey });
  const isolate = await Isolate.start(workerScript(settings, webPages(settings, {})));
  try {
    const folder = "https://openpgpkey.example.org/.well-known/openpgpkey/example.org";
    const ask = (path: string) => isolate.fetch({ url: `${folder}/${path}`, method: "GET", headers: [] });
    const found = await ask("hu/qtgmukx58ikag7nqwxsqupgad8cozzzn?l=ann");
    assert.equal(found.status, 200);
    assert.deepEqual(Buffer.from(found.body), openpgpBinary(annsKey));
    const policy = await ask("policy");
    assert.deepEqual([policy.status, Buffer.from(policy.body).toString()], [200, ""]);
  } finally {
    isolate.close();
  }
});

it("the name in the directory is the draft's own example's, in any case", () => {
  assert.equal(wkdHash("Joe.Doe@Example.ORG"), "iy9q119eutrkn8s1mk4r39qejnbu3n5q");
});

it("the addresses of a key are those of its user ids", () => {
  assert.deepEqual(openpgpAddresses(annsKey), ["ann@example.org"]);
});

it("what is no key, a private one, another's, or nobody's is refused, and not repeated", () => {
  const body = annsKey.split("\n")[2] ?? "";
  const secret = annsKey.replaceAll("PUBLIC", "PRIVATE");
  assert.match(
    mistakes({ "ann@example.org": secret }),
    /ann@example\.org: is a private key, which nobody else/,
  );
  assert.ok(!mistakes({ "ann@example.org": secret }).includes(body));
  assert.match(mistakes({ "ann@example.org": "hello" }), /is no OpenPGP public key; write what `gpg --armor/);
  const cut = annsKey.split("\n").toSpliced(-4, 1).join("\n");
  assert.match(mistakes({ "ann@example.org": cut }), /is no OpenPGP public key/);
  // The packet's type in its first byte: a secret key in public armor.
  const disguised = annsKey.replace("\nmDME", "\nlDME");
  assert.match(mistakes({ "ann@example.org": disguised }), /is no OpenPGP public key/);
  const bytes = openpgpBinary(annsKey) ?? assert.fail("no key");
  // The subkey's packet, of type 14, made one of type 7.
  bytes[bytes.indexOf(0xb8, 200)] = 0x9c;
  const armored = `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${bytes.toString("base64")}\n-----END PGP PUBLIC KEY BLOCK-----`;
  assert.match(mistakes({ "ann@example.org": armored }), /has a private key in it/);
  assert.match(mistakes({ "bob@example.org": annsKey }), /bob@example\.org: is not named in its key/);
  assert.match(
    mistakes({ "eve@example.org": annsKey }),
    /eve@example\.org: is no mailbox or alias of this host/,
  );
});
