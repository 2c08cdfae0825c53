/** Larger disks on a running host. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Document } from "yaml";
import { mayGrowMounted } from "../e2e/capability.ts";
import { count, mailHost, submit, unique } from "../e2e/mail.ts";
import { keepInStack, mailhost, onHost, previewSteps, up, withStack } from "../e2e/mailhost.ts";
import { eventually } from "../eventually.ts";
import { ownCloud } from "./own-cloud.ts";

ownCloud();

/** PIDs and start times of the daemons that hold sessions. */
const daemons = () => onHost("ps -o pid=,lstart= -C master,dovecot,rspamd,redis-server,unbound,imap | sort");

/** MiB. */
const volumeSize = async () => Number(await onHost("df -B1M --output=size /srv | tail -n 1"));

test("larger disks: one step of the host for each, the file system grows, mail is kept; smaller ones are refused", async () => {
  const host = await mailHost();
  const subject = unique("before it grew");
  await submit(host, { from: "ann@example.org", to: "ann@example.org", subject });
  assert.equal(await count(host, "ann@example.org", subject), 1);
  const [before, beforeDaemons] = [await volumeSize(), await daemons()];
  const size = Math.ceil(before / 1024);
  const sizes = (data: number, root: number) => (stack: Document) => {
    stack.setIn(["config", "mailhost:server", "dataSize"], data);
    stack.setIn(["config", "mailhost:server", "rootSize"], root);
  };

  keepInStack(sizes(size + 2, size + 8));
  assert.deepEqual(
    (await previewSteps())
      .map(({ op, name }) => `${op} ${name}`)
      .filter((step) => !step.includes("mailhost-dev"))
      .sort(),
    ["update host-rootdisk", "update host-volume", "update server-data", "update server-instance"],
  );
  const { stdout } = await up();
  assert.match(stdout, /root disk: \/ is overlay on no partition of a disk, and has nothing to grow into/);
  if (mayGrowMounted()) {
    assert.match(stdout, new RegExp(`the data volume's file system has grown to ${size + 2} GiB`));
  } else {
    assert.match(stdout, /cannot grow while it is in use: this container lacks CAP_SYS_RESOURCE/);
  }
  assert.equal(await daemons(), beforeDaemons);
  if (!mayGrowMounted()) {
    assert.equal(await volumeSize(), before);
    await onHost("touch /run/this-boot; systemctl reboot").catch(
      () => "the connection may end with the host",
    );
    await eventually("the host is back", 90, async () => {
      const state = await onHost("test -e /run/this-boot || systemctl is-system-running");
      return state.trim() === "running";
    });
  }
  const after = await volumeSize();
  assert.ok(after > before + 1900 && after < (size + 2) * 1024, `${before}, ${after}`);
  assert.equal(await count(host, "ann@example.org", subject), 1);
  assert.deepEqual(await previewSteps(), []);

  await withStack(sizes(size, size + 7), async () => {
    for (const args of [["preview"], ["up", "--yes", "--skip-preview"]]) {
      const refused = await mailhost(["pulumi", ...args]);
      assert.notEqual(refused.code, 0);
      const said = refused.stdout + refused.stderr;
      assert.match(
        said,
        new RegExp(`has ${size + 2} GiB and cannot shrink to ${size}; nothing was changed\\.`),
      );
      assert.match(
        said,
        new RegExp(`write ${size + 2} or more for mailhost:server\\.dataSize in the stack file`),
      );
      assert.doesNotMatch(said, /\d+ updated/);
    }
  });
  assert.deepEqual(await previewSteps(), []);
});
