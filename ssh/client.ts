import { once } from "node:events";
import { createServer, type Server } from "node:net";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import { Client } from "ssh2";
import { turns } from "../dns/turns.ts";
import { shellWord } from "../plan/shell.ts";
import { NoLogin, type Output, type Session } from "./session.ts";

/** What it takes to log in to a host. */
export interface SshAccess {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** OpenSSH or PEM. */
  readonly privateKey: string;
  /** Public key line, `ssh-ed25519 AAAA…`: no other is accepted but the next one. */
  readonly hostKey: string;
  /** The same of the key that comes after it, where that is known: the host may show it already. */
  readonly nextHostKey?: string;
}

/** A login that lasts. */
export interface SshConnection extends Session {
  /** Leads a port of this machine to an address that the host can reach (RFC 4254 section 7.2). @throws where the port is taken */
  forward(port: number, to: { readonly host: string; readonly port: number }): Promise<Server>;
  /**
   * Runs a command as `run` does, and hands over what it prints as it comes: for what is large, is no text, or has no end.
   * @returns exit code and what stood on stderr, when `to` has got all; the code is -1 where the connection ended before
   */
  pour(command: string, to: Writable, options?: { readonly root?: boolean }): Promise<Omit<Output, "stdout">>;
  /** Ends it in place of `close` where the other side no longer answers, which that would wait for. */
  abandon(): void;
  /** Resolves when the connection is no more. */
  readonly closed: Promise<void>;
}

/** What the host shows, of a public key line. */
function bytesOf(line: string): Buffer {
  return Buffer.from(line.trim().split(/\s+/)[1] ?? "", "base64");
}

/**
 * Which of the known host keys a host shows. Nobody logs in.
 * @param lines public key lines
 * @throws where it shows another one, or none
 */
export function shownHostKey(
  { host, port }: Pick<SshAccess, "host" | "port">,
  lines: readonly string[],
): Promise<string> {
  const client = new Client();
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      settle();
      client.destroy();
    };
    client.on("error", (error) =>
      end(() => reject(new NoLogin(`no host key of ${host} port ${port}: ${error.message}`))),
    );
    client.on("close", () => reject(new NoLogin(`no host key of ${host} port ${port}`)));
    client.connect({
      host,
      port,
      username: "nobody",
      readyTimeout: 8000,
      hostVerifier: (key: Buffer) => {
        const found = lines.find((line) => bytesOf(line).equals(key));
        end(() => (found === undefined ? reject(foreignKey(host)) : resolve(found)));
        return false;
      },
    });
  });
}

function foreignKey(host: string): NoLogin {
  return new NoLogin(
    `the host at ${host} shows a host key that is not the stack's: it may be another machine`,
  );
}

/** Logs in; only the known host key is accepted. @throws with a remedy in words */
export function openSsh(access: SshAccess): Promise<SshConnection> {
  const expected = [access.hostKey, access.nextHostKey].flatMap((line) =>
    line === undefined ? [] : [bytesOf(line)],
  );
  const client = new Client();
  return new Promise((resolve, reject) => {
    let foreign = false;
    client.on("error", (error) =>
      reject(
        foreign
          ? foreignKey(access.host)
          : new NoLogin(`no login at ${access.user}@${access.host} port ${access.port}: ${error.message}`),
      ),
    );
    client.on("ready", () => resolve(session(client)));
    client.connect({
      host: access.host,
      port: access.port,
      username: access.user,
      privateKey: access.privateKey,
      readyTimeout: 8000,
      hostVerifier: (key: Buffer) => {
        foreign = !expected.some((known) => key.equals(known));
        return !foreign;
      },
    });
  });
}

/**
 * Commands at once on one login: sshd refuses more than ten (sshd_config(5), MaxSessions), and counts one that has ended
 * for a moment more. Where that is not enough, what it refused is asked again.
 */
const atOnce = 5;
const [tries, pause] = [20, 200];

function session(client: Client): SshConnection {
  const inTurn = turns(atOnce);
  return {
    run: (command, options) => inTurn(() => asked(() => runOn(client, command, options))),
    pour: (command, to, options) => inTurn(() => asked(() => pour(client, command, to, options))),
    forward: (port, to) => forward(client, port, to),
    close: () => client.end(),
    abandon: () => client.destroy(),
    closed: new Promise((resolve) => client.once("close", () => resolve())),
  };
}

async function asked<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let left = tries; ; left -= 1) {
    try {
      return await ask();
    } catch (error) {
      // Nothing has run then.
      if (left === 0 || !/Channel open failure/.test((error as Error).message)) throw error;
      await setTimeout(pause);
    }
  }
}

async function forward(
  client: Client,
  port: number,
  to: { readonly host: string; readonly port: number },
): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    client.forwardOut("127.0.0.1", socket.remotePort ?? 0, to.host, to.port, (error, channel) => {
      if (error) {
        socket.destroy();
        return;
      }
      // Whichever end goes away takes the other along; there is nobody to tell.
      channel.on("error", () => socket.destroy());
      channel.on("close", () => socket.destroy());
      socket.on("close", () => channel.destroy());
      socket.pipe(channel).pipe(socket);
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const runOn: (client: Client, ...asked: Parameters<Session["run"]>) => Promise<Output> = (
  client,
  command,
  options = {},
) => {
  return new Promise((resolve, reject) => {
    client.exec(lineOf(command, options), (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      let [stdout, stderr, code] = ["", "", -1];
      channel.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
      });
      channel.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
      });
      channel.on("exit", (status: number | null) => {
        code = status ?? -1;
      });
      channel.on("close", () => resolve({ code, stdout, stderr }));
      if (options.input !== undefined) channel.end(options.input);
    });
  });
};

function pour(
  client: Client,
  command: string,
  to: Writable,
  options: { readonly root?: boolean } = {},
): Promise<Omit<Output, "stdout">> {
  return new Promise((resolve, reject) => {
    client.exec(lineOf(command, options), (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      let [stderr, code] = ["", -1];
      channel.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
      });
      channel.on("exit", (status: number | null) => {
        code = status ?? -1;
      });
      const written = finished(to);
      written.catch((unwritten) => {
        channel.destroy();
        reject(unwritten);
      });
      channel.pipe(to);
      channel.on("close", () => written.then(() => resolve({ code, stderr }), reject));
    });
  });
}

function lineOf(command: string, { root }: { readonly root?: boolean }): string {
  return `${root ? "sudo -n " : ""}sh -c ${shellWord(command)}`;
}
