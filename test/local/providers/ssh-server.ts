/** A small SSH server that really runs what it is told, for looking at what a client does. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import ssh2, { type Connection } from "ssh2";

export interface SshServer {
  readonly port: number;
  /** Connections that were opened, and those that still are. */
  readonly opened: () => number;
  readonly open: () => number;
  /** Commands that were started. */
  readonly executed: () => number;
  /** Cuts every connection without a word. */
  cut(): void;
  close(): Promise<void>;
}

export interface SshServerOptions {
  /** OpenSSH private keys. */
  readonly hostKeys: readonly string[];
  /** Line of authorized_keys that may log in. */
  readonly authorized: string;
  /** Names that AcceptEnv would list. */
  readonly acceptEnv?: readonly string[];
  /** Connections that are dropped before their handshake. @default 0 */
  readonly dropFirst?: number;
  readonly port?: number;
}

export async function startSshServer(options: SshServerOptions): Promise<SshServer> {
  const allowed = ssh2.utils.parseKey(options.authorized);
  if (allowed instanceof Error) {
    throw allowed;
  }
  const connections = new Set<Connection>();
  let opened = 0;
  let executed = 0;
  let toDrop = options.dropFirst ?? 0;
  const server = new ssh2.Server({ hostKeys: [...options.hostKeys] }, (connection) => {
    opened++;
    if (toDrop > 0) {
      toDrop--;
      connection.end();
      return;
    }
    connections.add(connection);
    connection.on("close", () => connections.delete(connection));
    connection.on("error", () => {});
    connection.on("authentication", (context) => {
      const matches =
        context.method === "publickey" &&
        context.key.data.equals(allowed.getPublicSSH()) &&
        (context.signature === undefined ||
          allowed.verify(context.blob as Buffer, context.signature, context.hashAlgo) === true);
      if (matches) {
        context.accept();
      } else {
        context.reject(["publickey"]);
      }
    });
    connection.on("session", (accept) => {
      const session = accept();
      const env: { [name: string]: string } = {};
      session.on("env", (acceptEnv, _reject, info) => {
        if (options.acceptEnv?.includes(info.key)) {
          env[info.key] = info.val;
        }
        acceptEnv?.();
      });
      session.on("exec", (acceptExec, _reject, info) => {
        const channel = acceptExec();
        executed++;
        const child = spawn("sh", ["-c", info.command], { env: { PATH: process.env.PATH, ...env } });
        child.stdin.on("error", () => {});
        connection.on("close", () => child.kill("SIGKILL"));
        channel.pipe(child.stdin);
        child.stdout.on("data", (chunk: Buffer) => channel.write(chunk));
        child.stderr.on("data", (chunk: Buffer) => channel.stderr.write(chunk));
        child.on("close", (code, signal) => {
          if (signal) {
            channel.exit(signal.replace(/^SIG/, ""), false, "");
          } else {
            channel.exit(code ?? 0);
          }
          channel.end();
        });
      });
    });
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    opened: () => opened,
    open: () => connections.size,
    executed: () => executed,
    cut() {
      for (const connection of connections) {
        (connection as unknown as { _sock: { destroy(): void } })._sock.destroy();
      }
    },
    close: () =>
      new Promise((resolve) => {
        for (const connection of connections) {
          connection.end();
        }
        server.close(() => resolve());
      }),
  };
}
