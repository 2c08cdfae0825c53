import { request } from "node:http";

/** One call of a JSON API behind a Unix socket. */
export interface ApiCall {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Seconds for the answer to come. @default as long as it takes */
  readonly patience?: number;
}

/** Somebody listens, and says nothing. */
export class NoAnswer extends Error {}

export interface ApiAnswer {
  /** HTTP status. */
  readonly status: number;
  readonly value: unknown;
}

/** Calls the daemon's own API. @throws where nobody listens, and where the answer is no JSON; an error's answer is an answer */
export function callSocket(
  socket: string,
  { method, path, body, headers, patience }: ApiCall,
): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath: socket, path, method, headers: { ...headers, "content-type": "application/json" } },
      (response) => {
        const parts: Buffer[] = [];
        const status = response.statusCode ?? 0;
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          try {
            resolve({ status, value: JSON.parse(Buffer.concat(parts).toString("utf8")) });
          } catch {
            reject(new Error(`the local cloud answered ${method} ${path} with no JSON (status ${status})`));
          }
        });
      },
    );
    call.on("error", reject);
    if (patience !== undefined) {
      call.setTimeout(patience * 1000, () =>
        call.destroy(new NoAnswer(`no answer to ${method} ${path} in ${patience} s`)),
      );
    }
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
