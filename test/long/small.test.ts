/**
 * A machine with 512 MB: 2,000 messages at full speed in, while 50 programs read. Nothing is killed, nothing lost. The
 * limit is a group of the kernel's memory controller, around the machine of a local cloud; it has no swap.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { connectImap } from "../../check/imap.ts";
import { type MailHost, mailHost } from "../e2e/mail.ts";
import { cloudFolder, onHost } from "../e2e/mailhost.ts";
import { eventually } from "../eventually.ts";
import { flood } from "./flood.ts";
import { ownCloud } from "./own-cloud.ts";

const group = `/sys/fs/cgroup/memory/mailhost-small-${process.pid}`;
const messages = 2000;
const sessions = 50;
let host: MailHost;

/** Processes here of the cloud's machine: those that see its root. */
function machinePids(): readonly number[] {
  const id = readdirSync(join(cloudFolder, "machines"))[0] ?? assert.fail("no machine");
  const seen = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const parents = new Map<number, number>();
  let nspawn = 0;
  for (const pid of seen) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (command.startsWith("systemd-nspawn") && command.includes(`/machines/${id}/`)) nspawn = Number(pid);
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && (parent === nspawn || isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow);
}

// A cloud's machine has a tree of the second version for itself, out of which its processes must not be taken.
if (!existsSync(dirname(group)))
  throw new Error(
    `This test needs the kernel's memory controller in ${dirname(group)} (cgroups' first version).`,
  );
// Whom nobody knows would be asked to come again in five minutes.
ownCloud(
  (stack) => stack.setIn(["config", "mailhost:spam"], stack.createNode({ greylist: 0 })),
  async () => {
    host = await mailHost();
    mkdirSync(group);
    writeFileSync(join(group, "memory.limit_in_bytes"), String(512 * 1024 * 1024));
    for (const pid of machinePids()) {
      try {
        writeFileSync(join(group, "cgroup.procs"), String(pid));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
    // What a process had before stays charged to where it was: so all of them start anew, inside.
    await onHost(
      "systemctl restart systemd-journald unbound redis-server rspamd dovecot && systemctl restart postfix",
    );
  },
);
after(() => {
  if (existsSync(group)) rmdirSync(group);
});

function kills(): number {
  const text = readFileSync(join(group, "memory.oom_control"), "utf8");
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? assert.fail(text));
}

test(`${messages} messages at full speed and ${sessions} IMAP sessions: no kill, nothing lost`, async (t) => {
  const subject = `small ${process.pid}`;
  const readers = await Promise.all(
    Array.from({ length: sessions }, (_, index) => {
      const user = ["ann@example.org", "bob@example.org", "carol@example.com"][index % 3] ?? "";
      return connectImap(
        { address: host.publicIp, port: 993, name: host.hostname, roots: host.roots },
        { address: user, password: host.credentials[user] ?? "" },
      );
    }),
  );
  const begun = performance.now();
  // A name that exists, and says nothing of who may send for it.
  await flood(host, { from: "zoe@deb.debian.org", to: "bob@example.org", subject, messages });
  t.diagnostic(`${messages} taken in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  await eventually("all are delivered", 300, async () => {
    const found = await onHost(`doveadm search -u bob@example.org mailbox "*" subject "${subject}" | wc -l`);
    return Number(found) === messages;
  });
  for (const reader of readers) {
    await reader.noop();
    await reader.logout();
  }
  const most = Number(readFileSync(join(group, "memory.max_usage_in_bytes"), "utf8"));
  t.diagnostic(`at most ${Math.round(most / 1024 / 1024)} MB, files in the cache counted`);
  assert.equal(kills(), 0);
});
