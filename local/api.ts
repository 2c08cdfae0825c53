/** The daemon's own API, as the commands, the stand-in providers and the tests call it. */
import { type ApiAnswer, type ApiCall, callApi } from "../check/api.ts";
import type { CloudPaths } from "./paths.ts";

/** One call, whatever is answered. @throws as callApi */
export function callSocket(socket: string, call: ApiCall): Promise<ApiAnswer> {
  return callApi({ whom: "The local cloud", at: socket }, call);
}

/**
 * One call that has to work.
 * @param patience seconds for the answer to come; as long as it takes where it is left out
 * @throws with the answered error's text; else as callApi
 */
export async function callDaemon(
  { socket }: Pick<CloudPaths, "socket">,
  method: "GET" | "POST" | "PATCH",
  path: string,
  body?: object,
  patience?: number,
): Promise<unknown> {
  const call = { method, path, body, ...(patience === undefined ? {} : { patience }) };
  const { status, value } = await callSocket(socket, call);
  if (status === 200) return value;
  const { error, Error: failure } = value as { error?: string; Error?: { Message: string } };
  throw new Error(error ?? failure?.Message ?? JSON.stringify(value));
}
