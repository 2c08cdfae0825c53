import { bundle, file, unit } from "../bundle.ts";
import type { Bundle, Port } from "../types.ts";

const rules = "/etc/nftables.conf";

/**
 * The host's own firewall, from the same list of ports as the security group. SSH alone is open to everybody here:
 * these rules are changed over SSH, so they cannot be what keeps out an operator whose address has changed.
 */
export function nftables(ports: readonly Port[]): Bundle {
  return bundle({
    name: "nftables",
    why: "Lets in the plan's ports, and nothing else.",
    packages: ["nftables"],
    files: [file(rules, { rates: ports.some(isSsh), ports: ports.map(rule) }, { mode: "0755" })],
    validate: [`nft -c -f ${rules}`],
    units: [unit("nftables.service", { reload: [rules] })],
    // Its first start puts back every change that is not confirmed yet (mailhost-rollback.service).
    after: ["base"],
    confirm: true,
  });
}

function rule(port: Port) {
  const { name, number, protocol, why } = port;
  const from = isSsh(port) ? "anywhere" : port.from;
  const anywhere = from === "anywhere";
  const networks = anywhere ? [] : from;
  return {
    number,
    protocol,
    why: `${name}: ${why}`,
    ssh: isSsh(port),
    anywhere,
    v4: networks.filter((network) => !network.includes(":")).join(", "),
    v6: networks.filter((network) => network.includes(":")).join(", "),
  };
}

function isSsh(port: Port): boolean {
  return port.name === "ssh";
}
