/** How mail goes through the relay of `options/relay.ts`. */
import type { Settings } from "../settings/types.ts";
import { sesEndpoint } from "./ses.ts";

/** The relay's name and our login there: for root alone. */
export const relayLogin = "/etc/postfix/relay-login";
/** Who signed the relay's certificate. */
export const relayAuthority = "/etc/postfix/relay-ca.pem";

/** What Postfix's files say of the relay. */
export interface RelayRoute {
  readonly name: string;
  readonly port: number;
  /** Transport and next hop, as in transport(5). */
  readonly to: string;
  /** TLS from the first byte instead of STARTTLS. */
  readonly wrapped: boolean;
  /** Path of the CA's certificate, or false. */
  readonly authority: string | false;
  readonly login: string;
  /** Whether it is Amazon SES, which signs by itself. */
  readonly ses: boolean;
  /** Whether everything goes through it; else it is the mail of `domains` alone. */
  readonly all: boolean;
  readonly domains: readonly string[];
}

/** The relay's name and port, whether mail goes there already or not; undefined where there is none. */
export function relayAddress(
  settings: Settings,
): { readonly name: string; readonly port: number } | undefined {
  const { host, port } = settings.options.relay;
  if (host === undefined) return undefined;
  return { name: host === "ses" ? sesEndpoint(settings.region) : host, port };
}

/** How mail goes through the relay; undefined where none does. */
export function relayRoute(settings: Settings): RelayRoute | undefined {
  const { host, use, domains, caCertificate } = settings.options.relay;
  const address = relayAddress(settings);
  if (address === undefined || !use) return undefined;
  const { name, port } = address;
  const ses = host === "ses";
  return {
    name,
    port,
    to: `smarthost:[${name}]:${port}`,
    wrapped: port === 465,
    authority: caCertificate === undefined ? false : relayAuthority,
    login: relayLogin,
    ses,
    // SES takes what its customer's own domains write, and nothing else.
    all: domains === undefined && !ses,
    domains: domains ?? (ses ? settings.domains.map((domain) => domain.name) : []),
  };
}

/** Whether the mail that a domain's people write goes through the relay. */
export function isRelayed(route: RelayRoute | undefined, domain: string): route is RelayRoute {
  return route !== undefined && (route.all || route.domains.includes(domain));
}

/** Mechanisms by which the SPF record of a name of ours names the relay. */
export function relaySpf(settings: Settings, name: string): readonly string[] {
  const { host, spf = [], domains } = settings.options.relay;
  const isSent = host !== undefined && (domains === undefined || domains.includes(name));
  return isSent ? spf : [];
}
