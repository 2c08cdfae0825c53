import { request } from "node:http";

/** Who answers calls with JSON over HTTP, and where. */
export interface Api {
  /** As messages begin that speak of it: `The other side`. */
  readonly whom: string;
  /** A Unix socket's path (with or without `unix:` in front) or `http://host:port`. */
  readonly at: string;
}

export interface ApiCall {
  /** @default "GET" */
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Seconds for the whole answer. @default as long as it takes */
  readonly patience?: number;
}

export interface ApiAnswer {
  /** HTTP status. */
  readonly status: number;
  readonly value: unknown;
}

/** Somebody listens, and says nothing. */
export class NoAnswer extends Error {}

/**
 * One call. An error's answer is an answer, too: how it tells its error is the API's own affair.
 * @throws NoAnswer when the patience is over; else where nobody listens (`cause` says why), and where the answer is no JSON
 */
export function callApi({ whom, at }: Api, call: ApiCall): Promise<ApiAnswer> {
  const { method = "GET", path, patience } = call;
  const url = /^https?:/.test(at) ? new URL(at) : undefined;
  const address = url
    ? { host: url.hostname, port: url.port }
    : { socketPath: at.replace(/^unix:(\/\/)?/, "") };
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  const signal = patience === undefined ? undefined : AbortSignal.timeout(patience * 1000);
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(
        signal?.aborted
          ? new NoAnswer(`${whom} gives no answer to ${method} ${path} in ${patience} s`)
          : new Error(`${whom} does not answer at ${at}: ${error.message}`, { cause: error }),
      );
    const asked = request(
      {
        ...address,
        path: (url?.pathname.replace(/\/$/, "") ?? "") + path,
        method,
        headers: { ...call.headers, ...(body !== undefined && { "content-type": "application/json" }) },
        // A connection of its own: a kept one may be closed by the other end just as it is used again.
        agent: false,
        ...(signal !== undefined && { signal }),
      },
      (response) => {
        const parts: Buffer[] = [];
        const status = response.statusCode ?? 0;
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", fail);
        response.on("end", () => {
          try {
            resolve({ status, value: JSON.parse(Buffer.concat(parts).toString("utf8")) });
          } catch {
            reject(new Error(`${whom} answered ${method} ${path} with no JSON (status ${status})`));
          }
        });
      },
    );
    asked.on("error", fail);
    asked.end(body);
  });
}
