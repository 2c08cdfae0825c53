/** How mail goes through the relay of `options/relay.ts`. */
import type { Settings } from "../settings/types.ts";

/** The relay's name and our login there: for root alone. */
export const relayLogin = "/etc/postfix/relay-login";
/** Who signed the relay's certificate. */
export const relayAuthority = "/etc/postfix/relay-ca.pem";

type Relay = Settings["options"]["relay"];

/** What Postfix's files say of the relay. */
export interface RelayRoute {
  /** Transport and next hop, as in transport(5). */
  readonly to: string;
  /** TLS from the first byte instead of STARTTLS. */
  readonly wrapped: boolean;
  /** Path of the CA's certificate, or false. */
  readonly authority: string | false;
  readonly login: string;
  /** Whether everything goes through it; else it is the mail of `domains` alone. */
  readonly all: boolean;
  readonly domains: readonly string[];
}

/** How mail goes through the relay; undefined where none does. */
export function relayRoute({ host, port, use, domains, caCertificate }: Relay): RelayRoute | undefined {
  if (host === undefined || !use) return undefined;
  return {
    to: `smarthost:[${host}]:${port}`,
    wrapped: port === 465,
    authority: caCertificate === undefined ? false : relayAuthority,
    login: relayLogin,
    all: domains === undefined,
    domains: domains ?? [],
  };
}

/** What the SPF record of a name of ours says of the relay: mechanisms, each with a blank in front. */
export function relaySpf({ host, spf = [], domains }: Relay, name: string): string {
  const isSent = host !== undefined && (domains === undefined || domains.includes(name));
  return isSent ? spf.map((mechanism) => ` ${mechanism}`).join("") : "";
}
