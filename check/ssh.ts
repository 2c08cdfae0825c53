import { Client } from "ssh2";
import type { SshAccess } from "./types.ts";

/** That nobody gets in, in words. */
export class NoLogin extends Error {}

export interface SshSession {
  /**
   * Runs a command with sh, as root where `root` is asked for.
   * @returns what it printed and its exit code; a code other than 0 is for the caller to judge
   */
  run(command: string, options?: { readonly root?: boolean }): Promise<SshOutput>;
  close(): void;
}

export interface SshOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Logs in; only the known host key is accepted. @throws with a remedy in words */
export function openSsh(access: SshAccess): Promise<SshSession> {
  const expected = access.hostKey.trim().split(/\s+/)[1] ?? "";
  const client = new Client();
  return new Promise((resolve, reject) => {
    let foreign = false;
    client.on("error", (error) =>
      reject(
        new NoLogin(
          foreign
            ? `the host at ${access.host} shows a host key that is not the stack's: it may be another machine`
            : `no login at ${access.user}@${access.host} port ${access.port}: ${error.message}`,
        ),
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
        foreign = key.toString("base64") !== expected;
        return !foreign;
      },
    });
  });
}

function session(client: Client): SshSession {
  return {
    run(command, options = {}) {
      const quoted = `'${command.replaceAll("'", "'\\''")}'`;
      const line = `${options.root ? "sudo -n " : ""}sh -c ${quoted}`;
      return new Promise((resolve, reject) => {
        client.exec(line, (error, channel) => {
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
        });
      });
    },
    close: () => client.end(),
  };
}
