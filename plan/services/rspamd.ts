import { createPrivateKey } from "node:crypto";
import { passedOn } from "../../settings/routes.ts";
import type { Settings } from "../../settings/types.ts";
import { bundle, directory, file, plainFile, secretFile, unit } from "../bundle.ts";
import { type DkimSelector, dkimSelectors } from "../dkim.ts";
import type { KeyRotation } from "../rotation.ts";
import { limitsSenders, trustedHosts } from "../trustedHosts.ts";
import type { Bundle, SecretFile } from "../types.ts";

const folder = "/etc/rspamd";
const dropIn = "/etc/systemd/system/rspamd.service.d/mailhost.conf";

/** rspamd's own judgement of its settings (rspamadm(1)). */
export const rspamdJudge = "rspamadm configtest";

const pageout = "/usr/local/lib/mailhost/pageout";

const plain = [
  "local.d/classifier-bayes.conf",
  "local.d/dmarc.conf",
  "local.d/groups.conf",
  "local.d/logging.inc",
  "local.d/milter_headers.conf",
  "local.d/options.inc",
  "local.d/redis.conf",
  "local.d/reputation.conf",
  "local.d/worker-controller.inc",
  "local.d/worker-normal.inc",
  "local.d/worker-proxy.inc",
  "lua.local.d/mailhost.lua",
  "lua.local.d/sealing.lua",
].map((path) => `${folder}/${path}`);

/** Judges what comes in, signs what goes out. */
export function rspamd(settings: Settings, rotation: KeyRotation): Bundle {
  // What is to sign later is not needed here yet. What has signed stays for a while: these files come and go before the
  // settings that name them.
  const onHost = dkimSelectors(settings, rotation).filter(({ state }) => state !== "published");
  const keys = onHost.filter(({ state }) => state === "signing");
  const forwards = [
    ...[...passedOn(settings)].map(([address, isPassedOn]) => ({ address, isPassedOn })),
    // A friend's mail goes on as well, in its first sender's name.
    ...Object.keys(settings.options.backupMx).map((domain) => ({ address: `@${domain}`, isPassedOn: true })),
  ];
  return bundle({
    name: "rspamd",
    why: "Judges incoming mail and signs outgoing mail.",
    packages: ["libjemalloc2", "rspamd"],
    directories: [directory(`${folder}/dkim`, { owner: "root", group: "_rspamd", mode: "0750" })],
    files: [
      ...plain.map((path) => plainFile(path)),
      file(`${folder}/local.d/arc.conf`, { domains: byDomain(keys) }),
      file(`${folder}/local.d/dkim_signing.conf`, { domains: byDomain(keys), options: settings.options }),
      file(`${folder}/local.d/neural.conf`, { options: settings.options }),
      file(`${folder}/local.d/settings.conf`, {
        options: settings.options,
        hasLimits: limitsSenders(settings),
        trusted: trustedHosts(settings).length > 0,
      }),
      ...(forwards.length > 0 ? [file(`${folder}/lua.local.d/forwarded-spam.lua`, { forwards })] : []),
      plainFile(dropIn),
      plainFile(pageout, { mode: "0755" }),
    ],
    secretFiles: onHost.map(keyFile),
    validate: [rspamdJudge],
    units: [unit("rspamd.service", { reload: [`${folder}/`], restart: [dropIn] })],
    after: ["storage", "redis", "unbound", "aliases", "patterns"],
  });
}

function byDomain(all: readonly DkimSelector[]) {
  return [...Map.groupBy(all, ({ domain }) => domain)].map(([domain, pair]) => {
    const keys = pair.map((key) => ({ ...key, path: keyPath(key) }));
    // ARC knows no other algorithm (RFC 8617 section 4.1.2).
    const sealing = keys.find(({ algorithm }) => algorithm === "rsa");
    return { domain, keys, sealing };
  });
}

function keyPath(key: DkimSelector): string {
  return `${folder}/dkim/${key.name}.key`;
}

function keyFile(key: DkimSelector): SecretFile {
  return secretFile(
    keyPath(key),
    ["dkimPrivateKeys"],
    (secrets) => {
      const pem = secrets.dkimPrivateKeys[key.name];
      if (pem === undefined) throw new Error(`no private key for ${key.name}`);
      return key.algorithm === "rsa" ? pem : ed25519Seed(pem);
    },
    { owner: "root", group: "_rspamd", mode: "0640" },
  );
}

/**
 * The 32 bytes of an Ed25519 key in base64, which end its PKCS#8 form (RFC 8410 section 7). rspamd 3.12 takes such a
 * key from PEM without a word and then signs with none.
 */
function ed25519Seed(pem: string): string {
  const der = createPrivateKey(pem).export({ type: "pkcs8", format: "der" });
  return `${der.subarray(-32).toString("base64")}\n`;
}
