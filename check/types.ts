import type { DkimSelector } from "../plan/dkim.ts";
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
  readonly records: readonly DnsRecord[];
  /** What the plan has on the host; ports are found by name (`smtp`, `submissions`, `submission`, `imaps`). */
  readonly bundles: readonly (Pick<Bundle, "name" | "units" | "ports"> &
    Partial<Pick<Bundle, "files" | "secretFiles" | "confirm">>)[];
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
  /** A login on the host; without it what is inside is not looked at. */
  readonly ssh?: SshAccess;
  /** A mail server elsewhere that judges our mail; without it a message is sent in a loop and judged here. */
  readonly otherSide?: OtherSide;
}

/** What people read it under, in this order: what is inside explains what is seen from outside. */
export const groups = ["Inside the host", "Names", "Ports", "Encryption", "Rules", "Mail"] as const;

/** One line of the result. */
export interface Finding {
  readonly right: boolean;
  /** What is so, in plain words. */
  readonly text: string;
  /** What to do next; only where it is wrong. */
  readonly remedy?: string;
  /** The unit that it says is down. */
  readonly down?: string;
  /** Nothing is wrong, and nothing was seen either: what the check has no means to look at. */
  readonly leftOut?: true;
}

export interface CheckResult extends Finding {
  readonly group: (typeof groups)[number];
  /** The item that found it. */
  readonly item: string;
  /** The unit that is down and brings this with it. */
  readonly cause?: string;
}

export function right(text: string): Finding {
  return { right: true, text };
}

/** @param text what was not looked at, and why */
export function leftOut(text: string): Finding {
  return { right: true, text, leftOut: true };
}

export function wrong(text: string, remedy: string): Finding {
  return { right: false, text, remedy };
}
