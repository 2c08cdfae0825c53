import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import fc from "fast-check";
import { certbot } from "../../../plan/services/certbot.ts";
import { parseSettings, SettingsError } from "../../../settings/parse.ts";
import type { Settings } from "../../../settings/types.ts";
import { sampleSettings } from "./sample.ts";

const settings = sampleSettings();
const directory = "https://acme.example/dir";
const contents = (acme: { directory: string; caCertificate?: string }) =>
  new Map(certbot({ ...settings, acme }, {}).files.map(({ path, content }) => [path, content]));
const request = "/etc/mailhost/certificate.conf";
const service = "/etc/systemd/system/mailhost-certificate.service";

it("asks in the owner's name for the host's name", () => {
  const text = contents({ directory }).get(request) ?? assert.fail();
  assert.match(text, /^NAMES='mail\.example\.org'$/m);
  assert.match(text, /^ACME_DIRECTORY='https:\/\/acme\.example\/dir'$/m);
  assert.match(text, /^CONTACT='ann@example\.org'$/m);
  assert.doesNotMatch(text, /REQUESTS_CA_BUNDLE/);
});

it("trusts a private authority", () => {
  const files = contents({
    directory,
    caCertificate: "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----",
  });
  assert.equal(files.get("/etc/mailhost/acme-ca.pem")?.at(-1), "\n");
  assert.match(files.get(request) ?? "", /^export REQUESTS_CA_BUNDLE=\/etc\/mailhost\/acme-ca\.pem$/m);
});

it("the shell reads back every owner and every directory that the settings accept", () => {
  const inLocalPart = "abcXYZ019_!#%&'*+/=?^~-.";
  const local = fc.string({ unit: fc.constantFrom(...inLocalPart), minLength: 1, maxLength: 20 });
  const owner = local.map((text) => `o${text}@elsewhere.example`);
  const url = fc
    .string({ unit: "grapheme-ascii", maxLength: 30 })
    .map((path) => `https://acme.example/${path}`);
  const accepted = fc
    .tuple(owner, url)
    .filter(([owner, directory]) => settle(owner, directory) !== undefined);
  const readBack = 'set -eu; eval "$1"; printf "%s\\n" "$NAMES" "$ACME_DIRECTORY" "$CONTACT"';
  fc.assert(
    fc.property(accepted, ([owner, directory]) => {
      const settled = settle(owner, directory) ?? assert.fail();
      const file = certbot(settled, {}).files.find(({ path }) => path === request)?.content ?? assert.fail();
      const { stdout, stderr } = spawnSync("sh", ["-c", readBack, "sh", file], { encoding: "utf8" });
      assert.equal(stderr, "");
      assert.equal(stdout, `mail.example.org\n${directory}\n${owner}\n`);
    }),
    {
      examples: [[["o'brien@elsewhere.example", "https://acme.example/d?a=1&b=$(id)'`id`;id"]]],
      numRuns: 60,
    },
  );
});

it("certbot may write where it wants to, on a new machine that has none of these places yet", () => {
  const files = contents({ directory });
  const unit = files.get(service) ?? "";
  assert.match(unit, /^ProtectSystem=strict$/m);
  for (const line of ["StateDirectory=letsencrypt", "LogsDirectory=letsencrypt"])
    assert.ok(unit.split("\n").includes(line), line);
});

it("a deployment neither fails nor is cut off where the authority does not answer", () => {
  const apply = readFileSync("files/usr/local/lib/mailhost/apply", "utf8");
  const limit = Number(/^COMMAND_TIMEOUT = (\d+)$/m.exec(apply)?.[1]);
  const [{ command } = assert.fail()] = certbot(settings, {}).derivations;
  const [, seconds, unit] = /^timeout (\d+) systemctl start (\S+) \|\| true$/.exec(command) ?? assert.fail();
  assert.ok(Number(seconds) + 10 <= limit, `${seconds} of ${limit} seconds`);
  assert.match(
    contents({ directory }).get(`/etc/systemd/system/${unit}`) ?? "",
    /^ExecStart=\/usr\/local\/lib\/mailhost\/certificate$/m,
  );
});

/** The settings with these two in them, if they are accepted. */
function settle(owner: string, directory: string): Settings | undefined {
  try {
    return parseSettings(
      {
        hostname: "mail.example.org",
        owner,
        acme: { directory },
        ssh: { from: "203.0.113.7/32" },
        domains: { "example.org": { since: "2026-11-20", mailboxes: { ann: {} } } },
      },
      {},
    );
  } catch (error) {
    if (error instanceof SettingsError) return undefined;
    throw error;
  }
}
