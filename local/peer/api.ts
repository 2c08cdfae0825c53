import type { Resolver } from "node:dns/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { SendOrder } from "../../check/otherside.ts";
import type { SesAccount } from "../types.ts";
import { deliver } from "./deliver.ts";
import { type Identity, neededRecords } from "./identity.ts";
import { type Manners, parseManner } from "./manner.ts";
import type { Ses } from "./ses.ts";
import type { Smarthost } from "./smarthost.ts";
import type { MessageStore } from "./store.ts";

/**
 * The API, JSON over HTTP:
 *
 * | call | answer |
 * |---|---|
 * | `GET /` | `{domain, hostname, address}` |
 * | `GET /records` | `PublishedRecord[]` that the world has to publish |
 * | `GET /messages?to=&since=` | what came in, oldest first |
 * | `GET /messages/<id>`, `GET /messages/<id>/raw` | one; as it came |
 * | `DELETE /messages` | forgets all |
 * | `GET /wait?messageId=&timeout=` | the message, or `null` after that many seconds |
 * | `POST /send` `SendOrder` | `SendOutcome` |
 * | `GET /smarthost` | `SmarthostAccess` of its relay for customers, or `null` |
 * | `GET /ses` | `SesAccess` of Amazon SES in this world, or `null` |
 * | `POST /ses` `SesAccount` | all that it knows from now on |
 * | `GET /answer`, `POST /answer` `Manner` | how it answers mail from now on |
 */
export function apiServer(
  identity: Identity,
  resolver: Resolver,
  store: MessageStore,
  manners: Manners,
  smarthost?: Smarthost,
  ses?: Ses,
): Server {
  return createServer((request, response) => {
    answer(request).then(
      (value) => {
        if (Buffer.isBuffer(value)) {
          response.writeHead(200, { "content-type": "message/rfc822" }).end(value);
        } else {
          json(response, 200, value ?? null);
        }
      },
      (error: Error) => json(response, error instanceof NotFound ? 404 : 400, { error: error.message }),
    );
  });

  async function answer(request: IncomingMessage): Promise<unknown> {
    const url = new URL(request.url ?? "/", "http://peer");
    const query = url.searchParams;
    const [, first, id, part] = url.pathname.split("/");
    switch (`${request.method} /${first}`) {
      case "GET /":
        return { domain: identity.domain, hostname: identity.hostname, address: identity.address };
      case "GET /records":
        return [...neededRecords(identity), ...(smarthost?.records() ?? []), ...(ses?.records() ?? [])];
      case "GET /smarthost":
        return smarthost?.access;
      case "GET /ses":
        return ses?.access;
      case "POST /ses":
        return ses?.tell((await body(request)) as SesAccount);
      case "GET /messages": {
        if (id === undefined || id === "") {
          const to = query.get("to");
          const since = query.get("since");
          return store.list({ ...(to ? { to } : {}), ...(since ? { since } : {}) });
        }
        const message = store.find(id);
        if (message === undefined) {
          throw new NotFound(`There is no message ${id}`);
        }
        return part === "raw" ? store.raw(id) : message;
      }
      case "DELETE /messages":
        return store.clear();
      case "GET /wait":
        return await store.wait(query.get("messageId") ?? "", Number(query.get("timeout") ?? 30));
      case "POST /send":
        return await deliver(parseOrder(await body(request)), identity, resolver);
      case "GET /answer":
        return manners.current;
      case "POST /answer":
        manners.set(parseManner(await body(request)));
        return manners.current;
      default:
        throw new NotFound(`There is no ${request.method} ${url.pathname}`);
    }
  }
}

class NotFound extends Error {}

function parseOrder(value: unknown): SendOrder {
  const order = value as SendOrder;
  for (const key of ["from", "to"] as const) {
    if (typeof order?.[key] !== "string" || !order[key].includes("@")) {
      throw new Error(`"${key}" has to be a mail address`);
    }
  }
  return order;
}

async function body(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) {
    parts.push(part as Buffer);
  }
  return JSON.parse(Buffer.concat(parts).toString());
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
