import { createHash } from "node:crypto";
import type { Settings } from "../settings/types.ts";
import { render } from "./template.ts";

/**
 * How long senders keep a policy, in seconds. What they keep of a strict one has to outlive an attack that keeps them from
 * seeing it again (RFC 8461 section 10.2); what they keep of a trial should be forgotten soon.
 */
const maxAge = { none: 86_400, testing: 86_400, enforce: 30 * 86_400 } as const;

export type MtaStsMode = keyof typeof maxAge;

/** The policy's text (RFC 8461 section 3.2). */
export function mtaStsPolicy(
  mode: MtaStsMode,
  { hostname, options: { secondMx } }: Pick<Settings, "hostname" | "options">,
): string {
  return render("cloudflare/mta-sts.txt", { mode, hosts: [hostname, ...secondMx], maxAge: maxAge[mode] });
}

/** What its TXT record says: up to 32 letters and digits, another one for each policy (RFC 8461 section 3.1). */
export function mtaStsRecord(mode: MtaStsMode, settings: Pick<Settings, "hostname" | "options">): string {
  const id = createHash("sha256").update(mtaStsPolicy(mode, settings)).digest("hex").slice(0, 20);
  return `v=STSv1; id=${id}`;
}
