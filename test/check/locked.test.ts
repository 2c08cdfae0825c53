import assert from "node:assert/strict";
import { test } from "node:test";
import { HostUnderCheck, type Item } from "../../check/host.ts";
import { runCheck } from "../../check/run.ts";
import { right } from "../../check/types.ts";
import type { Session } from "../../ssh/session.ts";
import { settingsWith } from "../options/settings.ts";
import { target } from "./fixtures.ts";

const ssh = { host: "127.0.0.1", port: 1, user: "admin", privateKey: "", hostKey: "ssh-ed25519 AAAA" };
const item: Item = { name: "one", group: "Mail", look: async () => [right("mail comes")] };

/** A host whose store says this of itself, and what it was asked. */
function hostThatSays(t: { mock: typeof import("node:test").mock }, state: string): string[] {
  const asked: string[] = [];
  const session: Session = {
    run: async (command) => {
      asked.push(command);
      return { code: 0, stdout: `${state}\n`, stderr: "" };
    },
    close: () => undefined,
  };
  t.mock.method(HostUnderCheck.prototype, "session", async () => session);
  return asked;
}

const locked = settingsWith({ lockedStore: true });

for (const state of ["locked", "new"]) {
  test(`a host whose store is ${state} is told in one line, with the way out`, async (t) => {
    hostThatSays(t, state);
    const results = await runCheck(target({ settings: locked, ssh, stack: "prod" }), [item]);
    assert.deepEqual(
      results.map(({ right, text, remedy }) => [right, text, remedy]),
      [
        [
          false,
          "the host is locked, and takes no mail until its store is opened; other servers try again for some days",
          "Open it with its passphrase: `npx mailhost unlock --stack prod`. Then check again.",
        ],
      ],
    );
  });
}

test("an open one is looked at", async (t) => {
  assert.equal(hostThatSays(t, "open").length, 0);
  const results = await runCheck(target({ settings: locked, ssh }), [item]);
  assert.deepEqual(
    results.map(({ text }) => text),
    ["mail comes"],
  );
});

test("a host without a store is not asked for it, and one that boots is waited for before anything is looked at", async (t) => {
  const asked = hostThatSays(t, "locked");
  assert.deepEqual(
    (await runCheck(target({ ssh }), [item])).map(({ text }) => text),
    ["mail comes"],
  );
  assert.deepEqual(asked, ["timeout 60 systemctl is-system-running --wait"]);
});

test("that nobody gets in is left to what looks inside", async () => {
  const results = await runCheck(target({ settings: locked, ssh }), [item]);
  assert.deepEqual(
    results.map(({ text }) => text),
    ["mail comes"],
  );
});
