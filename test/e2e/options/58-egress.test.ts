/** Where the host's own connections may go, each service as its own user. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cloudInfo, onHost } from "../mailhost.ts";

const { address } = cloudInfo().peer;

/** What comes of connections to the other side, by user and port: the beginning of a greeting, or why there is none. */
async function talks(...tries: readonly (readonly [user: string, port: number])[]) {
  const words = tries.map(
    ([user, port]) =>
      `said=$(runuser -u ${user} -- timeout 3 bash -c 'exec 3<>/dev/tcp/${address}/${port} && head -c 3 <&3' 2>&1); echo "$?: $said" | tail -n 1 | sed "s, *$,,"`,
  );
  return (await onHost(words.join("\n"))).trim().split("\n");
}

const prohibited = /No route to host$/;

test("mail goes out as Postfix and root, and as nobody else; other ports are closed to all services", async () => {
  const [postfix, root, ...others] = await talks(
    ["postfix", 25],
    ["root", 25],
    ["_rspamd", 25],
    ["vmail", 25],
    ["nobody", 25],
    ["postfix", 6667],
    ["_rspamd", 6667],
  );
  assert.deepEqual([postfix, root], ["0: 220", "0: 220"]);
  assert.equal(others.length, 5);
  for (const said of others) assert.match(said, prohibited);
});

test("where the host's own rules are gone, the security group's are left, which answers nobody", async () => {
  await onHost("systemctl stop mailhost-egress");
  try {
    assert.deepEqual(await talks(["nobody", 25], ["root", 6667]), ["0: 220", "124:"]);
  } finally {
    await onHost("systemctl start mailhost-egress");
  }
});

test("packages, names and the time come all the same", async () => {
  await onHost("apt-get -q update && getent ahostsv4 mx.example.net");
  assert.match(
    await onHost("runuser -u systemd-timesync -- bash -c 'echo >/dev/udp/192.0.2.1/123' && echo sent"),
    /sent/,
  );
});
