import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import type { EdgeWorld } from "../types.ts";
import type { Acme } from "./acme.ts";
import { Isolate } from "./isolate.ts";
import type { Network } from "./network.ts";
import { listenInside } from "./sockets.ts";

/** Bytes of a request's body; Cloudflare takes 100 MB, and nothing here needs so much. */
const bodyLimit = 1024 * 1024;

/** Cloudflare's edge: answers on ports 80 and 443 of one address for every name that has a Worker. */
export class Edge implements EdgeWorld {
  readonly address: string;
  readonly #network: Network;
  readonly #acme: Acme;
  readonly #folder: string;
  readonly #log: (text: string) => void;
  readonly #closers: (() => void)[] = [];
  /** By script text: names that share a script share its isolate. */
  #isolates = new Map<string, Isolate>();
  #scripts: Readonly<Record<string, string>> = {};

  constructor(network: Network, acme: Acme, folder: string, log: (text: string) => void) {
    this.#network = network;
    this.#acme = acme;
    this.#folder = folder;
    this.#log = log;
    this.address = network.addresses.edge;
  }

  async open(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const answer = (scheme: "http" | "https") => (request: IncomingMessage, response: ServerResponse) =>
      void this.#answer(scheme, request, response);
    const secure = createHttps(
      {
        minVersion: "TLSv1.2",
        // A name without a certificate gets no handshake.
        SNICallback: (name, done) => {
          try {
            done(null, this.#context(name));
          } catch (error) {
            done(error as Error);
          }
        },
      },
      answer("https"),
    );
    const plain = createHttp(answer("http"));
    const servers = [
      { port: 443, server: secure },
      { port: 80, server: plain },
    ] as const;
    await Promise.all(
      servers.map(async ({ port, server }) => {
        const listener = await listenInside(this.#network.internet, this.address, port);
        listener.on("connection", (socket) => {
          server.emit("connection", socket);
          socket.resume();
        });
        this.#closers.push(() => {
          listener.close();
          server.closeAllConnections();
        });
      }),
    );
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) close();
    await Promise.all([...this.#isolates.values()].map((isolate) => isolate.close()));
    this.#isolates = new Map();
    this.#scripts = {};
  }

  async tryScript(source: string): Promise<void> {
    const isolate = await Isolate.start(source);
    await isolate.close();
  }

  async serve(scripts: Readonly<Record<string, string>>): Promise<void> {
    const wanted = new Set(Object.values(scripts));
    const isolates = new Map<string, Isolate>();
    for (const source of wanted)
      isolates.set(source, this.#isolates.get(source) ?? (await Isolate.start(source)));
    for (const name of Object.keys(scripts))
      if (!existsSync(this.#file(name, "pem"))) await this.#acme.issue(name, this.#folder);
    const before = this.#isolates;
    this.#isolates = isolates;
    this.#scripts = { ...scripts };
    for (const [source, isolate] of before) if (!wanted.has(source)) await isolate.close();
  }

  async #answer(scheme: "http" | "https", request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const host = request.headers.host?.toLowerCase().replace(/:\d+$/, "") ?? "";
      const isolate = this.#isolates.get(this.#scripts[host] ?? "");
      if (isolate === undefined) {
        response.writeHead(522, { server: "cloudflare" }).end("error code: 522");
        return;
      }
      const body = await bodyOf(request);
      const { method = "GET", rawHeaders } = request;
      const answer = await isolate.fetch({
        url: `${scheme}://${host}${request.url}`,
        method,
        headers: rawHeaders.flatMap((name, at) =>
          at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ""] as const] : [],
        ),
        ...(method !== "GET" && method !== "HEAD" && { body }),
      });
      const headers = [...answer.headers, ["server", "cloudflare"] as const].flat();
      response.writeHead(answer.status, headers).end(method === "HEAD" ? undefined : answer.body);
    } catch (error) {
      this.#log(`edge: ${request.method} ${request.url}: ${String(error)}`);
      // What visitors see of a script that throws.
      response.writeHead(500, { server: "cloudflare" }).end("error code: 1101");
    }
  }

  #context(name: string): SecureContext {
    if (this.#scripts[name] === undefined) throw new Error(`There is no certificate for ${name}.`);
    return createSecureContext({
      cert: readFileSync(this.#file(name, "pem")),
      key: readFileSync(this.#file(name, "key")),
    });
  }

  #file(name: string, kind: "pem" | "key"): string {
    return join(this.#folder, `${name}.${kind}`);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    parts.push(part as Buffer);
    size += (part as Buffer).length;
    if (size > bodyLimit) throw new Error("the body is too long");
  }
  return Buffer.concat(parts);
}
