/** What leaves the host of the shared local cloud: straight, or through the other side's relay. */
import type { Document } from "yaml";
import { callApi, type ReceivedMessage } from "../../check/otherside.ts";
import type { SmarthostAccess } from "../../local/peer/smarthost.ts";
import { cloudInfo, eventually, onHost } from "./mailhost.ts";

/** What the other side's relay tells its customer. */
export async function smarthost(): Promise<SmarthostAccess> {
  return (await callApi(cloudInfo().peer.api, "/smarthost")) as SmarthostAccess;
}

/** Writes the relay into the stack file. */
export function useRelay(stack: Document, access: SmarthostAccess, more: object = {}): void {
  const { host, port, username, password, caCertificate, spf } = access;
  const relay = { host, port, username, password, caCertificate, spf: [spf], ...more };
  stack.setIn(["config", "mailhost:relay"], stack.createNode(relay));
}

/** How the other side answers from now on. */
export async function answer(manner: object): Promise<void> {
  await callApi(cloudInfo().peer.api, "/answer", { method: "POST", body: manner });
}

/** Outgoing port 25, as AWS has it. */
export async function port25(blocked: boolean): Promise<void> {
  const call = { method: "PATCH", body: { port25Blocked: blocked } } as const;
  await callApi(cloudInfo().socket, "/aws/switches", call);
}

/** How many messages wait in the host's queue. */
export async function waiting(): Promise<number> {
  return Number(await onHost("postqueue -j | wc -l"));
}

/** Tries all that waits, until nothing does: what a connection to a closed port holds comes back after 30 seconds. */
export async function queueIsEmpty(seconds: number): Promise<void> {
  await eventually("the queue is empty", seconds, async () => {
    const left = Number(await onHost("postqueue -f; sleep 1; postqueue -j | wc -l"));
    return left === 0;
  });
}

/** What a receiver makes of a message, in a word for each: SPF, every signature, DMARC. */
export function judged({ verdict }: ReceivedMessage): string {
  const dkim = verdict.dkim.map(({ result }) => result).join("+");
  return `${verdict.spf.result} ${dkim} ${verdict.dmarc.result}`;
}
