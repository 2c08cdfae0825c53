import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody } from "../apiService.ts";
import { AwsError } from "./errors.ts";
import type { AwsService } from "./service.ts";

/** Largest body that is read: user data is at most 16 KiB, and nothing else is near it. */
const bodyLimit = 256 * 1024;

/**
 * The service behind HTTP, for the daemon's unix socket. Answers false, and does nothing, where the path is
 * not its own.
 *
 * - `POST /aws/<Action>`: the parameters as JSON. The region may stand in `x-region`, a token that makes the
 *   call repeatable in `x-client-token`. 200 with the answer, or `{ "Error": { "Code", "Message" } }`.
 * - `POST /aws/confirm`: `{ "tokens": […] }` whose answers the caller knows.
 * - `GET /aws/switches`, `PATCH /aws/switches`: how the account behaves (see `Switches`).
 * - `POST /aws/reset`: an empty account.
 */
export function awsHandler(
  service: AwsService,
): (request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  return async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const name = /^\/aws\/([A-Za-z0-9]+)$/.exec(pathname)?.[1];
    if (name === undefined) return false;
    try {
      send(response, 200, await answer(service, request, name));
    } catch (error) {
      const failure = error instanceof AwsError ? error : new AwsError("InternalError", String(error), 500);
      send(response, failure.status, { Error: { Code: failure.code, Message: failure.message } });
    }
    return true;
  };
}

async function answer(service: AwsService, request: IncomingMessage, name: string): Promise<unknown> {
  if (name === "switches" && request.method === "GET") return service.switches;
  const body = await readJson(request);
  if (name === "switches" && request.method === "PATCH") {
    await service.setSwitches(body);
    return service.switches;
  }
  if (request.method !== "POST") throw new AwsError("InvalidRequest", "Actions are called with POST", 405);
  if (name === "reset") {
    await service.reset();
    return {};
  }
  if (name === "confirm") {
    const tokens: unknown = "tokens" in body ? body.tokens : undefined;
    service.confirm(Array.isArray(tokens) ? tokens.map(String) : []);
    return {};
  }
  const region = header(request, "x-region");
  const token = header(request, "x-client-token");
  return service.handle(name, body, {
    ...(region === undefined ? {} : { region }),
    ...(token === undefined ? {} : { token }),
  });
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

async function readJson(request: IncomingMessage): Promise<object> {
  const text = await readBody(
    request,
    bodyLimit,
    () => new AwsError("RequestTooLarge", "The request is larger than 256 KiB", 413),
  );
  if (text === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Said below: what is no JSON and what is no structure are the same mistake.
  }
  throw new AwsError("MalformedQueryString", "The request's body is no JSON object");
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
