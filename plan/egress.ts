import type { Settings } from "../settings/types.ts";
import { dailyWays } from "./dailyCheck.ts";
import { dnsChallenge } from "./dnsChallenge.ts";
import { nameserver } from "./nameserver.ts";
import { relayAddress } from "./relay.ts";

/** Where the host's own connections go. */
export interface Exit {
  readonly protocol: "tcp" | "udp";
  readonly ports: readonly number[];
  /** System users whose processes may, beside root. */
  readonly users: readonly string[];
  /** A sentence of at most 255 characters, without apostrophes: EC2 takes none in a rule's description. */
  readonly why: string;
}

/**
 * Everything that a host needs of the world, where `mailhost:egress` restricts it to that; undefined where it may go
 * everywhere. The one list that security group and host firewall derive from. DHCP, the instance metadata service and
 * time at its link-local address need no rule of a security group (AWS documentation, "Security group rules").
 */
export function hostExits(settings: Settings): readonly Exit[] | undefined {
  const { options, acme } = settings;
  if (options.egress === "open") return undefined;
  const relay = relayAddress(settings);
  const web = [80, 443];
  const directory = new URL(acme.directory);
  const acmePort = Number(directory.port || (directory.protocol === "http:" ? 80 : 443));
  const hook = dailyWays(settings)?.webhook;
  const webhook = hook === undefined ? undefined : Number(new URL(hook).port || 443);
  // A nameserver tells its secondaries of changes.
  const dns = ["unbound", ...(nameserver(settings) === undefined ? [] : ["knot"])];
  const answerTo = dnsChallenge(settings)?.port;
  const mail = [25, ...(relay === undefined || relay.port === 25 ? [] : [relay.port])];
  return [
    { protocol: "tcp", ports: mail, users: ["postfix"], why: "Mail to other servers" },
    { protocol: "udp", ports: [53], users: dns, why: "Questions to the DNS" },
    { protocol: "tcp", ports: [53], users: dns, why: "Questions to the DNS whose answers are long" },
    {
      protocol: "tcp",
      ports: web,
      users: ["_apt", "_rspamd", ...(options.clamav ? ["clamav"] : [])],
      why: `Packages, and the lists of rspamd${options.clamav ? " and ClamAV" : ""}`,
    },
    {
      protocol: "udp",
      ports: [11335],
      users: ["_rspamd"],
      why: "Fingerprints of spam that others have seen",
    },
    ...(webhook === undefined || web.includes(webhook)
      ? []
      : [{ protocol: "tcp" as const, ports: [webhook], users: [], why: "What the daily check tells" }]),
    { protocol: "udp", ports: [123], users: ["systemd-timesync"], why: "The time (NTP)" },
    ...(answerTo === undefined || answerTo === 53
      ? []
      : [
          {
            protocol: "tcp" as const,
            ports: [answerTo],
            users: [],
            why: "Answers for the certificate authority, to the nameserver that takes them",
          },
        ]),
    ...(web.includes(acmePort)
      ? []
      : [{ protocol: "tcp" as const, ports: [acmePort], users: [], why: "The certificate authority" }]),
  ];
}
