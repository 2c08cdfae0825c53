import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, tryRun } from "../run.ts";
import { type RulesetState, renderRuleset } from "./ruleset.ts";

/** The root namespace's address towards every cloud (RFC 5737): what the stack file opens port 22 to. */
export const operatorAddress = "203.0.113.1";

/**
 * One cloud's network. Two namespaces: the *internet* (`mh<slot>`, where DNS, ACME, the package mirror and the other
 * side live) and the *router* of the private side (`mh<slot>v`, where the machines' cables end).
 *
 *     this machine ── mh<slot> ┬ internet ── vpc | inet ┬ router ── ve-… ── machine
 *     203.0.113.1              └ .1 … .9, .11 … .13     └ .10
 */
export interface Network {
  readonly slot: number;
  readonly internet: string;
  readonly router: string;
  /** Names of the fixed addresses in the public range. */
  readonly addresses: PublicAddresses;
  /** What may be given out as elastic IPs. */
  readonly pool: readonly string[];
}

export interface PublicAddresses {
  readonly root: string;
  readonly tld: string;
  readonly nameservers: readonly [string, string];
  readonly resolver: string;
  readonly mirror: string;
  readonly peer: string;
  readonly acme: string;
  /** Of Cloudflare's network, where it proxies. */
  readonly edge: string;
  /** The other side's relay for customers. */
  readonly smarthost: string;
  /** Amazon SES. */
  readonly ses: string;
}

/** The plan of a slot's addresses (198.18.0.0/15 is for tests of networks, RFC 2544). */
export function networkOf(slot: number): Network {
  const at = (host: number) => `198.18.${slot}.${host}`;
  return {
    slot,
    internet: `mh${slot}`,
    router: `mh${slot}v`,
    addresses: {
      root: at(2),
      tld: at(3),
      nameservers: [at(4), at(5)],
      resolver: at(6),
      mirror: at(7),
      peer: at(8),
      acme: at(9),
      // .10 is the router's.
      edge: at(11),
      smarthost: at(12),
      ses: at(13),
    },
    pool: Array.from({ length: 224 }, (_, index) => at(16 + index)),
  };
}

/** Wraps a command so that it runs in a namespace. `ip netns exec` would mount /sys anew, which nspawn cannot bear. */
export function inside(namespace: string, command: readonly string[]): [string, string[]] {
  return ["nsenter", [`--net=/run/netns/${namespace}`, "--", ...command]];
}

export async function runInside(
  namespace: string,
  command: readonly string[],
  input?: string,
): Promise<string> {
  const [file, args] = inside(namespace, command);
  return await run(file, args, input === undefined ? {} : { input });
}

/** Makes all of it, after taking away what an earlier life left. */
export async function raiseNetwork(network: Network, owner: string): Promise<void> {
  await razeNetwork(network, owner);
  const { slot, internet, router } = network;
  const veth = internet;
  await run("nft", ["-f", "-"], { input: outsideTable(network, mark(owner)) });
  await run("ip", ["netns", "add", internet]);
  await run("ip", ["netns", "add", router]);
  await run("ip", ["-batch", "-"], {
    input: `link add ${veth} type veth peer name outside netns ${internet}
address add ${operatorAddress}/32 dev ${veth}
link set ${veth} up
`,
  });
  await runInside(
    internet,
    ["ip", "-batch", "-"],
    `link set lo up
link set outside up
address add 198.18.${slot}.1/32 dev outside
${Object.values(network.addresses)
  .flat()
  .map((address) => `address add ${address}/32 dev lo`)
  .join("\n")}
route add ${operatorAddress} dev outside src 198.18.${slot}.1
route add default via ${operatorAddress} dev outside src 198.18.${slot}.1
link add vpc type veth peer name inet netns ${router}
link set vpc up
route add 198.18.${slot}.10 dev vpc src 198.18.${slot}.1
route add 198.18.${slot}.0/24 via 198.18.${slot}.10 dev vpc src 198.18.${slot}.1
`,
  );
  await runInside(
    router,
    ["ip", "-batch", "-"],
    `link set lo up
link set inet up
address add 198.18.${slot}.10/32 dev inet
route add 198.18.${slot}.1 dev inet src 198.18.${slot}.10
route add default via 198.18.${slot}.1 dev inet src 198.18.${slot}.10
`,
  );
  // Last: from here on the public range leads somewhere.
  await run("ip", ["-batch", "-"], {
    input: `route replace 198.18.${slot}.1 dev ${veth} src ${operatorAddress}
route replace 198.18.${slot}.0/24 via 198.18.${slot}.1 dev ${veth} src ${operatorAddress}
`,
  });
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  const settings = [
    "net.ipv4.ip_forward=1",
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
  ];
  await runInside(internet, ["sysctl", "-qw", ...settings]);
  await runInside(router, [
    "sysctl",
    "-qw",
    ...settings,
    // Machines of one subnet meet at the router, where the packet filter is, and not on a common wire.
    "net.ipv4.conf.default.proxy_arp=1",
    "net.ipv4.conf.default.send_redirects=0",
    "net.ipv4.conf.all.send_redirects=0",
  ]);
  await applyRuleset(network, { machines: [], addresses: {}, port25Blocked: false });
}

/** Takes away every device, route, rule and namespace of the slot. @throws where the slot is another cloud's */
export async function razeNetwork(network: Network, owner: string): Promise<void> {
  const present = await slotOwner(network.slot);
  if (present !== undefined && present !== mark(owner)) throw new SlotTaken(network.slot, present);
  for (const namespace of [network.router, network.internet]) {
    if (existsSync(`/run/netns/${namespace}`)) await run("ip", ["netns", "delete", namespace]);
  }
  // The cable goes with the namespace, but in its own time.
  await tryRun("ip", ["link", "delete", network.internet]);
  if (present !== undefined) await run("nft", ["delete", "table", "inet", network.internet]);
}

export class SlotTaken extends Error {
  constructor(slot: number, owner: string) {
    super(
      `Network ${slot} of this machine is in use by the local cloud in ${owner}: stop that one first (npm stop in its checkout).`,
    );
  }
}

/** Replaces the whole packet filter of the private side. */
export async function applyRuleset(network: Network, state: RulesetState): Promise<void> {
  await runInside(network.router, ["nft", "-f", "-"], renderRuleset(state));
}

/** Joins a machine's cable, which nspawn laid, to the router. */
export async function connectMachine(
  network: Network,
  machine: { readonly link: string; readonly privateIpv4: string; readonly gateway: string },
): Promise<void> {
  await runInside(
    network.router,
    ["ip", "-batch", "-"],
    `link set ${machine.link} up
address replace ${machine.gateway}/32 dev ${machine.link}
address replace ${resolverOf(machine.gateway)}/32 dev ${machine.link}
route replace ${machine.privateIpv4}/32 dev ${machine.link} src ${machine.gateway}
`,
  );
}

/** Second address of a subnet, where AWS keeps the resolver. */
export function resolverOf(gateway: string): string {
  const parts = gateway.split(".").map(Number);
  return [...parts.slice(0, 3), (parts[3] ?? 0) + 1].join(".");
}

export async function hasLink(network: Network, link: string): Promise<boolean> {
  const [file, args] = inside(network.router, ["ip", "-brief", "link", "show", "dev", link]);
  return (await tryRun(file, args)) !== undefined;
}

/**
 * In this machine's own namespace: the way out for the cloud, none to other clouds, and a mark that says whose the
 * slot is.
 */
function outsideTable(network: Network, owner: string): string {
  return `table inet ${network.internet} {
  comment "${owner}"
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "${network.internet}" oifname "mh*" drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    iifname "${network.internet}" oifname != "mh*" masquerade
  }
}
`;
}

/** The kernel keeps 128 bytes of a comment. */
function mark(owner: string): string {
  return owner.length <= 120 ? owner : `…${owner.slice(-100)}`;
}

/** Mark of the cloud whose network is up in this slot. */
async function slotOwner(slot: number): Promise<string | undefined> {
  // The JSON output of older versions leaves the comment out.
  const listing = await tryRun("nft", ["list", "table", "inet", `mh${slot}`]);
  return listing === undefined ? undefined : (/^\s*comment "(.*)"$/m.exec(listing)?.[1] ?? "");
}

/**
 * The slot of the cloud in `folder`: the one it has, or a free one, which is its own from then on, since its public
 * addresses are in the stack's state.
 */
export async function claimSlot(folder: string, slotFile: string, home: string): Promise<number> {
  if (existsSync(slotFile)) return Number(readFileSync(slotFile, "utf8"));
  const claims = join(home, "slots");
  mkdirSync(claims, { recursive: true });
  // Clouds of other users and homes are not in `claims`; where a path starts its search keeps most of them apart.
  const first = createHash("sha256").update(folder).digest()[0] ?? 0;
  for (let step = 0; step < 256; step += 1) {
    const slot = (first + step) % 256;
    if (existsSync(`/run/netns/mh${slot}`) || (await slotOwner(slot)) !== undefined) continue;
    try {
      writeFileSync(join(claims, String(slot)), folder, { flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      if (existsSync(readFileSync(join(claims, String(slot)), "utf8"))) continue;
      // Its cloud's folder is gone: nobody's.
      writeFileSync(join(claims, String(slot)), folder);
    }
    writeFileSync(slotFile, String(slot));
    return slot;
  }
  throw new Error(
    "All 256 networks for local clouds are taken: destroy one (npm run destroy in its checkout).",
  );
}

export function releaseSlot(slot: number, home: string): void {
  rmSync(join(home, "slots", String(slot)), { force: true });
}
