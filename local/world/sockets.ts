import { type ChildProcess, spawn } from "node:child_process";
import type { Socket as UdpSocket } from "node:dgram";
import type { Server } from "node:net";
import { fileURLToPath } from "node:url";
import { inside } from "./network.ts";

const opener = fileURLToPath(new URL("./socketOpener.ts", import.meta.url));

/** A listening TCP socket of this process in another network namespace. */
export async function listenInside(namespace: string, address: string, port: number): Promise<Server> {
  return (await open(namespace, "tcp", address, port)) as Server;
}

/** A bound UDP socket of this process in another network namespace. */
export async function bindInside(namespace: string, address: string, port: number): Promise<UdpSocket> {
  return (await open(namespace, "udp", address, port)) as UdpSocket;
}

function open(namespace: string, kind: string, address: string, port: number): Promise<unknown> {
  const [file, args] = inside(namespace, [process.execPath, opener, kind, address, String(port)]);
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(file, args, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    let words = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      words += text;
    });
    child.on("message", (_message, handle) => {
      resolve(handle);
      child.disconnect();
    });
    child.on("error", reject);
    child.on("exit", () =>
      reject(new Error(`No socket at ${address}:${port} in ${namespace}: ${words.trim()}`)),
    );
  });
}
