import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask } from "../../dns/client.ts";
import type { Dns } from "./dns.ts";
import type { Network } from "./network.ts";
import type { Service } from "./supervisor.ts";

/** Port, on the router's loopback, behind which this machine's own resolver is. */
export const forwarderPort = 5353;

/** The resolver that outsiders use: validates down from the small internet's root. */
export function publicResolver(network: Network, folder: string): Service {
  const { resolver } = network.addresses;
  const conf = `server:
${common(folder)}
  interface: ${resolver}
  access-control: 0.0.0.0/0 allow
  module-config: "validator iterator"
  root-hints: "${join(folder, "root.hints")}"
  trust-anchor-file: "${join(folder, "root.anchor")}"
  infra-host-ttl: 5
${control(folder, "resolver")}`;
  return unbound("resolver", network.internet, conf, folder, async () => {
    const answer = await ask(resolver, "example.org", "SOA").catch(() => undefined);
    return answer?.rcode === "NOERROR" && answer.authentic;
  });
}

/** The resolver of the machines, as at each VPC's second address: the small internet, and this machine's view of the rest. */
export function vpcResolver(network: Network, dns: Dns, folder: string): Service {
  const conf = `server:
${common(folder)}
  interface: 0.0.0.0
  # Answers leave with the address that was asked.
  interface-automatic: yes
  access-control: 0.0.0.0/0 allow
  module-config: "iterator"
  do-not-query-localhost: no
${control(folder, "vpc-resolver")}${dns
  .stubs()
  .map(({ zone, server }) => `stub-zone:\n  name: "${zone}"\n  stub-addr: ${server}\n`)
  .join("")}forward-zone:
  name: "."
  forward-addr: 127.0.0.1@${forwarderPort}
`;
  // It has no address that this machine reaches; that it listens is all there is to wait for.
  return unbound("vpc-resolver", network.router, conf, folder, async () => {
    const answer = await ask(`198.18.${network.slot}.10`, "example.org", "SOA").catch(() => undefined);
    return answer?.rcode === "NOERROR";
  });
}

function unbound(
  name: string,
  namespace: string,
  text: string,
  folder: string,
  ready: Service["ready"],
): Service {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const conf = join(folder, `${name}.conf`);
  writeFileSync(conf, text);
  return {
    name,
    namespace,
    command: ["unbound", "-d", "-c", conf],
    cwd: folder,
    log: join(folder, `${name}.log`),
    ready,
  };
}

function common(folder: string): string {
  return `  directory: "${folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  do-ip6: no
  # What somebody else asked for shall not decide what another sees.
  aggressive-nsec: no
  cache-max-ttl: 60
  cache-max-negative-ttl: 1
  num-threads: 1`;
}

function control(folder: string, name: string): string {
  return `remote-control:
  control-enable: yes
  control-interface: "${join(folder, `${name}.sock`)}"
  control-use-cert: no
`;
}
