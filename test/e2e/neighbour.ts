/**
 * Other machines of the host's network, with addresses of their own: no security group stands between them and the
 * host, so that its own guards are all there is.
 */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { connect as connectTls } from "node:tls";
import { networkOf, runInside } from "../../local/world/network.ts";

/** What one connection says: before each answer, the beginning of the line that it waits for. */
export interface Talk {
  /** The neighbour's address. */
  readonly from: string;
  readonly to: string;
  readonly port: number;
  /** From the first byte on. */
  readonly tls: boolean;
  readonly steps: readonly (readonly [waitFor: string, say: string])[];
  /** The beginning of the line that ends it. */
  readonly until: string;
}

/** The last octet of a neighbour's address, in a cloud's range; none of these is given out as an elastic IP. */
export async function withNeighbours(
  slot: number,
  octets: readonly number[],
  body: (addresses: readonly string[]) => Promise<void>,
): Promise<void> {
  const { router } = networkOf(slot);
  const addresses = octets.map((octet) => `198.18.${slot}.${octet}`);
  for (const address of addresses)
    await runInside(router, ["ip", "address", "add", `${address}/32`, "dev", "lo"]);
  try {
    await body(addresses);
  } finally {
    for (const address of addresses)
      await runInside(router, ["ip", "address", "del", `${address}/32`, "dev", "lo"]);
  }
}

/** Runs a command as a neighbour. @throws where it fails, with what it said */
export function asNeighbour(slot: number, command: readonly string[]): Promise<string> {
  return runInside(networkOf(slot).router, command);
}

/**
 * Talks at the same time: the last line of each, or `undefined` where no connection comes about within two seconds, or
 * it is closed or silent for five.
 */
export async function talks(slot: number, orders: readonly Talk[]): Promise<readonly (string | undefined)[]> {
  const said = await asNeighbour(slot, [process.execPath, import.meta.filename, JSON.stringify(orders)]);
  return (JSON.parse(said) as (string | null)[]).map((line) => line ?? undefined);
}

async function converse({ from, to, port, tls, steps, until }: Talk): Promise<string> {
  const plain = connect({ host: to, port, localAddress: from });
  const late = setTimeout(() => plain.destroy(new Error("no connection")), 2000);
  await new Promise<void>((resolve, reject) => plain.once("connect", resolve).once("error", reject));
  clearTimeout(late);
  // Whose certificate it is does not matter to somebody who guesses.
  const socket: Socket = tls ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain;
  socket.setTimeout(5000, () => socket.destroy(new Error("no answer")));
  const left = [...steps];
  for await (const line of createInterface({ input: socket })) {
    const next = left[0];
    if (next === undefined) {
      if (line.startsWith(until)) {
        socket.destroy();
        return line;
      }
    } else if (line.startsWith(next[0])) {
      left.shift();
      socket.write(`${next[1]}\r\n`);
    }
  }
  throw new Error("the connection was closed");
}

if (import.meta.main) {
  const orders = JSON.parse(process.argv[2] ?? "") as readonly Talk[];
  const ends = await Promise.allSettled(orders.map(converse));
  console.log(JSON.stringify(ends.map((end) => (end.status === "fulfilled" ? end.value : null))));
}
