import { brought } from "../options/list.ts";
import type { Settings } from "../settings/types.ts";
import { manifests } from "./manifests.ts";
import { hostPorts } from "./ports.ts";
import type { KeyRotation } from "./rotation.ts";
import { accounts } from "./services/accounts.ts";
import { aliases } from "./services/aliases.ts";
import { base } from "./services/base.ts";
import { certbot } from "./services/certbot.ts";
import { dovecot } from "./services/dovecot.ts";
import { hardening } from "./services/hardening.ts";
import { nftables } from "./services/nftables.ts";
import { patterns } from "./services/patterns.ts";
import { postfix } from "./services/postfix.ts";
import { redis } from "./services/redis.ts";
import { rspamd } from "./services/rspamd.ts";
import { sshd } from "./services/sshd.ts";
import { storage } from "./services/storage.ts";
import { tls } from "./services/tls.ts";
import { unbound } from "./services/unbound.ts";
import type { Bundle } from "./types.ts";

/** Everything that runs on the host, a line a service, each after those it waits for. */
const services: readonly ((settings: Settings, rotation: KeyRotation) => Bundle)[] = [
  storage,
  base,
  hardening,
  sshd,
  patterns,
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

/**
 * What the host needs, service by service: each stands after those that it names in `after`.
 * @param rotation the keys' state. @default that in which a stack begins
 */
export function hostBundles(settings: Settings, rotation: KeyRotation = {}): readonly Bundle[] {
  const chosen = brought(settings, (option, value) => option.bundles?.(value, settings));
  const bundles = inOrder([...services.map((service) => service(settings, rotation)), ...chosen]);
  return [...bundles, nftables(hostPorts(bundles))];
}

/** Each after those that it names in `after`; else as they stand. @throws Error where they wait for each other */
function inOrder(bundles: readonly Bundle[]): readonly Bundle[] {
  const names = new Set(bundles.map(({ name }) => name));
  const placed = new Map<string, Bundle>();
  const isReady = (bundle: Bundle) => bundle.after.every((name) => placed.has(name) || !names.has(name));
  while (placed.size < bundles.length) {
    const next = bundles.find((bundle) => !placed.has(bundle.name) && isReady(bundle));
    if (next === undefined) {
      const stuck = bundles.filter(({ name }) => !placed.has(name)).map(({ name }) => name);
      throw new Error(`bundles ${stuck.join(", ")} wait for each other, or one name stands twice`);
    }
    placed.set(next.name, next);
  }
  return [...placed.values()];
}

/** What the host's sweep keeps, as its program reads it: the keys of the bundles' manifests. */
export function sweepKeys(bundles: readonly Bundle[]): string {
  const keys = bundles.flatMap(manifests).map(({ name }) => name);
  return `bundles: ${keys.join(" ")}\n`;
}

/** Packages of all services, for one transaction. */
export function hostPackages(bundles: readonly Bundle[]): string[] {
  return [...new Set(bundles.flatMap((bundle) => bundle.packages))].toSorted();
}
