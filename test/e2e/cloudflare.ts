import assert from "node:assert/strict";
import { cloudInfo } from "./mailhost.ts";

interface CloudflareAnswer<T> {
  readonly result: T;
  readonly errors: readonly { readonly code: number; readonly message: string }[];
}

/** Cloudflare's API, as a person's dashboard would use it. */
export async function cloudflare<T>(method: string, path: string, body?: object): Promise<T> {
  const { cloudflareUrl, cloudflareToken } = cloudInfo();
  const answer = await fetch(`${cloudflareUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${cloudflareToken}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const { result, errors } = (await answer.json()) as CloudflareAnswer<T>;
  assert.ok(answer.ok, JSON.stringify(errors));
  return result;
}

export async function zoneId(name: string): Promise<string> {
  const [zone] = await cloudflare<readonly { id: string }[]>("GET", `/zones?name=${name}`);
  assert.ok(zone);
  return zone.id;
}
