import { createPublicKey } from "node:crypto";
import { closestAbove } from "../settings/names.ts";
import type { Domain, Settings } from "../settings/types.ts";
import { firstPair, type KeyRotation, type KeyState } from "./rotation.ts";

/** One key: a pair of `rotation.ts` has two. */
export interface DkimSelector {
  /** The signature's `d=`: a mail domain, or the host's own name. */
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: "rsa" | "ed25519";
  readonly state: KeyState;
  /** The key record's name, `<selector>._domainkey.<domain>`. */
  readonly name: `${string}._domainkey.${string}`;
}

/**
 * The mail domain the host's own name stands for: the closest one it lies in, else the first of the stack file.
 * What the host has under its own name (signing keys, times to live, reports) follows this domain, so that
 * adding and removing others changes nothing of it.
 */
export function domainOfHost(settings: Settings): Domain {
  const { hostname, domains } = settings;
  const closest = closestAbove(
    hostname,
    domains.map(({ name }) => name),
  );
  const domain = domains.find(({ name }) => name === closest) ?? domains[0];
  if (!domain) throw new Error("settings without a domain");
  return domain;
}

/** A name that mail is signed as. */
export interface Signer {
  readonly domain: string;
  /** Zone that holds its key records. */
  readonly zone: string;
  /** The day it came here, YYYY-MM-DD. */
  readonly since: string;
}

/**
 * Who signs: each mail domain, and the host's own name. Bounces and cron mail come from `MAILER-DAEMON@<hostname>` and
 * `root@<hostname>`; a signature of a mail domain would not be aligned with these under strict DMARC, and not at all
 * where the host's name lies in another organisation's domain.
 */
export function signers(settings: Settings): readonly Signer[] {
  const { hostname, hostnameZone } = settings;
  return [
    ...settings.domains.map(({ name, zone, since }) => ({ domain: name, zone, since })),
    { domain: hostname, zone: hostnameZone, since: domainOfHost(settings).since },
  ];
}

/**
 * Every DKIM key of the host: an RSA and an Ed25519 one (RFC 8463: both, as not every receiver knows the latter) of each
 * pair.
 * @param rotation each signer's pairs; one who is not in it has the pair that it begins with
 */
export function dkimSelectors(settings: Settings, rotation: KeyRotation): readonly DkimSelector[] {
  return signers(settings).flatMap(({ domain, since }) =>
    (rotation[domain] ?? [firstPair(since)]).flatMap(({ generation, state }) =>
      selectorsOf(domain, generation).map((selector) => ({ ...selector, state })),
    ),
  );
}

/** The two keys of a pair. */
export function selectorsOf(domain: string, generation: string): readonly Omit<DkimSelector, "state">[] {
  return (["rsa", "ed25519"] as const).map((algorithm) => {
    const selector = `${generation}${algorithm.charAt(0)}`;
    return { domain, selector, algorithm, name: `${selector}._domainkey.${domain}` };
  });
}

/**
 * The `p=` value of a key record from a public key in PEM (SubjectPublicKeyInfo).
 * RSA: the whole SPKI (RFC 6376 section 3.6.1 and erratum 3017); Ed25519: the bare 32 bytes (RFC 8463 section 4.2).
 * @throws where the PEM holds no key, or one of another algorithm
 */
export function publicKeyOfPem(pem: string, algorithm: DkimSelector["algorithm"]): string {
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== algorithm) {
    throw new Error(`the PEM holds an ${key.asymmetricKeyType} key, not an ${algorithm} one`);
  }
  const spki = key.export({ type: "spki", format: "der" });
  return (algorithm === "rsa" ? spki : spki.subarray(-32)).toString("base64");
}
