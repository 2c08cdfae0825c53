import type { Settings } from "../settings/types.ts";
import { hostPorts } from "./ports.ts";
import { accounts } from "./services/accounts.ts";
import { aliases } from "./services/aliases.ts";
import { base } from "./services/base.ts";
import { certbot } from "./services/certbot.ts";
import { dovecot } from "./services/dovecot.ts";
import { nftables } from "./services/nftables.ts";
import { postfix } from "./services/postfix.ts";
import { redis } from "./services/redis.ts";
import { rspamd } from "./services/rspamd.ts";
import { sshd } from "./services/sshd.ts";
import { storage } from "./services/storage.ts";
import { tls } from "./services/tls.ts";
import { unbound } from "./services/unbound.ts";
import type { Bundle } from "./types.ts";

/** Everything that runs on the host, a line a service, each after those it waits for. */
const services: readonly ((settings: Settings) => Bundle)[] = [
  storage,
  base,
  sshd,
  unbound,
  tls,
  certbot,
  redis,
  aliases,
  accounts,
  rspamd,
  dovecot,
  postfix,
];

/** What the host needs, service by service: each stands after those that it names in `after`. */
export function hostBundles(settings: Settings): readonly Bundle[] {
  const bundles = services.map((service) => service(settings));
  return [...bundles, nftables(hostPorts(bundles))];
}

/** Packages of all services, for one transaction. */
export function hostPackages(bundles: readonly Bundle[]): string[] {
  return [...new Set(bundles.flatMap((bundle) => bundle.packages))].toSorted();
}
