import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { connect, type Server } from "node:net";

/**
 * Hands DNS questions to this machine's own resolver, wherever that listens: systemd-resolved's 127.0.0.53 cannot be
 * reached from a namespace.
 */
export function forwardDns(udp: UdpSocket, tcp: Server): void {
  udp.on("message", (question, asker) => {
    const upstream = createSocket("udp4");
    const patience = setTimeout(() => upstream.close(), 4000);
    upstream.on("error", () => {});
    upstream.on("close", () => clearTimeout(patience));
    upstream.on("message", (answer) => {
      udp.send(answer, asker.port, asker.address);
      upstream.close();
    });
    upstream.send(question, 53, machineResolver());
  });
  tcp.on("connection", (socket) => {
    const upstream = connect(53, machineResolver());
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
      one.pipe(other);
    }
    socket.resume();
  });
}

/** The first IPv4 nameserver of resolv.conf(5); without one this machine itself, as the C library has it. */
function machineResolver(): string {
  const text = readFileSync("/etc/resolv.conf", "utf8");
  return /^nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/m.exec(text)?.[1] ?? "127.0.0.1";
}
