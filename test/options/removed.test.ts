import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { accounts } from "../../plan/services/accounts.ts";
import { settingsWith } from "./settings.ts";

const own = (removed?: unknown) =>
  hostBundles(settingsWith(removed === undefined ? {} : { removed })).find(({ name }) => name === "removed");

it("removed: by default nothing on the host deletes mail", () => {
  assert.equal(own(), undefined);
  assert.equal(own({}), undefined);
});

it("removed: with a number of days, a timer deletes what was removed longer ago", () => {
  const { units, files } = own({ keepDays: 90 }) ?? assert.fail("there is no bundle");
  assert.deepEqual(
    units.map(({ name }) => name),
    ["mailhost-removed.timer"],
  );
  const service = files.find(({ path }) => path.endsWith(".service"))?.content ?? "";
  assert.match(service, /^ExecStart=\/usr\/local\/lib\/mailhost\/removed --expire 90$/m);
  assert.match(service, /^ReadWritePaths=\/srv\/mail \/srv\/removed /m);
});

it("removed: no days and parts of days are mistakes", () => {
  for (const keepDays of [0, -1, 1.5])
    assert.throws(() => settingsWith({ removed: { keepDays } }), /mailhost:removed\.keepDays/);
});

it("removed: each change of the mailboxes is noted, by a program that is there before them", () => {
  const bundles = hostBundles(settingsWith({}));
  const { derivations, after } = accounts(settingsWith({}));
  assert.ok(
    derivations.some(
      ({ command, on }) =>
        command === "/usr/local/lib/mailhost/removed --note" && on.includes("/etc/dovecot/users"),
    ),
  );
  const program = bundles.find(({ files }) =>
    files.some(({ path }) => path === "/usr/local/lib/mailhost/removed"),
  );
  assert.ok(program && after.includes(program.name));
});
