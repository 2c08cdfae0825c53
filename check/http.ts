import { request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import type { SecureContextOptions } from "node:tls";
import { trusting } from "./trust.ts";

/** Milliseconds for an answer. PHP may have to start. */
const patience = 10_000;

export interface HttpCall {
  readonly scheme: "http" | "https";
  /** Whom to ask. */
  readonly address: string;
  /** @default the scheme's */
  readonly port?: number;
  /** The name to ask for, which the certificate has to be for. */
  readonly name: string;
  /** With its query. */
  readonly path: string;
  /** Makes it a POST. */
  readonly body?: string;
  /** What the body is (Content-Type). @default nothing is said of it */
  readonly type?: string;
  /** PEM of trusted roots. */
  readonly roots: readonly string[];
  /** What else goes for the encryption. */
  readonly trust?: SecureContextOptions;
}

export interface HttpAnswer {
  readonly status?: number;
  readonly location?: string;
  readonly body: Buffer;
  /** Why there is none. */
  readonly trouble?: string;
}

/** What an answer says where it is not the right one. */
export function said({ status, trouble }: HttpAnswer): string {
  return trouble ?? `the answer is ${status}`;
}

/** What a server says at one of its addresses; that it says nothing is an answer, too. */
export function asked(call: HttpCall): Promise<HttpAnswer> {
  return new Promise((resolve) => {
    const options = {
      host: call.address,
      port: call.port,
      path: call.path,
      method: call.body === undefined ? "GET" : "POST",
      headers: { host: call.name, ...(call.type !== undefined && { "content-type": call.type }) },
      agent: false,
      timeout: patience,
    } as const;
    const request =
      call.scheme === "http"
        ? requestPlain(options)
        : requestSecure({
            ...options,
            servername: call.name,
            ...(call.trust === undefined
              ? { secureContext: trusting(call.roots) }
              : { ca: [...call.roots], ...call.trust }),
          });
    const parts: Buffer[] = [];
    const failed = ({ message }: Error) => resolve({ body: Buffer.concat(parts), trouble: message });
    request.on("error", failed);
    request.on("timeout", () => request.destroy(new Error(`no answer in ${patience / 1000} seconds`)));
    request.on("response", (response) => {
      const { statusCode: status, headers } = response;
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", failed);
      response.on("end", () =>
        resolve({
          body: Buffer.concat(parts),
          ...(status !== undefined && { status }),
          ...(headers.location !== undefined && { location: headers.location }),
        }),
      );
    });
    request.end(call.body);
  });
}
