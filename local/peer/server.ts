/**
 * The other side of the internet: a mail server of somebody else's domain, at an address of its own. It
 * receives, judges with code that is not ours, keeps verdicts, signs and sends.
 *
 * Run inside the local cloud's network namespace:
 * `node local/peer/server.ts --address 198.18.7.8 --domain example.net --hostname mx.example.net \
 *    --resolver 198.18.7.6 --api /path/peer.sock --state /path/peer`
 *
 * Prints `ready` on standard output once mail and API are served; ends on SIGTERM.
 */
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { resolverAt } from "../../check/judge.ts";
import { apiServer } from "./api.ts";
import { openIdentity } from "./identity.ts";
import { Manners } from "./manner.ts";
import { Ses } from "./ses.ts";
import { Smarthost } from "./smarthost.ts";
import { smtpServer } from "./smtp.ts";
import { MessageStore } from "./store.ts";

export interface PeerOptions {
  readonly address: string;
  readonly domain: string;
  readonly hostname: string;
  /** Resolver that is asked over the wire: `address` or `address:port`. */
  readonly resolver: string;
  /** Unix socket of the API. */
  readonly api: string;
  /** Folder of its keys and messages. */
  readonly state: string;
  /** @default 25 */
  readonly port?: number;
  /** Address of a relay for paying customers, `relay.<domain>`. @default there is none */
  readonly smarthost?: string;
  /** Address of Amazon SES, and its region. @default there is none */
  readonly ses?: { readonly address: string; readonly region: string };
}

export interface Peer {
  /** The port it really listens on (asked for as 0: any free one). */
  readonly port: number;
  close(): Promise<void>;
}

/** @throws when the address or port cannot be listened on */
export async function startPeer(options: PeerOptions): Promise<Peer> {
  mkdirSync(options.state, { recursive: true, mode: 0o700 });
  const identity = openIdentity(options.state, options);
  const resolver = resolverAt(options.resolver);
  const store = new MessageStore(options.state);
  const manners = new Manners();
  const smtp = smtpServer(identity, resolver, store, manners);
  const smarthost =
    options.smarthost === undefined
      ? undefined
      : new Smarthost(
          options.state,
          { address: options.smarthost, domain: options.domain },
          resolver,
          [587, 465],
        );
  const ses = options.ses && new Ses(options.state, options.ses, resolver, [587, 465]);
  const api = apiServer(identity, resolver, store, manners, smarthost, ses);

  await listening(smtp.listen(options.port ?? 25, options.address));
  await Promise.all([smarthost?.open(), ses?.open()]);
  // What a killed predecessor left behind; a living one would hold port 25, and we would not be here.
  rmSync(options.api, { force: true });
  await listening(api.listen(options.api));
  chmodSync(options.api, 0o600);

  const bound = smtp.server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : 0,
    async close() {
      api.closeAllConnections();
      await Promise.all([
        new Promise<void>((resolve) => smtp.close(() => resolve())),
        new Promise<void>((resolve) => api.close(() => resolve())),
        smarthost?.close(),
        ses?.close(),
      ]);
    },
  };
}

function listening(server: NodeJS.EventEmitter & { listening: boolean }): Promise<void> {
  return new Promise((resolve, reject) => {
    if (server.listening) {
      resolve();
      return;
    }
    server.once("error", reject);
    server.once("listening", () => resolve());
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      address: { type: "string" },
      domain: { type: "string" },
      hostname: { type: "string" },
      resolver: { type: "string" },
      api: { type: "string" },
      state: { type: "string" },
      port: { type: "string", default: "25" },
      smarthost: { type: "string" },
      ses: { type: "string" },
      "ses-region": { type: "string" },
    },
  });
  const needed = (name: "address" | "domain" | "hostname" | "resolver" | "api" | "state"): string => {
    const value = values[name];
    if (value === undefined) {
      throw new Error(`--${name} is needed`);
    }
    return value;
  };
  const peer = await startPeer({
    address: needed("address"),
    domain: needed("domain"),
    hostname: needed("hostname"),
    resolver: needed("resolver"),
    api: needed("api"),
    state: needed("state"),
    port: Number(values.port),
    ...(values.smarthost === undefined ? {} : { smarthost: values.smarthost }),
    ...(values.ses === undefined ? {} : { ses: { address: values.ses, region: values["ses-region"] ?? "" } }),
  });
  console.log("ready");
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => peer.close().then(() => process.exit(0)));
  }
}
