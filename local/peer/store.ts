import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MessageFilter, ReceivedMessage } from "../../check/otherside.ts";

/** Messages that were taken, each on disk (`<id>.json`, `<id>.eml`) before its sender hears "250". */
export class MessageStore {
  readonly #folder: string;
  readonly #messages: ReceivedMessage[];
  readonly #waiters = new Set<(message: ReceivedMessage) => void>();

  constructor(state: string) {
    this.#folder = join(state, "messages");
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#messages = readdirSync(this.#folder)
      .filter((name) => name.endsWith(".json"))
      .sort()
      .map((name) => JSON.parse(readFileSync(join(this.#folder, name), "utf8")) as ReceivedMessage);
  }

  /** Keeps a message and wakes whoever waits for it. */
  add(raw: Buffer, message: Omit<ReceivedMessage, "id" | "at">): ReceivedMessage {
    const at = new Date().toISOString();
    const id = `${at.replace(/\D/g, "")}-${randomBytes(4).toString("hex")}`;
    const kept = { id, at, ...message };
    writeFileSync(join(this.#folder, `${id}.eml`), raw);
    // The .json makes a message count, so it comes second and whole.
    const path = join(this.#folder, `${id}.json`);
    writeFileSync(`${path}.part`, JSON.stringify(kept, undefined, 2));
    renameSync(`${path}.part`, path);
    this.#messages.push(kept);
    for (const wake of this.#waiters) {
      wake(kept);
    }
    return kept;
  }

  /** Oldest first. */
  list(filter: MessageFilter = {}): readonly ReceivedMessage[] {
    const to = filter.to?.toLowerCase();
    return this.#messages.filter(
      (message) =>
        (to === undefined || message.envelope.to.some((address) => address.toLowerCase() === to)) &&
        (filter.since === undefined || message.at > filter.since),
    );
  }

  find(id: string): ReceivedMessage | undefined {
    return this.#messages.find((message) => message.id === id);
  }

  raw(id: string): Buffer {
    return readFileSync(join(this.#folder, `${id}.eml`));
  }

  clear(): void {
    for (const { id } of this.#messages.splice(0)) {
      rmSync(join(this.#folder, `${id}.json`), { force: true });
      rmSync(join(this.#folder, `${id}.eml`), { force: true });
    }
  }

  /** Resolves with the message of this Message-ID, at once where it is here already; undefined after the time. */
  async wait(messageId: string, seconds: number): Promise<ReceivedMessage | undefined> {
    const wanted = bareMessageId(messageId);
    const here = this.#messages.find((message) => message.messageId === wanted);
    if (here !== undefined) {
      return here;
    }
    const { promise, resolve } = Promise.withResolvers<ReceivedMessage | undefined>();
    const wake = (message: ReceivedMessage) => {
      if (message.messageId === wanted) {
        resolve(message);
      }
    };
    this.#waiters.add(wake);
    const timer = setTimeout(() => resolve(undefined), seconds * 1000);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(wake);
    }
  }
}

export function bareMessageId(messageId: string): string {
  return messageId.trim().replace(/^<|>$/g, "");
}
