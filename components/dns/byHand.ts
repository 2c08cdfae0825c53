import type { Keeper } from "./keeper.ts";

/** Somebody puts the records in by hand: `stack output dnsZoneFiles` shows them, and nothing is touched. */
export const byHand: Keeper = () => new Map();
