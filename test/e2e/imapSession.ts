import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { connect } from "node:tls";
import type { MailHost } from "./mail.ts";

/** A session of IMAP, line by line: for what the client library of the other tests does not speak. */
export interface ImapSession {
  /** Sends a command, and says all that came up to the end of its answer. @throws where that is not OK */
  command(text: string): Promise<string>;
  /** Sends a command whose answer is not waited for. */
  send(text: string): void;
  /** Waits for a line. @throws after 20 seconds, with what came instead */
  heard(line: RegExp): Promise<string>;
  end(): void;
}

/** Logged in; it ends with the test. */
export async function rawImap(host: MailHost, address: string, t: TestContext): Promise<ImapSession> {
  const session = await greetedImap(host, t);
  await session.command(`LOGIN "${address}" "${host.credentials[address]}"`);
  return session;
}

/** Greeted and not logged in; it ends with the test. */
export async function greetedImap(host: MailHost, t: TestContext): Promise<ImapSession> {
  const socket = connect({
    host: host.publicIp,
    port: 993,
    servername: host.hostname,
    ca: [...host.roots],
  });
  t.after(() => socket.destroy());
  const lines: string[] = [];
  let wake = () => {};
  createInterface({ input: socket }).on("line", (line) => {
    lines.push(line);
    wake();
  });
  socket.on("error", () => undefined).on("close", () => wake());
  let number = 0;

  async function heard(wanted: RegExp): Promise<string> {
    const end = Date.now() + 20_000;
    const seen: string[] = [];
    for (;;) {
      for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
        seen.push(line);
        if (wanted.test(line)) return seen.join("\n");
      }
      const left = end - Date.now();
      if (left <= 0 || socket.destroyed) throw new Error(`no ${wanted} among:\n${seen.join("\n")}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async function command(text: string): Promise<string> {
    number += 1;
    socket.write(`a${number} ${text}\r\n`);
    const answer = await heard(new RegExp(`^a${number} `));
    if (!new RegExp(`^a${number} OK`, "m").test(answer)) throw new Error(`${text.split(" ")[0]}: ${answer}`);
    return answer;
  }

  await heard(/^\* OK/);
  return {
    command,
    send(text) {
      number += 1;
      socket.write(`a${number} ${text}\r\n`);
    },
    heard,
    end: () => socket.destroy(),
  };
}
