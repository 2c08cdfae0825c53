import assert from "node:assert/strict";
import { test } from "node:test";
import { onHost } from "../e2e/mailhost.ts";
import { eventually } from "../eventually.ts";
import { ownCloud } from "./own-cloud.ts";

ownCloud();

test("all daemons at rest hold at most 165 MB together", async (t) => {
  let megabytes = Number.POSITIVE_INFINITY;
  // Postfix's and Dovecot's processes that a first deployment and its check have started end after some 100 seconds.
  await eventually("it is at rest", 300, async () => {
    // A page that several share counts in parts (proc_pid_smaps(5), Pss). The shell that asks is no daemon.
    const said = await onHost(
      `for each in /proc/[0-9]*; do
         grep -q /login- $each/cgroup 2>/dev/null || awk '/^Pss:/ {print $2}' $each/smaps_rollup 2>/dev/null
       done | awk '{sum += $1} END {print sum}'`,
    );
    megabytes = Number(said) / 1024;
    assert.ok(megabytes <= 165, `${Math.round(megabytes)} MB`);
    return true;
  });
  t.diagnostic(`${Math.round(megabytes)} MB`);
});
