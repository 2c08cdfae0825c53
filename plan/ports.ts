import type { Bundle, Port } from "./types.ts";

/**
 * Every listening port of these bundles, by number: the one list that security group, host firewall, docs and
 * checks derive from.
 *
 * @throws Error where two bundles claim the same port.
 */
export function hostPorts(bundles: readonly Bundle[]): readonly Port[] {
  const ports = bundles.flatMap((bundle) => bundle.ports);
  const owners = new Map<string, string>();
  for (const { name, ports } of bundles)
    for (const { number, protocol } of ports) {
      const key = `${number}/${protocol}`;
      const other = owners.get(key);
      if (other !== undefined) throw new Error(`bundles ${other} and ${name} both listen on ${key}`);
      owners.set(key, name);
    }
  return ports.toSorted((a, b) => a.number - b.number || a.protocol.localeCompare(b.protocol));
}
