import type { Settings } from "../settings/types.ts";
import { domainOfHost, selectorsOf, signers } from "./dkim.ts";
import { HOST_KEY } from "./hostKey.ts";
import { type KeyPair, type KeyRotation, type RotationRules, turn } from "./rotation.ts";
import { tlsaName, tlsaText, tlsKeyName } from "./tlsKey.ts";
import type { DnsRecord, FactName } from "./types.ts";

/** Whose keys take turns: each name that signs mail, and the host where it speaks TLS, and SSH. */
export interface KeyHolder {
  /** Its name among them: what signs, or where its TLSA records stand. */
  readonly name: string;
  /** Zone that holds its records. */
  readonly zone: string;
  /** The day it came here, YYYY-MM-DD. */
  readonly since: string;
  readonly rules: RotationRules;
  /** Seconds for which a resolver may remember that there is no such record. */
  readonly remembered: number;
  /** The records by which the world knows a generation; none: nobody has to know it first. */
  readonly proofs: (generation: string) => readonly KeyProof[];
  /** Where the host itself shows by TLS which key it uses, and the keys' names among the facts. @default nobody can see that */
  readonly shown?: { readonly port: number; readonly fact: (generation: string) => FactName };
}

/** A record that shows a public key. */
export interface KeyProof {
  readonly name: string;
  readonly type: DnsRecord["type"];
  /** The public key's name among the facts. */
  readonly fact: FactName;
  /** Whether such a record says this key. */
  readonly says: (record: string, key: string) => boolean;
}

/** What can be seen of the world at a run. */
export interface Seen {
  /** Whether everybody who was asked shows all records of a holder's generation. */
  readonly isSeen: (holder: KeyHolder, generation: string) => boolean;
  /** Whether the host shows another one. */
  readonly isUnused: (holder: KeyHolder, generation: string) => boolean;
}

/**
 * Those generations of a holder that may be in use, as the host shows them.
 * @param keys public keys by their names among the facts
 * @param shown what the host has shown; who shows nothing may use any of them
 */
export function usedGenerations(
  { shown: where }: KeyHolder,
  pairs: readonly KeyPair[],
  keys: Readonly<Record<string, string>>,
  shown: string | undefined,
): readonly string[] {
  if (where === undefined) return [];
  return pairs
    .map(({ generation }) => generation)
    .filter((generation) => shown === undefined || keys[where.fact(generation)] === shown);
}

/** Seconds for which a resolver may at most remember that there is no such record (RFC 2308 section 5). */
const remembered = 3 * 3600;

export function keyHolders(settings: Settings): readonly KeyHolder[] {
  const { dkim, hostKey, queue, tlsKey } = settings.options;
  const { since } = domainOfHost(settings);
  const dkimRules: RotationRules = {
    days: dkim.rotateDays,
    overlapDays: dkim.overlapDays ?? Math.max(7, queue.days + 1),
    revoked: dkim.revoked,
  };
  return [
    ...signers(settings).map(
      ({ domain, zone, since }): KeyHolder => ({
        name: domain,
        zone,
        since,
        rules: dkimRules,
        remembered,
        proofs: (generation) =>
          selectorsOf(domain, generation).map(({ name }) => ({
            name,
            type: "TXT",
            fact: name,
            says: (record, key) => record.endsWith(` p=${key}`),
          })),
      }),
    ),
    {
      name: tlsaName(settings),
      zone: settings.hostnameZone,
      since,
      rules: { days: tlsKey.rotateDays, overlapDays: tlsKey.overlapDays, revoked: tlsKey.revoked },
      remembered,
      proofs: (generation) =>
        settings.options.dane
          ? [
              {
                name: tlsaName(settings),
                type: "TLSA",
                fact: tlsKeyName(generation),
                says: (record, key) => record === tlsaText(key),
              },
            ]
          : [],
      shown: { port: 465, fact: tlsKeyName },
    },
    {
      name: HOST_KEY,
      zone: settings.hostnameZone,
      since,
      rules: { days: hostKey.rotateDays, overlapDays: 0, revoked: hostKey.revoked },
      // Whoever logs in knows the next one from the stack's outputs, since the run that has made it.
      remembered: 0,
      proofs: () => [],
    },
  ];
}

/**
 * Every holder's keys from now on (rotation.ts).
 * @param before as the run before has left them
 */
export function rotate(
  settings: Settings,
  before: KeyRotation,
  now: Date,
  { isSeen, isUnused }: Seen,
): KeyRotation {
  return Object.fromEntries(
    keyHolders(settings).map((holder): [string, readonly KeyPair[]] => [
      holder.name,
      turn({
        before: before[holder.name] ?? [],
        first: holder.since,
        now,
        isSeen: (generation) => isSeen(holder, generation),
        isUnused: (generation) => isUnused(holder, generation),
        ttl: holder.remembered,
        rules: holder.rules,
      }),
    ]),
  );
}
