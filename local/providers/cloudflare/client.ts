import { connectionError, runningCloud } from "../cloud.ts";

/** An error of the API, as the official provider shows it: what was asked, the status, the codes. */
export class ApiError extends Error {
  readonly status: number;
  readonly codes: readonly number[];

  constructor(what: string, status: number, errors: readonly ApiMessage[]) {
    const said = errors.map((error) => `${error.message} (${error.code})`).join("; ") || "no reason given";
    super(`failed to make http request: ${what}: ${status}: ${said}`);
    this.name = "ApiError";
    this.status = status;
    this.codes = errors.map((error) => error.code);
  }
}

interface ApiMessage {
  readonly code: number;
  readonly message: string;
}

interface Envelope<T> {
  readonly success: boolean;
  readonly errors?: readonly ApiMessage[];
  readonly result: T;
  readonly result_info?: { readonly total_pages?: number };
}

/** `cloudflare:` configuration of the stack. */
export const configuration: { baseUrl?: string | undefined; apiToken?: string | undefined } = {};

/**
 * Where the API is. A token without a base URL is ignored: it is a person's own, for the real Cloudflare, and is
 * not handed to anything else.
 */
function api(): { url: string; token: string } {
  const url = configuration.baseUrl ?? process.env.CLOUDFLARE_BASE_URL;
  const token = configuration.apiToken ?? process.env.CLOUDFLARE_API_TOKEN;
  if (url && token) return { url, token };
  const cloud = runningCloud();
  return { url: cloud.cloudflareUrl, token: cloud.cloudflareToken };
}

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const { url, token } = api();
  const headers = { ...init.headers, authorization: `Bearer ${token}` };
  return await fetch(`${url.replace(/\/$/, "")}${path}`, { ...init, headers }).catch((error: Error) => {
    throw connectionError(error);
  });
}

async function send<T>(
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Envelope<T>> {
  const response = await request(path, {
    method,
    // The parts of an upload bring a type of their own.
    ...(body instanceof FormData
      ? { body, headers }
      : {
          headers: { ...headers, "content-type": "application/json" },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        }),
  });
  const text = await response.text();
  let envelope: Envelope<T>;
  try {
    envelope = JSON.parse(text) as Envelope<T>;
  } catch {
    throw new ApiError(`${method} ${path}`, response.status, []);
  }
  if (!envelope.success) throw new ApiError(`${method} ${path}`, response.status, envelope.errors ?? []);
  return envelope;
}

export async function call<T>(
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<T> {
  return (await send<T>(method, path, body, headers)).result;
}

/** The parts of a script, as it was uploaded. */
export async function download(path: string): Promise<File[]> {
  const response = await request(path);
  if (!response.ok) throw new ApiError(`GET ${path}`, response.status, []);
  const form = await response.formData();
  return [...form.values()].filter((part) => typeof part !== "string");
}

/** The answer, or undefined where what it is about is not there. */
export async function maybe<T>(method: string, path: string): Promise<T | undefined> {
  try {
    return await call<T>(method, path);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/** All pages of a list, up to `most` items. */
export async function listAll<T>(path: string, query: URLSearchParams, most: number): Promise<T[]> {
  const items: T[] = [];
  for (let page = 1; items.length < most; page++) {
    query.set("page", String(page));
    const answer = await send<T[]>("GET", `${path}?${query}`);
    items.push(...answer.result);
    if (page >= (answer.result_info?.total_pages ?? 1)) break;
  }
  return items.slice(0, most);
}
