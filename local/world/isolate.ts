import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

/** A request as it goes into an isolate, and what comes out of it. */
export interface EdgeRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
}
export interface EdgeResponse {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

/** What the thread says: that the script has started, or how it answered. `id` is the request's. */
export type IsolateMessage =
  | { readonly kind: "started" }
  | { readonly kind: "failed"; readonly id?: number; readonly message: string }
  | { readonly kind: "answered"; readonly id: number; readonly response: EdgeResponse };

const thread = fileURLToPath(new URL("./isolateThread.ts", import.meta.url));

/** Milliseconds for a script to start, or to answer one request. */
const patience = 10_000;

interface Waiting {
  readonly resolve: (response: EdgeResponse) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A script of a Worker (module syntax), running in a thread of its own, in a realm with what the platform has
 * (Request, Response, URL, crypto…) and nothing of Node: what would not start at Cloudflare does not start here.
 */
export class Isolate {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #requests = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** @throws with the runtime's words where the script does not start */
  static async start(source: string): Promise<Isolate> {
    const worker = new Worker(thread, {
      workerData: source,
      execArgv: ["--experimental-vm-modules", "--no-warnings"],
      env: {},
    });
    const isolate = new Isolate(worker);
    worker.unref();
    try {
      await within(
        "The script does not start",
        new Promise<void>((resolve, reject) => {
          worker.once("message", (message: IsolateMessage) =>
            message.kind === "failed" ? reject(new Error(message.message)) : resolve(),
          );
          worker.once("error", reject);
          worker.once("exit", () => reject(new Error("The script ended.")));
        }),
      );
    } catch (error) {
      await isolate.close();
      throw error;
    }
    worker.on("message", (message: IsolateMessage) => isolate.#hear(message));
    worker.on("error", () => {});
    worker.on("exit", () => isolate.#giveUp());
    return isolate;
  }

  /** @throws where the script throws, or takes too long */
  async fetch(request: EdgeRequest): Promise<EdgeResponse> {
    const id = this.#requests++;
    const answer = new Promise<EdgeResponse>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#worker.postMessage({ id, request });
    try {
      return await within("The script does not answer", answer);
    } finally {
      this.#waiting.delete(id);
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #hear(message: IsolateMessage): void {
    if (message.kind === "answered") this.#waiting.get(message.id)?.resolve(message.response);
    if (message.kind === "failed")
      this.#waiting.get(message.id ?? -1)?.reject(new Error(`Uncaught ${message.message}`));
  }

  #giveUp(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error("The script ended."));
  }
}

async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${patience} ms.`)), patience);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
