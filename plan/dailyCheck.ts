import type { Settings } from "../settings/types.ts";
import type { DkimSelector } from "./dkim.ts";
import type { BundleOutline } from "./manifests.ts";
import type { Bundle, DnsRecord, Facts } from "./types.ts";

/** Where the host reads what it is to look at. */
export const dailyCheckFile = "/etc/mailhost/daily-check.json";

/** Stands in records for the URL of the host's account at its certificate authority: there the host finds that itself. */
export const ACME_ACCOUNT = "%ACME_ACCOUNT%";

/** Where else than to the owner the host's own check tells what it sees; undefined where the host has none. */
export function dailyWays({
  options: { dailyCheck },
}: Settings): { readonly to?: string | undefined; readonly webhook?: string | undefined } | undefined {
  if (dailyCheck === false) return undefined;
  return dailyCheck === true ? {} : dailyCheck;
}

/** What the host's own check is told: of the stack all that is no secret, and where else it tells what it sees. */
export interface DailyCheck {
  readonly stack: string;
  /** Without any password, hash or passphrase. */
  readonly settings: Settings;
  readonly facts: Facts;
  readonly records: readonly (Omit<DnsRecord, "content" | "why"> & { readonly content: string })[];
  readonly bundles: readonly (BundleOutline & Pick<Bundle, "ports" | "confirm">)[];
  readonly dkim: readonly DkimSelector[];
  readonly ds: Readonly<Record<string, string>>;
  /** An address elsewhere. */
  readonly to?: string | undefined;
  /** Secret: whoever knows it can write there. */
  readonly webhook?: string | undefined;
}
