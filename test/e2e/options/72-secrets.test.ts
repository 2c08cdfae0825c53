/** The passwords that options bring: of devices, of rspamd's page, of webmail, of trusted hosts. The relay's has a test of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { noneIsFound, secrets } from "../secrets.ts";

test("no generated password of an option in state, history, logs, output or process lists", async () => {
  const all = await secrets();
  const names = [...all.keys()].join("\n");
  for (const name of [
    /^accounts-ann@example\.org\/laptop password$/m,
    /^generated-rspamd-page /m,
    /^generated-webmail /m,
    /^generated-trusted-host-shop /m,
  ])
    assert.match(names, name);
  await noneIsFound(all);
});
