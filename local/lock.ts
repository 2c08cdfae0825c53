import { createHash } from "node:crypto";
import { createServer } from "node:net";

/** The name that one daemon of a cloud holds as long as it lives (an abstract socket, unix(7)): no file can go stale. */
function lockName(folder: string): string {
  return `\0mailhost-${createHash("sha256").update(folder).digest("hex").slice(0, 32)}`;
}

/** Takes the cloud's lock until this process ends. @returns false where another has it */
export function takeLock(folder: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(false) : reject(error),
    );
    server.listen({ path: lockName(folder) }, () => resolve(true));
    server.unref();
  });
}
