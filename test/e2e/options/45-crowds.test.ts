/** More sessions at once than Dovecot would hold by itself, and strangers who only take up room. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { crowd, crowdsPassword } from "../everything.ts";
import { greetedImap, type ImapSession, rawImap } from "../imapSession.ts";
import { mailHost } from "../mail.ts";

const found = await mailHost();
const host = { ...found, credentials: Object.fromEntries(crowd.map((address) => [address, crowdsPassword])) };

/** So many as one person may have from one address (`mail_max_userip_connections`), less one. */
const each = 29;
/** All the places that there are (`client_limit` and `process_limit` of imap-login). */
const places = 1000;

/** So many sessions, some at a time. */
async function many(count: number, open: (index: number) => Promise<ImapSession>): Promise<ImapSession[]> {
  const sessions: ImapSession[] = [];
  while (sessions.length < count) {
    const now = Math.min(20, count - sessions.length);
    const from = sessions.length;
    sessions.push(...(await Promise.all(Array.from({ length: now }, (_, index) => open(from + index)))));
  }
  return sessions;
}

const personOf = (index: number) => crowd[index % crowd.length] ?? assert.fail();

test("six people with 29 sessions each, and as many strangers as find room: all stay, and more come in", async (t: TestContext) => {
  const sessions = await many(crowd.length * each, (index) => rawImap(host, personOf(index), t));
  await many(places, () => greetedImap(host, t));
  // One more each: some stranger has to make room.
  const late = await many(crowd.length, (index) => rawImap(host, personOf(index), t));
  for (const session of [...sessions, ...late]) await session.command("NOOP");
});
