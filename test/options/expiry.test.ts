import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

const commands = (expiry?: unknown) =>
  hostBundles(settingsWith(expiry === undefined ? {} : { expiry }))
    .find(({ name }) => name === "expiry")
    ?.files.flatMap(({ content }) => content.match(/^ExecStart=.*$/gm) ?? []);

it("expiry: by default Trash and Junk lose what has been there for 30 days", () => {
  assert.deepEqual(commands(), [
    "ExecStart=doveadm expunge -A mailbox Trash savedbefore 30d",
    "ExecStart=doveadm expunge -A mailbox Junk savedbefore 30d",
  ]);
});

it("expiry: a folder with 0 days is left alone, and with both at 0 there is nothing on the host", () => {
  assert.deepEqual(commands({ trash: 0, junk: 14 }), [
    "ExecStart=doveadm expunge -A mailbox Junk savedbefore 14d",
  ]);
  assert.equal(commands({ trash: 0, junk: 0 }), undefined);
});

it("expiry: a time that is none is a mistake", () => {
  for (const trash of [-1, 0.5, "30d"])
    assert.throws(() => settingsWith({ expiry: { trash } }), /mailhost:expiry\.trash/);
});
