import { request } from "node:http";

/** One call of a JSON API behind a Unix socket. */
export interface ApiCall {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiAnswer {
  /** HTTP status. */
  readonly status: number;
  readonly value: unknown;
}

/** Calls the daemon's own API. @throws where nobody listens, and where the answer is no JSON; an error's answer is an answer */
export function callSocket(socket: string, { method, path, body, headers }: ApiCall): Promise<ApiAnswer> {
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
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
