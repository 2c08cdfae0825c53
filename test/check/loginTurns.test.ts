import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type LoginPort, LoginTurns } from "../../check/loginTurns.ts";

/** Postfix's limit at each port, as it is in the host's file. */
const limit = Number(
  /smtpd_client_auth_rate_limit=(\d+)/.exec(
    readFileSync(join(import.meta.dirname, "../../files/etc/postfix/master.cf"), "utf8"),
  )?.[1],
);

/** When each of so many logins was tried, and where; a second is as long as it is waited for. */
async function logins(ports: readonly LoginPort[], count: number) {
  let now = 5_000;
  const turns = new LoginTurns(
    ports,
    () => now,
    async (milliseconds) => {
      now += milliseconds;
    },
  );
  const tried: { readonly port: LoginPort; readonly at: number }[] = [];
  for (let index = 0; index < count; index += 1) {
    tried.push({ port: await turns.next(), at: now });
    now += 50;
  }
  return tried;
}

test("a few domains: all at one port, and nobody waits", async () => {
  const tried = await logins(["submissions", "submission"], 80);
  assert.deepEqual([...new Set(tried.map(({ port }) => port))], ["submissions"]);
  assert.equal(tried.at(-1)?.at, 5_000 + 79 * 50);
});

test("a hundred: the rest at the other port, and nobody waits", async () => {
  const tried = await logins(["submissions", "submission"], 100);
  assert.equal(tried.filter(({ port }) => port === "submission").length, 10);
  assert.ok((tried.at(-1)?.at ?? 0) < 11_000);
});

test("however many there are, no port is tried more often in a minute than Postfix lets one address", async () => {
  for (const ports of [["submissions"], ["submissions", "submission"]] as const) {
    const tried = await logins(ports, 500);
    assert.equal(tried.length, 500);
    // As anvil(8) counts: from a first one on, for a minute, then anew.
    for (const port of ports) {
      let [since, count] = [Number.NEGATIVE_INFINITY, 0];
      for (const { at } of tried.filter((other) => other.port === port)) {
        if (at - since > 61_000) [since, count] = [at, 0];
        count += 1;
        assert.ok(count < limit, `${port}: ${count}`);
      }
    }
  }
});
