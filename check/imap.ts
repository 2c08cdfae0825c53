import { ImapFlow } from "imapflow";
import type { HostUnderCheck, Login } from "./host.ts";

/** A message as it lies in a mailbox. */
export interface StoredMessage {
  /** Folder it was found in. */
  readonly folder: string;
  readonly raw: Buffer;
}

/** A mailbox, looked at as its owner's mail program would. */
export class Mailbox {
  readonly #client: ImapFlow;

  constructor(client: ImapFlow) {
    this.#client = client;
  }

  /**
   * Waits until the message is in one of the folders.
   * @param messageId without brackets
   * @returns undefined when it has not come in time
   */
  async waitFor(
    messageId: string,
    folders: readonly string[],
    seconds: number,
  ): Promise<StoredMessage | undefined> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      for (const folder of folders) {
        const found = await this.#in(folder, async () => {
          const [uid] = (await this.#search(messageId)) ?? [];
          const message = uid && (await this.#client.fetchOne(String(uid), { source: true }, { uid: true }));
          return message ? message.source : undefined;
        });
        if (found !== undefined) {
          return { folder, raw: found };
        }
      }
      if (Date.now() > end) {
        return undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  }

  /** Deletes it for good, wherever in the folders it is. */
  async remove(messageId: string, folders: readonly string[]): Promise<void> {
    for (const folder of folders) {
      await this.#in(folder, async () => {
        const uids = await this.#search(messageId);
        if (uids && uids.length > 0) {
          await this.#client.messageDelete(uids, { uid: true });
        }
      });
    }
  }

  async close(): Promise<void> {
    await this.#client.logout().catch(() => this.#client.close());
  }

  async #search(messageId: string): Promise<number[] | undefined> {
    const found = await this.#client.search({ header: { "message-id": `<${messageId}>` } }, { uid: true });
    return found || undefined;
  }

  async #in<T>(folder: string, work: () => Promise<T>): Promise<T> {
    const lock = await this.#client.getMailboxLock(folder);
    try {
      // Without this a server may hold back what has come since the folder was opened (RFC 3501 section 7).
      await this.#client.noop();
      return await work();
    } finally {
      lock.release();
    }
  }
}

/** Logs in by IMAPS; the certificate has to be right. @throws in words */
export async function openMailbox(host: HostUnderCheck, login: Login): Promise<Mailbox> {
  const client = new ImapFlow({
    host: host.address,
    port: host.port("imaps")?.number ?? 993,
    secure: true,
    servername: host.name,
    auth: { user: login.address, pass: login.password },
    tls: { ca: [...host.roots] },
    logger: false,
    disableAutoIdle: true,
    connectionTimeout: 8000,
    greetingTimeout: 8000,
  });
  // Errors after the connection reach the caller by the command that fails; unheard they would end the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    const { message, responseText } = error as Error & { responseText?: string };
    throw new Error(`${login.address} cannot log in by IMAP: ${responseText ?? message}`);
  }
  return new Mailbox(client);
}
