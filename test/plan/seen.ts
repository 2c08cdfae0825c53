import type { Seen } from "../../plan/turns.ts";

/** Every record is seen by everybody, and the host is seen to have done what it was told. */
export const allSeen: Seen = { isSeen: () => true, isUnused: () => true };

/** Nobody has shown anything. */
export const nothingSeen: Seen = { isSeen: () => false, isUnused: () => false };
