import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { tryRun } from "../run.ts";

/** Debian's archive under its own names, which lead here in the cloud's DNS. */
export const mirrorHosts = ["deb.debian.org", "security.debian.org"] as const;

/**
 * A caching mirror of Debian's archive: what has an immutable name (packages, indices by hash) is fetched once and
 * kept, the rest is asked for each time and, where the archive cannot be reached, served as it last was. Several
 * processes may share one folder. Serves as a proxy (whole URL) as well as in the archive's place (Host header).
 */
export class Mirror {
  readonly server: Server;
  readonly #folder: string;
  readonly #log: (text: string) => void;
  readonly #fetching = new Map<string, Promise<Fetched>>();
  #proxy: Promise<URL | undefined> | undefined;
  /** Files that came from the archive and not from the folder. */
  downloads = 0;

  /** @param proxy by which the archive is reached; default: the one that this machine's own apt uses */
  constructor(folder: string, log: (text: string) => void, proxy?: URL) {
    this.#folder = folder;
    this.#log = log;
    if (proxy !== undefined) this.#proxy = Promise.resolve(proxy);
    mkdirSync(folder, { recursive: true });
    this.server = createServer((request, response) => {
      this.#answer(request, response).catch((error: Error) => {
        this.#log(`mirror: ${request.url}: ${error.message}`);
        if (response.headersSent) response.destroy();
        else response.writeHead(502, { "content-type": "text/plain" }).end(`${error.message}\n`);
      });
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", `http://${request.headers.host ?? mirrorHosts[0]}`);
    if (!mirrorHosts.some((host) => host === url.hostname) || /%2f|%2e%2e|\.\./i.test(url.pathname)) {
      response.writeHead(403, { "content-type": "text/plain" }).end("Only Debian's archive is here.\n");
      return;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
      return;
    }
    const { status, path } = await this.#get(url);
    if (path === undefined) {
      response.writeHead(status, { "content-length": 0 }).end();
      return;
    }
    const { size, mtime } = statSync(path);
    const since = Date.parse(request.headers["if-modified-since"] ?? "");
    if (since >= Math.floor(mtime.getTime() / 1000) * 1000) {
      response.writeHead(304).end();
      return;
    }
    response.writeHead(200, { "content-length": size, "last-modified": mtime.toUTCString() });
    if (request.method === "HEAD") response.end();
    else await pipeline(createReadStream(path), response);
  }

  async #get(url: URL): Promise<Fetched> {
    const path = join(
      this.#folder,
      url.hostname,
      decodeURIComponent(url.pathname).replaceAll(/[^\w./+~:-]/g, "_"),
    );
    const kept = existsSync(path) && statSync(path).isFile();
    if (kept && isImmutable(url.pathname)) return { status: 200, path };
    const known = this.#fetching.get(path);
    if (known !== undefined) return await known;
    const fetching = this.#fetch(url, path, kept).finally(() => this.#fetching.delete(path));
    this.#fetching.set(path, fetching);
    return await fetching;
  }

  async #fetch(url: URL, path: string, kept: boolean): Promise<Fetched> {
    let response: IncomingMessage;
    try {
      response = await this.#ask(url, kept ? statSync(path).mtime : undefined);
    } catch (error) {
      // Without the network, yesterday's index and the packages it names still make a host.
      if (kept) return { status: 200, path };
      throw new Error(`Debian's archive cannot be reached: ${(error as Error).message}`);
    }
    const status = response.statusCode ?? 502;
    if (status !== 200) {
      response.resume();
      return kept && (status === 304 || status >= 500) ? { status: 200, path } : { status };
    }
    mkdirSync(dirname(path), { recursive: true });
    const beside = `${path}.${process.pid}.part`;
    try {
      await pipeline(response, createWriteStream(beside));
      const length = response.headers["content-length"];
      if (length !== undefined && statSync(beside).size !== Number(length))
        throw new Error("The connection broke.");
      const modified = Date.parse(response.headers["last-modified"] ?? "");
      if (!Number.isNaN(modified)) utimesSync(beside, modified / 1000, modified / 1000);
      renameSync(beside, path);
    } finally {
      rmSync(beside, { force: true });
    }
    this.downloads += 1;
    return { status: 200, path };
  }

  async #ask(url: URL, since: Date | undefined, redirects = 5): Promise<IncomingMessage> {
    this.#proxy ??= archiveProxy();
    const proxy = await this.#proxy;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = {
        host: url.host,
        ...(since !== undefined && { "if-modified-since": since.toUTCString() }),
      };
      const request =
        proxy === undefined
          ? httpRequest(url, { headers, timeout: 30_000 })
          : httpRequest(proxy, { path: url.href, headers, timeout: 30_000 });
      request.on("response", resolve);
      request.on("error", reject);
      request.on("timeout", () => request.destroy(new Error("no answer in 30 s")));
      request.end();
    });
    const { location } = response.headers;
    if (
      location === undefined ||
      redirects === 0 ||
      ![301, 302, 307, 308].includes(response.statusCode ?? 0)
    ) {
      return response;
    }
    response.resume();
    return await this.#ask(new URL(location, url), since, redirects - 1);
  }
}

interface Fetched {
  readonly status: number;
  /** The file with the content, where there is any. */
  readonly path?: string;
}

/** A package's file name holds its version; a file by hash is its own name (DebianRepository/Format in Debian's wiki). */
function isImmutable(path: string): boolean {
  return /\.u?deb$/.test(path) || path.includes("/by-hash/");
}

/** The proxy that this machine's own apt uses. */
async function archiveProxy(): Promise<URL | undefined> {
  const setting = await tryRun("apt-config", ["shell", "PROXY", "Acquire::http::Proxy"]);
  const value = /^PROXY='(.*)'$/m.exec(setting ?? "")?.[1] || process.env.http_proxy;
  return value && value !== "DIRECT" ? new URL(value) : undefined;
}
