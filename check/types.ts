import type { DkimSelector } from "../plan/dkim.ts";
import type { BundleOutline } from "../plan/manifests.ts";
import type { Ramps } from "../plan/ramp.ts";
import type { Bundle, DnsRecord, Facts } from "../plan/types.ts";
import type { Settings } from "../settings/types.ts";
import type { SshAccess } from "../ssh/client.ts";
import type { OtherSide } from "./otherside.ts";

/** A host to look at, and what is known about it. */
export interface CheckTarget {
  /** The stack's name. */
  readonly stack: string;
  /** Whether it is on the local cloud, whose commands are others. @default false */
  readonly isLocal?: boolean;
  readonly settings: Settings;
  readonly facts: Facts;
  /** What the plan wants published. */
  readonly records: readonly Omit<DnsRecord, "why">[];
  /** What the plan has on the host; ports are found by name (`smtp`, `submissions`, `submission`, `imaps`). */
  readonly bundles: readonly (BundleOutline & Pick<Bundle, "ports"> & Partial<Pick<Bundle, "confirm">>)[];
  /** Every DKIM key. */
  readonly dkim: readonly DkimSelector[];
  /** Where the policies stand that ramp. @default none does */
  readonly ramps?: Ramps;
  /** DS records that the registrars have to have, by zone, where the program signs it. */
  readonly ds: Readonly<Record<string, string>>;
  /** Looks only at this domain of the settings, and at the host itself. @default all */
  readonly only?: string;
  /** Validating resolver, `address` or `address:port`. */
  readonly resolver: string;
  /** Authoritative servers by zone, where they cannot be found by asking. @default found by asking the resolver */
  readonly nameservers?: Readonly<Record<string, readonly string[]>>;
  /** PEM of roots that are trusted beside the public ones. */
  readonly trustedCas?: readonly string[];
  /** Passwords by mailbox address; mailboxes that came with a hash of their own are missing. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Seconds that a test message may take to where it is to come. @default 20 */
  readonly patience?: number;
  /** A login on the host; without it what is inside is not looked at. */
  readonly ssh?: SshAccess;
  /** A mail server elsewhere that judges our mail; without it a message is sent in a loop and judged here. */
  readonly otherSide?: OtherSide;
}

/**
 * What people read it under, in this order: what is inside explains what is seen from outside. The first three are of what is
 * looked at before there is a host.
 */
export const groups = [
  "Stack file",
  "AWS",
  "Cloudflare",
  "Inside the host",
  "Names",
  "Ports",
  "Encryption",
  "Rules",
  "Mail",
] as const;

/** One line of the result. */
export interface Finding {
  readonly right: boolean;
  /** What is so, in plain words. */
  readonly text: string;
  /** What to do next; only where it is wrong. */
  readonly remedy?: string;
  /** Which of the item's things it is about, where there are several: a port or a unit by its name, a domain, a record. */
  readonly part?: string;
  /** Something gave no answer or put us off, and more it does not say: so it looks wherever the cause is. */
  readonly unanswered?: true;
  /** Nothing is wrong, and nothing was seen either: what the check has no means to look at. */
  readonly leftOut?: true;
}

export interface CheckResult extends Omit<Finding, "part"> {
  readonly group: (typeof groups)[number];
  /** The item that found it. */
  readonly item: string;
  /** What it is about, by a name that stays: the item's, and behind a dot the part's: `tls.submissions`. */
  readonly about: string;
  /** What another line is about that brings this one with it. */
  readonly cause?: string;
}

export function right(text: string, more: Pick<Finding, "part"> = {}): Finding {
  return { right: true, text, ...more };
}

/** @param text what was not looked at, and why */
export function leftOut(text: string): Finding {
  return { right: true, text, leftOut: true };
}

export function wrong(
  text: string,
  remedy: string,
  more: Pick<Finding, "part" | "unanswered"> = {},
): Finding {
  return { right: false, text, remedy, ...more };
}

/** Findings about one of an item's things. */
export function about(part: string, findings: readonly Finding[]): readonly Finding[] {
  return findings.map((finding) => ({ part, ...finding }));
}
