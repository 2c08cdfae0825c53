import type { Settings } from "../settings/types.ts";
import { domainOfHost } from "./dkim.ts";
import { firstPair, type KeyRotation, type KeyState } from "./rotation.ts";

/** An SSH host key, or one that is going to be (RFC 4253 section 7). */
export interface HostKey {
  readonly generation: string;
  readonly state: KeyState;
}

/** The name by which they take turns. No name of mail is without a dot. */
export const HOST_KEY = "ssh";

/**
 * The host's SSH keys, of which one is in use.
 * @param rotation those that it has; without a word of them the one that it begins with
 */
export function hostKeys(settings: Settings, rotation: KeyRotation): readonly HostKey[] {
  const pairs = rotation[HOST_KEY] ?? [firstPair(domainOfHost(settings).since)];
  return pairs.map(({ generation, state }) => ({ generation, state }));
}
