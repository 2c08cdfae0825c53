import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import type { Session } from "../ssh/session.ts";
import { HostUnderCheck } from "./host.ts";
import type { CheckTarget } from "./types.ts";

/**
 * The host as it sees itself, by root. Its ports are asked at an address of its own: its public one is on no interface of the
 * machine, and the way there and back leads past a port 25 that AWS may have closed.
 */
export async function fromHere(target: CheckTarget): Promise<HostUnderCheck> {
  return new HostUnderCheck(target, {
    at: await ownAddress(target.facts.publicIpv4),
    isHere: true,
    inside: async () => here,
  });
}

/** The address that this machine would come from to another one. Nothing is sent. */
function ownAddress(other: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.on("error", reject);
    socket.connect(53, other, () => {
      const { address } = socket.address();
      socket.close();
      resolve(address);
    });
  });
}

const here: Session = {
  run: (command, { input } = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn("sh", ["-c", command]);
      let [stdout, stderr] = ["", ""];
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
      });
      // A command may end without having read it.
      child.stdin.on("error", () => undefined);
      child.stdin.end(input);
      child.on("error", reject);
      child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
    }),
  close: () => undefined,
};
