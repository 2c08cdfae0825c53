/** Machines that send through this host and are nobody's mailbox: printers, shops, monitoring. */
import { createHash, X509Certificate } from "node:crypto";
import { addressParts } from "../settings/names.ts";
import type { Settings } from "../settings/types.ts";

export interface TrustedHost {
  /** Its name in the stack file. */
  readonly name: string;
  /** Name of its restriction class in Postfix (RESTRICTION_CLASS_README). */
  readonly restrictions: string;
  /** Networks (CIDR) that it comes from. */
  readonly networks: readonly string[];
  /** Its public key as Postfix names it (`check_ccert_access` of postconf(5)); false where it shows no certificate. */
  readonly fingerprint: string | false;
  /** What it logs in as; false where it does not. */
  readonly login: string | false;
  /** What its password is called among the generated ones. */
  readonly passwordName: string;
  /** Addresses, and `@domain` for all of a domain. */
  readonly senders: readonly string[];
  /** Recipients in any 60 minutes; 0 is without a limit. */
  readonly limit: number;
}

/**
 * What rspamd hears of who is trusted for its address or certificate, where it hears the login of others: the milter's
 * `{auth_authen}`. A login is a full address, so nobody can have this one.
 */
export const TRUSTED_HOST = "trusted-host";

export function trustedHosts({
  hostname,
  options,
}: Pick<Settings, "hostname" | "options">): readonly TrustedHost[] {
  return Object.entries(options.trustedHosts).map(
    ([name, { networks, certificate, login, senders, limit }]) => ({
      name,
      restrictions: `trusted_${name.replaceAll("-", "_")}`,
      networks,
      fingerprint: certificate !== undefined && fingerprint(certificate),
      login: login && `${name}@${hostname}`,
      passwordName: `trusted-host-${name}`,
      senders,
      limit: limit ?? options.outgoingLimit,
    }),
  );
}

/** SHA-256 of a certificate's public key, which stays when the certificate is renewed with its key. */
function fingerprint(certificate: string): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
  const digest = createHash("sha256").update(key).digest("hex").toUpperCase();
  return digest.match(/../g)?.join(":") ?? "";
}

/** What Postfix compares a sender's address with (pcre_table(5)). A tag (`printer+2@`) is the address's own. */
export function senderPattern(sender: string): string {
  const { local, domain } = addressParts(sender);
  const literally = (text: string) => text.replace(/[^A-Za-z0-9_@-]/g, "\\$&");
  return local === "" ? `@${literally(domain)}$` : `^${literally(local)}(\\+[^@]*)?@${literally(domain)}$`;
}

/** Whether anybody is held to a number of recipients an hour. */
export function limitsSenders(settings: Pick<Settings, "hostname" | "options">): boolean {
  return settings.options.outgoingLimit > 0 || trustedHosts(settings).some(({ limit }) => limit > 0);
}
