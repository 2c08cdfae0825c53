/** SSH connections with the official command provider's manners: its retries, its pinning, its errors. */
import { createPrivateKey } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import ssh2, { type Client, type ClientChannel, type ConnectConfig } from "ssh2";
import type { Resource } from "../framework.ts";
import { privateKeyOpenssh } from "../tls/openssh.ts";

/** One end of a connection, as the inputs give it with the SDK's defaults filled in. */
export interface Endpoint {
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  /** PEM (PKCS#1, SEC 1, PKCS#8) or OpenSSH's format. */
  readonly privateKey?: string;
  readonly privateKeyPassword?: string;
  readonly agentSocketPath?: string;
  /** A line as in `authorized_keys`. Without it any host key will do, as in the official provider. */
  readonly hostKey?: string;
  /** Failed attempts that are forgiven; -1 is no limit. @default 10 */
  readonly dialErrorLimit?: number;
  /** Seconds for each attempt; 0 is no limit. @default 15 */
  readonly perDialTimeout?: number;
}

export interface Connection extends Endpoint {
  /** A bastion to go through. */
  readonly proxy?: Endpoint;
}

/** Waits between attempts, those of Pulumi's `retry` package: 100 ms, half as much more each time, 5 s at most. */
const FIRST_DELAY = 100;
const DELAY_FACTOR = 1.5;
const LONGEST_DELAY = 5000;
/** A machine that boots refuses the first attempts: only from this pause on is it worth a line. */
const TOLD_DELAY = 1000;

/** How often a silent peer is asked whether it lives, and how often it may not answer. */
const KEEPALIVE_INTERVAL = 15_000;
const KEEPALIVE_LIMIT = 4;

/** Algorithm and key of a line as in `authorized_keys`. */
function parseHostKey(line: string): { algorithm: string; key: Buffer } {
  const [algorithm, base64] = line.trim().split(/\s+/);
  if (!algorithm || !base64 || !/^[A-Za-z0-9+/]+=*$/.test(base64)) {
    throw new Error("failed to parse host key: ssh: no key found");
  }
  return { algorithm, key: Buffer.from(base64, "base64") };
}

/** ssh2 reads no PKCS#8; what it cannot read is written anew in OpenSSH's format. */
function readableKey(pem: string, passphrase: string | undefined): string {
  const parsed = ssh2.utils.parseKey(pem, passphrase);
  if (!(parsed instanceof Error)) {
    return pem;
  }
  try {
    const key = createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
    return privateKeyOpenssh(key) || pem;
  } catch {
    // The library's own words would quote the key's text.
    throw new Error("ssh: no key found, or a private key of a kind that is not supported");
  }
}

function configuration(endpoint: Endpoint): ConnectConfig {
  const config: ConnectConfig = {
    host: endpoint.host,
    port: endpoint.port ?? 22,
    username: endpoint.user ?? "root",
    readyTimeout: (endpoint.perDialTimeout ?? 15) * 1000,
    keepaliveInterval: KEEPALIVE_INTERVAL,
    keepaliveCountMax: KEEPALIVE_LIMIT,
  };
  if (endpoint.hostKey !== undefined) {
    const pinned = parseHostKey(endpoint.hostKey);
    // Only the pinned kind is asked for, or the server might choose to show another of its keys.
    config.algorithms = { serverHostKey: [pinned.algorithm] } as NonNullable<ConnectConfig["algorithms"]>;
    config.hostVerifier = (key: Buffer) => key.equals(pinned.key);
  }
  if (endpoint.privateKey !== undefined) {
    config.privateKey = readableKey(endpoint.privateKey, endpoint.privateKeyPassword);
    if (endpoint.privateKeyPassword !== undefined && config.privateKey === endpoint.privateKey) {
      config.passphrase = endpoint.privateKeyPassword;
    }
  }
  if (endpoint.password !== undefined) {
    config.password = endpoint.password;
    config.tryKeyboard = true;
  }
  const agent = endpoint.agentSocketPath ?? process.env.SSH_AUTH_SOCK;
  if (agent) {
    config.agent = agent;
  }
  return config;
}

/** Go's words for the common failures, so that a person finds them in the official provider's documentation. */
function inOfficialWords(error: Error & { level?: string; code?: string }, endpoint: Endpoint): Error {
  const address = `${endpoint.host}:${endpoint.port ?? 22}`;
  if (error.level === "client-authentication") {
    return new Error(
      "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported " +
        "methods remain",
    );
  }
  if (error.level === "client-timeout") {
    return new Error(`dial tcp ${address}: i/o timeout`);
  }
  if (/no matching.*host key/i.test(error.message)) {
    return new Error(
      `ssh: handshake failed: ssh: no common algorithm for host key: ${address} shows no key of the pinned kind`,
    );
  }
  if (/host (denied|verification)|Host key/i.test(error.message)) {
    return new Error("ssh: handshake failed: ssh: host key mismatch");
  }
  switch (error.code) {
    case "ECONNREFUSED":
      return new Error(`dial tcp ${address}: connect: connection refused`);
    case "EHOSTUNREACH":
      return new Error(`dial tcp ${address}: connect: no route to host`);
    case "ENOTFOUND":
      return new Error(`dial tcp: lookup ${endpoint.host}: no such host`);
    default:
      return new Error(`dial tcp ${address}: ${error.message}`);
  }
}

/** One attempt. */
function attempt(endpoint: Endpoint, config: ConnectConfig): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.once("ready", () => resolve(client));
    client.on("error", (error) => {
      client.end();
      // After `ready` nobody waits here: whoever uses the connection sees its channel close.
      reject(inOfficialWords(error, endpoint));
    });
    client.once("close", () => reject(new Error(`dial tcp ${endpoint.host}: connection closed`)));
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, finish) => {
      finish(prompts.map(() => endpoint.password ?? ""));
    });
    client.connect(config);
  });
}

/** Attempts until one succeeds or the limit of failures is passed. */
async function retrying<T>(
  what: string,
  limit: number,
  resource: Resource,
  dial: () => Promise<T>,
): Promise<T> {
  let delay = FIRST_DELAY;
  for (let failures = 1; ; failures++) {
    resource.cancelled.throwIfAborted();
    try {
      return await dial();
    } catch (error) {
      if (limit >= 0 && failures > limit) {
        const message = error instanceof Error ? error.message : String(error);
        throw new Error(`after ${failures - 1} failed attempts: ${message}`);
      }
    }
    if (delay >= TOLD_DELAY)
      resource.log("status", `${what} ${failures}/${limit < 0 ? "inf" : limit} failed: retrying`);
    await sleep(delay, undefined, { signal: resource.cancelled });
    delay = Math.min(delay * DELAY_FACTOR, LONGEST_DELAY);
  }
}

/** A channel through the bastion to the endpoint. */
function forward(bastion: Client, endpoint: Endpoint): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    bastion.forwardOut("127.0.0.1", 0, endpoint.host, endpoint.port ?? 22, (error, channel) =>
      error ? reject(error) : resolve(channel),
    );
  });
}

/** An open connection, and how it is ended. */
export interface Dialled {
  readonly client: Client;
  close(): void;
}

/** Connects, through the proxy where there is one, with the provider's patience. */
export async function dial(connection: Connection, resource: Resource): Promise<Dialled> {
  const config = configuration(connection);
  const limit = connection.dialErrorLimit ?? 10;
  const { proxy } = connection;
  if (!proxy) {
    const client = await retrying("Dial", limit, resource, () => attempt(connection, config));
    return { client, close: () => client.end() };
  }
  const bastion = await retrying("Dial proxy", proxy.dialErrorLimit ?? 10, resource, () =>
    attempt(proxy, configuration(proxy)),
  ).catch((error: Error) => {
    throw new Error(`proxy: ${error.message}`);
  });
  try {
    const client = await retrying("Dial from proxy", limit, resource, async () =>
      attempt(connection, { ...config, sock: await forward(bastion, connection) }),
    );
    return {
      client,
      close() {
        client.end();
        bastion.end();
      },
    };
  } catch (error) {
    bastion.end();
    throw new Error(`proxy: ${error instanceof Error ? error.message : String(error)}`);
  }
}
