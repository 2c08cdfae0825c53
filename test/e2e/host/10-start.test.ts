import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../eventually.ts";
import {
  aws,
  gitStatus,
  nothingLeft,
  onHost,
  previewSteps,
  succeed,
  withoutUpdates,
  world,
} from "../mailhost.ts";
import { within } from "../yardstick.ts";

test("a clean clone, npm start, and the host is up and checked", async (t) => {
  await nothingLeft();
  const ran = await within(t, "npm start", 220, () => succeed(["start"]));
  assert.match(ran.stdout, /\b0 wrong\b/);
  assert.match(ran.stdout, /npm run mail -- send/);
  assert.doesNotMatch(ran.stdout, /port 25 is blocked/);
  await withoutUpdates();
});

test("npm start again: quick, nothing to do, and no connection to the host but the check's own", async (t) => {
  const logins = () =>
    onHost("journalctl --sync; journalctl -q -u ssh -g '^Accepted publickey' -o cat | wc -l");
  const before = Number(await logins());
  const ran = await succeed(["pulumi", "up", "--yes", "--skip-preview"]);
  assert.match(ran.stdout, /\d+ unchanged/);
  // The two counts are one login each, and the first is in its own count.
  assert.equal(Number(await logins()), before + 1);
  await within(t, "npm start with nothing to do", 15, () => succeed(["start"]));
});

test("the check takes ten seconds at most", async (t) => {
  await within(t, "npm run check", 10, () => succeed(["check"]));
});

test("the preview is empty, and a refresh finds nothing, also when Debian has a newer image", async () => {
  const images = async () => {
    const { Images } = await aws<{ Images: readonly { ImageId: string; CreationDate: string }[] }>(
      "DescribeImages",
      { Owners: ["136693071363"] },
    );
    return Images.toSorted((a, b) => a.CreationDate.localeCompare(b.CreationDate));
  };
  const old = (await images()).at(-1);
  await world("newer-images");
  const newest = (await images()).at(-1);
  assert.ok(newest && old && newest.CreationDate > old.CreationDate);
  assert.deepEqual(await previewSteps(), []);
  const refreshed = await succeed(["pulumi", "refresh", "--yes", "--skip-preview", "--expect-no-changes"]);
  assert.match(refreshed.stdout, /unchanged/);
});

test("no tracked file was written to", () => {
  assert.equal(gitStatus(), "");
});

test("names: hostname -f and mailname are one", async () => {
  assert.equal((await onHost("hostname -f; cat /etc/mailname")).trim(), "mail.example.org\nmail.example.org");
});

test("systemd is content, and nothing listens but what the plan says", async () => {
  await eventually(
    "every unit is up",
    60,
    async () => (await onHost("systemctl is-system-running || true")).trim() === "running",
  );
  const listeners = await onHost(
    "ss -Hltn | awk '{print $4}' | grep -vE '^(127\\.|\\[::1\\])' | sed 's/.*://' | sort -nu",
  );
  // 5355 would be systemd-resolved, 80 is open only while a certificate is asked for.
  assert.deepEqual(listeners.trim().split("\n"), ["22", "25", "465", "587", "993"]);
});
