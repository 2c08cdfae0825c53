import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import ssh2 from "ssh2";
import sshpk from "sshpk";
import type { SshAccess } from "../../ssh/client.ts";

/** In OpenSSH's form. One in a hundred of those that ssh2 itself makes is malformed. */
export function keyPair(): { readonly private: string; readonly public: string } {
  const key = sshpk.generatePrivateKey("ed25519");
  return { private: key.toString("ssh"), public: key.toPublic().toString("ssh") };
}

/** A real SSH server at an address of this machine, on any free port, that runs what it is asked to with sh, and says who asks as sshd does. */
export async function sshServer(t: TestContext, address: string): Promise<SshAccess> {
  const host = keyPair();
  const user = keyPair();
  const allowed = ssh2.utils.parseKey(user.public);
  assert.ok(!(allowed instanceof Error));
  const clients = new Set<ssh2.Connection>();
  const server = new ssh2.Server({ hostKeys: [host.private] }, (client, info) => {
    clients.add(client);
    client.on("close", () => clients.delete(client));
    client.on("error", () => undefined);
    client.on("authentication", (context) => {
      const known =
        context.method === "publickey" &&
        context.key.data.equals(allowed.getPublicSSH()) &&
        (context.signature === undefined ||
          allowed.verify(context.blob as Buffer, context.signature, context.hashAlgo) === true);
      known ? context.accept() : context.reject();
    });
    let sessions = 0;
    client.on("session", (accept, reject) => {
      // As sshd does beyond ten (sshd_config(5), MaxSessions); here earlier, so that it is asked again.
      if (sessions === 3) {
        reject();
        return;
      }
      sessions += 1;
      accept().on("exec", (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        const env = { ...process.env, SSH_CONNECTION: `${info.ip} ${info.port} ${address} 22` };
        const child = spawn("sh", ["-c", command], { env });
        child.stdout.on("data", (part) => channel.write(part));
        child.stderr.on("data", (part) => channel.stderr.write(part));
        child.on("close", (code) => {
          sessions -= 1;
          channel.exit(code ?? 255);
          channel.end();
        });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  t.after(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // What a test that failed has left open would keep it from its end.
    for (const client of clients) client.end();
    await closed;
  });
  const number = (server.address() as AddressInfo).port;
  return { host: address, port: number, user: "admin", privateKey: user.private, hostKey: host.public };
}
