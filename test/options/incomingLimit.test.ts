import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

/** What port 25 counts of an address. */
function limits(keys: Readonly<Record<string, unknown>>): readonly string[] {
  const master =
    hostBundles(settingsWith(keys))
      .flatMap(({ files }) => files)
      .find(({ path }) => path === "/etc/postfix/master.cf")?.content ?? "";
  const [service = ""] = /^smtp +inet .*\n(?:(?: |#).*\n)*/m.exec(master) ?? [];
  return [...service.matchAll(/^ +-o smtpd_client_(\w+)=(\d+)$/gm)].map(
    ([, name, value]) => `${name} ${value}`,
  );
}

it("incomingLimit: twenty connections an address, and any number of messages", () => {
  assert.deepEqual(limits({}), ["connection_count_limit 20"]);
});

it("incomingLimit: both can be others, or none", () => {
  assert.deepEqual(limits({ incomingLimit: { connections: 5, messages: 600 } }), [
    "connection_count_limit 5",
    "message_rate_limit 600",
  ]);
  assert.deepEqual(limits({ incomingLimit: { connections: 0 } }), ["connection_count_limit 0"]);
});

it("incomingLimit: what cannot be is said", () => {
  for (const wrong of [{ connections: 101 }, { messages: -1 }, { hourly: 3 }, 20])
    assert.throws(() => settingsWith({ incomingLimit: wrong }), /mailhost:incomingLimit/);
});
