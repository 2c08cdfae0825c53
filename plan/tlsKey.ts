import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import type { Settings } from "../settings/types.ts";
import { domainOfHost } from "./dkim.ts";
import { firstPair, type KeyRotation, type KeyState } from "./rotation.ts";

/** A key with which the host speaks TLS, or is going to. */
export interface TlsKey {
  /** Among the facts, and of the key itself: `tls-20261121`. */
  readonly name: `tls-${string}`;
  readonly generation: string;
  readonly state: KeyState;
}

/** Where the host's TLSA records stand (RFC 7672 section 3.1). It is the name by which its keys take turns, too. */
export function tlsaName({ hostname }: Pick<Settings, "hostname">): string {
  return `_25._tcp.${hostname}`;
}

/**
 * The host's keys of TLS, of which one is in use.
 * @param rotation those that it has; without a word of them the one that it begins with
 */
export function tlsKeys(settings: Settings, rotation: KeyRotation): readonly TlsKey[] {
  const pairs = rotation[tlsaName(settings)] ?? [firstPair(domainOfHost(settings).since)];
  return pairs.map(({ generation, state }) => ({ name: tlsKeyName(generation), generation, state }));
}

/** The one in use. */
export function tlsKeyInUse(settings: Settings, rotation: KeyRotation): TlsKey {
  const key = tlsKeys(settings, rotation).find(({ state }) => state === "signing");
  if (key === undefined) throw new Error("no TLS key is in use");
  return key;
}

export function tlsKeyName(generation: string): TlsKey["name"] {
  return `tls-${generation}`;
}

/**
 * SHA-256 of a public key's SubjectPublicKeyInfo, as a TLSA record with selector 1 and matching type 1 has it (RFC 6698).
 * @param key itself, or in PEM
 */
export function publicKeyDigest(key: KeyObject | string): string {
  const publicKey = typeof key === "string" ? createPublicKey(key) : key;
  const spki = publicKey.export({ type: "spki", format: "der" });
  // Upper case: Cloudflare's API answers so, and its provider compares letter by letter.
  return createHash("sha256").update(spki).digest("hex").toUpperCase();
}

/** A TLSA record of that key alone: DANE-EE, whatever the certificate says beside it (RFC 7672 section 3.1.1). */
export function tlsaText(digest: string): string {
  return `3 1 1 ${digest}`;
}
