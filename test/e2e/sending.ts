/** What leaves the host of the shared local cloud: straight, or through the other side's relay. */
import assert from "node:assert/strict";
import type { Document } from "yaml";
import { callOtherSide, type ReceivedMessage } from "../../check/otherside.ts";
import { callDaemon } from "../../local/api.ts";
import type { Switches } from "../../local/aws/service.ts";
import type { SesAccess } from "../../local/peer/ses.ts";
import type { SmarthostAccess } from "../../local/peer/smarthost.ts";
import { eventually } from "../eventually.ts";
import { mailHost, otherSide, submit, unique } from "./mail.ts";
import { cloudInfo, onHost } from "./mailhost.ts";

/** What the other side's relay tells its customer. */
export async function smarthost(): Promise<SmarthostAccess> {
  return (await callOtherSide(cloudInfo().peer.api, "/smarthost")) as SmarthostAccess;
}

/** Writes the relay into the stack file. */
export function useRelay(stack: Document, access: SmarthostAccess, more: object = {}): void {
  const { host, port, username, password, caCertificate, spf } = access;
  const relay = { host, port, username, password, caCertificate, spf: [spf], ...more };
  stack.setIn(["config", "mailhost:relay"], stack.createNode(relay));
}

/** How the other side answers from now on. */
export async function answer(manner: object): Promise<void> {
  await callOtherSide(cloudInfo().peer.api, "/answer", { method: "POST", body: manner });
}

/** How the AWS account is (local/aws/state.ts). */
export async function account(switches: Partial<Switches>): Promise<void> {
  await callDaemon(cloudInfo(), "PATCH", "/aws/switches", switches);
}

/** Outgoing port 25, as AWS has it. */
export async function port25(blocked: boolean): Promise<void> {
  await account({ port25Blocked: blocked });
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

const many = "many@example.net";

/** Puts so many into the queue as a program on the host would, without end-user limits. */
export async function enqueue(word: string, count: number, to = many): Promise<void> {
  const letter = `printf 'From: ann@example.org\\nTo: ${to}\\nSubject: ${word} %s\\n\\nWords.\\n' $i`;
  await onHost(`for i in $(seq ${count}); do ${letter} | sendmail -f ann@example.org ${to}; done`);
}

/** Each number of a word has come once, and passed. @returns how many came from each address */
export async function delivered(
  word: string,
  count: number,
  to = many,
): Promise<Readonly<Record<string, number>>> {
  const peer = await otherSide();
  const found = (await peer.messages({ to })).filter(({ subject }) => subject.startsWith(`${word} `));
  const expected = Array.from({ length: count }, (_, index) => `${word} ${index + 1}`);
  assert.deepEqual(found.map(({ subject }) => subject).toSorted(), expected.toSorted());
  assert.deepEqual([...new Set(found.map(judged))], ["pass pass+pass pass"]);
  const from = Map.groupBy(found, ({ client }) => client.address);
  return Object.fromEntries([...from].map(([address, some]) => [address, some.length]));
}

/** Sends so many at once, of both domains. @returns their subjects */
export async function sendMany(word: string, count: number): Promise<readonly string[]> {
  const host = await mailHost();
  const subjects = Array.from({ length: count }, (_, index) => unique(`${word} ${index}`));
  const from = ["ann@example.org", "carol@example.com"];
  await Promise.all(
    subjects.map((subject, index) => submit(host, { from: from[index % 2] ?? "", to: many, subject })),
  );
  return subjects;
}

/** Each of these has come once, from that address, and passes all that a receiver asks. */
export async function cameOnce(subjects: readonly string[], address: string): Promise<void> {
  const all = await (await otherSide()).messages({ to: many });
  for (const subject of subjects) {
    const found = all.filter((message) => message.subject === subject);
    assert.deepEqual(
      found.map((message) => `${message.client.address} ${judged(message)}`),
      [`${address} pass pass+pass pass`],
      subject,
    );
  }
}

/** Mail to friend@example.org, an alias that leads outside, as it arrived there. */
export async function forwarded(subject: string): Promise<ReceivedMessage> {
  const peer = await otherSide();
  const sent = await peer.send({ from: "zoe@example.net", to: "friend@example.org", subject });
  assert.ok(sent.accepted, sent.response);
  return (await peer.waitFor(sent.messageId, 30)) ?? assert.fail("it did not come");
}

/** Amazon SES in the small internet. */
export async function ses(): Promise<SesAccess> {
  return (await callOtherSide(cloudInfo().peer.api, "/ses")) as SesAccess;
}
