/** The thread behind `Isolate`: started with the script's text, it answers requests until it is ended. */
import vm from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import type { EdgeRequest, IsolateMessage } from "./isolate.ts";

/** What scripts find beside the language itself (https://developers.cloudflare.com/workers/runtime-apis/). */
const platform = {
  AbortController,
  AbortSignal,
  Blob,
  FormData,
  Headers,
  ReadableStream,
  Request,
  Response,
  TextDecoder,
  TextEncoder,
  TransformStream,
  URL,
  URLSearchParams,
  WritableStream,
  atob,
  btoa,
  console,
  crypto,
  fetch,
  structuredClone,
};

interface Handler {
  fetch(request: Request, env: object, context: object): Response | Promise<Response>;
}

function say(message: IsolateMessage): void {
  parentPort?.postMessage(message);
}

async function load(source: string): Promise<Handler> {
  const context = vm.createContext({ ...platform });
  const script = new vm.SourceTextModule(source, { context, identifier: "worker.js" });
  await script.link((name) => {
    throw new Error(`No such module "${name}".`);
  });
  await script.evaluate();
  const handler = (script.namespace as { default?: Partial<Handler> }).default;
  if (typeof handler?.fetch !== "function") throw new Error("The script has no handler for fetch.");
  return handler as Handler;
}

async function answer(handler: Handler, { url, method, headers, body }: EdgeRequest) {
  const request = new Request(url, {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    ...(body !== undefined && { body: Buffer.from(body) }),
  });
  const response = await handler.fetch(request, {}, { waitUntil() {}, passThroughOnException() {} });
  return { status: response.status, headers: [...response.headers], body: await response.bytes() };
}

try {
  const handler = await load(workerData as string);
  parentPort?.on("message", ({ id, request }: { id: number; request: EdgeRequest }) => {
    answer(handler, request).then(
      (response) => say({ kind: "answered", id, response }),
      (error: unknown) => say({ kind: "failed", id, message: String(error) }),
    );
  });
  say({ kind: "started" });
} catch (error) {
  say({ kind: "failed", message: String(error) });
}
