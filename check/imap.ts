import { ImapFlow } from "imapflow";
import { trusting } from "./trust.ts";

/** Where IMAPS is spoken. */
export interface ImapServer {
  readonly address: string;
  readonly port: number;
  /** Name that the certificate has to be for. */
  readonly name: string;
  /** PEM of trusted roots. */
  readonly roots: readonly string[];
}

export interface Credentials {
  readonly address: string;
  readonly password: string;
}

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

/** Logs in by IMAPS. @throws in words, also where the certificate is not right */
export async function openMailbox(server: ImapServer, login: Credentials): Promise<Mailbox> {
  return new Mailbox(await connectImap(server, login));
}

/** The same, for those who want all of IMAP. */
export async function connectImap(server: ImapServer, login: Credentials): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: server.address,
    port: server.port,
    secure: true,
    servername: server.name,
    auth: { user: login.address, pass: login.password },
    tls: { secureContext: trusting(server.roots) },
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
    // A refused login leaves the connection open, and that would keep the process waiting.
    client.close();
    const { message, responseText } = error as Error & { responseText?: string };
    throw new Error(`${login.address} cannot log in by IMAP: ${responseText ?? message}`);
  }
  return client;
}
