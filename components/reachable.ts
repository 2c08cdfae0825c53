import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export interface ReachableArgs {
  readonly address: string;
  readonly port: number;
  /** Networks (CIDR) that the security group lets in. */
  readonly from: readonly string[];
  /**
   * Milliseconds of silence after which nobody is expected any more. @default 2.5 minutes: a machine answers 60 to 90
   * seconds after its first start
   */
  readonly deadline?: number;
  /** Milliseconds for each try. @default 5000 */
  readonly patience?: number;
}

/**
 * Waits until somebody answers. A refusal is an answer as well: the firewalls let us through, and sshd will come.
 *
 * @throws Error that leads to the stack file, where nothing but silence has come: what a firewall does with strangers
 */
export async function reachable(args: ReachableArgs): Promise<void> {
  const { address, port, from, deadline = 150_000, patience = 5000 } = args;
  const end = Date.now() + deadline;
  while (!(await answers(address, port, Math.max(1, Math.min(patience, end - Date.now()))))) {
    if (Date.now() >= end) {
      throw new Error(
        [
          `Nobody answers at ${address} port ${port} after ${Math.round(deadline / 1000)} seconds.`,
          `Is the public address of this machine in mailhost:ssh.from (${from.join(", ")})? Everybody else gets no answer there.`,
          "To learn the address: curl https://checkip.amazonaws.com",
          "Write it into the stack file with /32 behind it, and run again. If it is there, this network blocks outgoing port 22.",
        ].join("\n"),
      );
    }
    await pause(Math.min(1000, Math.max(0, end - Date.now())));
  }
}

function answers(host: string, port: number, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (answer: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(false), timeout);
    socket.on("connect", () => finish(true));
    socket.on("error", (error: NodeJS.ErrnoException) => finish(error.code === "ECONNREFUSED"));
  });
}
