import { createHash } from "node:crypto";
import { realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout that this program runs from. */
export const checkout = realpathSync(dirname(dirname(fileURLToPath(import.meta.url))));

/** The stack that `npm start` brings up. */
export const defaultStack = "dev";

/** Where one local cloud keeps its things. */
export interface CloudPaths {
  readonly id: string;
  /** `$MAILHOST_HOME`: what the clouds of one user share. */
  readonly home: string;
  /** Engine, image and packages: shared by all clouds of this user. */
  readonly cache: string;
  /** Node's compiled modules (`NODE_COMPILE_CACHE`), of every program of every cloud. */
  readonly compileCache: string;
  /** One folder with all of this cloud's state. */
  readonly folder: string;
  /** CloudInfo (local/types.ts), present while the cloud runs. */
  readonly info: string;
  readonly log: string;
  readonly socket: string;
  /** Number of this cloud's network; held as long as the folder is. */
  readonly slot: string;
  readonly world: string;
  readonly machines: string;
  readonly volumes: string;
  readonly dns: string;
  readonly acme: string;
  /** PEM of the roots that the authority's certificates chain to, for programs that people try it with. */
  readonly issuers: string;
  readonly edge: string;
  readonly aws: string;
  readonly cloudflare: string;
  readonly peer: string;
  /** Unix socket of the other side's API. */
  readonly peerApi: string;
  readonly pulumi: string;
}

/**
 * The folders of the cloud that this checkout uses: `$MAILHOST_CLOUD` (a whole path, set for child processes),
 * or `clouds/$MAILHOST_CLOUD_ID` under `$MAILHOST_HOME` (default `~/.mailhost`); the id's default comes from the
 * checkout's path, so that two checkouts have two clouds.
 */
export function cloudPaths(env: NodeJS.ProcessEnv = process.env): CloudPaths {
  const home = resolve(env.MAILHOST_HOME || join(homedir(), ".mailhost"));
  const id = env.MAILHOST_CLOUD_ID || createHash("sha256").update(checkout).digest("hex").slice(0, 8);
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(id)) {
    throw new Error(`MAILHOST_CLOUD_ID is "${id}": use at most 32 letters, digits, - and _.`);
  }
  const folder = resolve(env.MAILHOST_CLOUD || join(home, "clouds", id));
  const socket = join(folder, "socket");
  // sun_path holds 108 bytes with its end (unix(7)), and some sockets lie one folder deeper.
  if (Buffer.byteLength(socket) > 95) {
    throw new Error(
      `The state folder's path is too long for a socket (${socket}): set MAILHOST_HOME to a shorter one.`,
    );
  }
  return {
    home,
    id: folder.split("/").at(-1) ?? "",
    cache: join(home, "cache"),
    compileCache: join(home, "cache", "compile-cache"),
    folder,
    info: join(folder, "cloud.json"),
    log: join(folder, "daemon.log"),
    socket,
    slot: join(folder, "slot"),
    world: join(folder, "world.json"),
    machines: join(folder, "machines"),
    volumes: join(folder, "volumes"),
    dns: join(folder, "dns"),
    acme: join(folder, "acme"),
    issuers: join(folder, "acme", "issuers.pem"),
    edge: join(folder, "edge"),
    aws: join(folder, "aws"),
    cloudflare: join(folder, "cloudflare"),
    peer: join(folder, "peer"),
    peerApi: join(folder, "peer", "api.sock"),
    pulumi: join(folder, "pulumi"),
  };
}

/**
 * Writes a file so that a reader, or a crash, meets the old or the new one and never half of it.
 * @param last done with the new one, beside the old, before they are exchanged: where it throws, the old one stays
 */
export function writeWhole(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
  last: (beside: string) => void = () => {},
): void {
  const beside = `${path}.${process.pid}.new`;
  writeFileSync(beside, content, { mode, flush: true });
  try {
    last(beside);
  } catch (error) {
    rmSync(beside);
    throw error;
  }
  renameSync(beside, path);
}
