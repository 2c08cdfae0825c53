import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** The name that one daemon of a cloud holds as long as it lives (an abstract socket, unix(7)): no file can go stale. */
function lockName(folder: string): string {
  return `\0mailhost-${createHash("sha256").update(folder).digest("hex").slice(0, 32)}`;
}

/**
 * Takes the cloud's lock, for as long as this process lives or until it is released. Waits a moment for one that is
 * just ending.
 * @returns its release, or undefined where another process has it
 */
export async function takeLock(folder: string): Promise<(() => void) | undefined> {
  const deadline = Date.now() + 3000;
  for (;;) {
    const release = await tryLock(folder);
    if (release !== undefined || Date.now() > deadline) return release;
    await pause(50);
  }
}

function tryLock(folder: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen({ path: lockName(folder) }, () => resolve(() => server.close()));
    server.unref();
  });
}
