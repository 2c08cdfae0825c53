import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { encode } from "dns-packet";
import ipaddr from "ipaddr.js";
import type { Port } from "../../plan/types.ts";
import { applyAgain } from "../again.ts";
import type { HostUnderCheck, Item } from "../host.ts";
import { connected } from "../smtp.ts";
import { about, type Finding, leftOut, right, wrong } from "../types.ts";

/** Ports that people find open where they should not be: what the host's daemons and their neighbours use. */
const common = [
  21, 22, 23, 25, 53, 80, 110, 111, 143, 443, 465, 587, 853, 873, 953, 993, 995, 2049, 3000, 3128, 3306, 3310,
  4190, 5000, 5432, 6379, 8000, 8080, 8443, 8891, 8953, 9000, 9090, 9100, 10001, 10025, 11211, 11332, 11333,
  11334, 11335, 12340, 12345, 24, 27017,
];

/** Milliseconds: longer than the second try of a SYN (one second, RFC 6298). */
const patience = 2500;

/** RFC 1035 section 4.1.1. */
const REFUSED = 5;

type Door = "open" | "refused" | "silent";

/** The plan's ports are open from here, and no others. On the host itself no firewall is on the way: there it is that somebody listens. */
export const ports: Item = {
  name: "ports",
  group: "Ports",
  async look(host) {
    const { publicIpv6 } = host.target.facts;
    if (host.from.isHere) return await listening(host);
    const here = await portsAt(host, host.from.at, "");
    if (publicIpv6 === undefined) return here;
    return [
      ...here,
      ...((await hasWayTo(publicIpv6))
        ? await portsAt(host, publicIpv6, " over IPv6")
        : [leftOut(`the ports over IPv6 (${publicIpv6}): this machine has no IPv6 of its own`)]),
    ];
  },
};

async function listening(host: HostUnderCheck): Promise<readonly Finding[]> {
  const open = host.ports.filter(({ protocol, from }) => protocol === "tcp" && from === "anywhere");
  const found = await Promise.all(
    open.map(async (port) => about(port.name, [await plannedPort(host, port, host.from.at, "")])),
  );
  return [...found.flat(), leftOut("which ports the world can reach: that is seen from outside alone")];
}

/** @param way follows the port's name where there are several ways to the host */
async function portsAt(host: HostUnderCheck, address: string, way: string): Promise<readonly Finding[]> {
  const planned = host.ports.filter(({ protocol }) => protocol === "tcp");
  const numbers = new Set(planned.map(({ number }) => number));
  const [open, others, resolver] = await Promise.all([
    Promise.all(planned.map(async (port) => about(port.name, [await plannedPort(host, port, address, way)]))),
    Promise.all(
      common
        .filter((number) => !numbers.has(number))
        .map(async (number) => ({ number, door: await knock(address, number) })),
    ),
    answersDns(address),
  ]);
  const surprising = others.filter(({ door }) => door === "open");
  const shut = surprising.length === 0 && !resolver;
  return [
    ...open.flat(),
    ...(shut ? [right(`${others.length} other common ports are closed${way}`)] : []),
    ...surprising.map(({ number }) =>
      wrong(
        `port ${number} is open${way}, and the plan does not have it`,
        `${firewalls(host)} Then see on the host what listens there: \`ss -tlnp\`.`,
        { part: String(number) },
      ),
    ),
    ...(resolver
      ? [
          wrong(
            `the host answers DNS questions of strangers (UDP port 53)${way}`,
            `${firewalls(host)} Of the resolver: ${applyAgain(host.target, "unbound")}.`,
            { part: "dns" },
          ),
        ]
      : []),
  ];
}

/** Whether this machine has a route to an address, and one of its own to come from: nothing is sent. */
function hasWayTo(ipv6: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket("udp6");
    const finish = (found: boolean) => {
      socket.close();
      resolve(found);
    };
    socket.on("error", () => finish(false));
    socket.connect(53, ipv6, () => finish(true));
  });
}

async function plannedPort(host: HostUnderCheck, port: Port, address: string, way: string): Promise<Finding> {
  const label = `port ${port.number} (${port.name})${way}`;
  const door = await knock(address, port.number);
  if (port.from !== "anywhere") {
    return address === host.from.at
      ? await restrictedPort(host, label, door, port.from)
      : restrictedOverIpv6(host, label, door, port.from);
  }
  if (door === "open") {
    return right(`${label} is open`);
  }
  if (port.name === "http" && door === "refused" && host.port("https") === undefined) {
    return right(`${label} is open, and idle: the certificate's renewal uses it`);
  }
  return wrong(
    `${label} ${door === "refused" ? "refuses connections" : "does not answer"}`,
    door === "refused"
      ? "The service is down: `npm run host -- systemctl --failed` names it."
      : `A firewall swallows it: this network's own (many block port 25), the security group, or the host's. Try from elsewhere. ${firewalls(host)}`,
    { unanswered: true },
  );
}

/** Whether we are among those it is open to, only the host can say: we may be behind a translated address. */
async function restrictedPort(
  host: HostUnderCheck,
  label: string,
  door: Door,
  networks: readonly string[],
): Promise<Finding> {
  if (door !== "open") {
    return host.from.inside === undefined
      ? right(`${label} is closed from here`)
      : wrong(
          `${label} is closed from here`,
          `Is the public address of this machine (\`curl https://checkip.amazonaws.com\`) in mailhost:ssh.from (${networks.join(", ")})? Write it there and run \`pulumi up\`, or check from there.`,
        );
  }
  const session = await host.session();
  const { stdout } = await session.run("echo $SSH_CONNECTION");
  const from = stdout.split(" ")[0] ?? "";
  return networks.some((network) => contains(network, from))
    ? right(`${label} is open to ${from}, which the plan allows`)
    : wrong(
        `${label} is open to ${from}, which the plan does not allow`,
        // The host's own rules let everybody knock here: who may come, the security group alone says.
        "The security group lets it in: `pulumi up` puts that as planned. If it changes nothing, look in AWS for another group on the machine.",
      );
}

/** Who we are to the host, its own login says, and that goes by IPv4: whether we may come is known where nobody may. */
function restrictedOverIpv6(
  host: HostUnderCheck,
  label: string,
  door: Door,
  networks: readonly string[],
): Finding {
  if (door !== "open") return right(`${label} is closed from here`);
  return networks.some((network) => isIPv6(network.split("/")[0] ?? ""))
    ? leftOut(`whether ${label} is open to those alone whom the plan allows: it is open from here`)
    : wrong(`${label} is open, and the plan has no IPv6 network for it`, firewalls(host));
}

/** The security group is looked at by every `up`, the host's own rules by none. */
function firewalls({ target }: HostUnderCheck): string {
  return `To put the security group as planned: \`pulumi up\`; the host's firewall: ${applyAgain(target, "nftables")}.`;
}

function contains(network: string, address: string): boolean {
  const parsed = ipaddr.process(address);
  const [base, bits] = ipaddr.parseCIDR(network);
  return parsed.kind() === base.kind() && parsed.match([base, bits]);
}

async function knock(address: string, port: number): Promise<Door> {
  try {
    (await connected(address, port, patience)).destroy();
    return "open";
  } catch (error) {
    return (error as Error).message.endsWith("refused") ? "refused" : "silent";
  }
}

/**
 * Asks for the root's servers; silence and an ICMP refusal are the right answers, and a DNS refusal is one too: that of a nameserver,
 * which answers for its own zones.
 */
function answersDns(address: string): Promise<boolean> {
  const question = encode({ type: "query", id: 1, questions: [{ type: "NS", name: "." }] });
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const finish = (answers: boolean) => {
      clearTimeout(timer);
      socket.close();
      resolve(answers);
    };
    const timer = setTimeout(() => finish(false), 1500);
    socket.on("error", () => finish(false));
    socket.on("message", (bytes) => finish((bytes.at(3) ?? 0) % 16 !== REFUSED));
    socket.connect(53, address, () => socket.send(question));
  });
}
