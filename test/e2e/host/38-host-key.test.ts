/** The SSH host key, changed for another one by one command that dies again and again. Later files find a host that has another one. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import type { StackOutputs } from "../../../local/stack.ts";
import { HOST_KEY } from "../../../plan/hostKey.ts";
import { shownHostKey } from "../../../ssh/client.ts";
import { eventually } from "../../eventually.ts";
import {
  keepInStack,
  keepStackText,
  mailhost,
  onHost,
  previewSteps,
  stackOutput,
  stackText,
  succeed,
  up,
} from "../mailhost.ts";
import { pairs, states } from "../turns.ts";

const access = async () => ((await stackOutput()) as unknown as StackOutputs).ssh;

/** PIDs and start times of all that a deployment might start anew. */
const daemons = () =>
  onHost("ps -o pid=,lstart= -C master,dovecot,rspamd,redis-server,unbound,fail2ban-server | sort");

const dropIn = "/etc/systemd/system/ssh.service.d/zz-held.conf";

/** What sshd does when it is told to read its keys again, in place of that alone. */
const reloadBy = (...commands: readonly string[]) =>
  onHost(
    `mkdir -p $(dirname ${dropIn})
     printf '%s\\n' '[Service]' 'ExecReload=' ${commands.map((each) => `'ExecReload=${each}'`).join(" ")} >${dropIn}
     systemctl daemon-reload`,
  );

/** Nobody who goes by what the last whole `up` has told is turned away. */
async function stillIn(): Promise<void> {
  assert.equal(await onHost("echo in"), "in\n");
  assert.equal((await succeed(["host", "--", "echo in"])).stdout, "in\n");
}

test("a host key that leaked is changed by one command; wherever that dies the host lets its owner in, and it goes on", async (t) => {
  const before = await pairs(HOST_KEY);
  assert.deepEqual(states(before), ["signing", "published"]);
  const [leaked] = before;
  const { host, port, hostKey, nextHostKey } = await access();
  assert.ok(leaked !== undefined && nextHostKey !== undefined);
  assert.equal(await shownHostKey({ host, port }, [hostKey, nextHostKey]), hostKey);
  const running = await daemons();

  const text = stackText();
  const session = mailhost(["host", "--", "sleep 30; echo it lasted"]);
  keepInStack((stack) =>
    stack.setIn(["config", "mailhost:hostKey"], stack.createNode({ revoked: [leaked.generation] })),
  );
  try {
    const killed = async (killWhen: Promise<unknown>) => {
      const ran = await mailhost(["pulumi", "up", "--yes", "--skip-preview"], { killWhen });
      assert.equal(ran.code, -1, ran.stdout.slice(-4000) + ran.stderr.slice(-4000));
      await stillIn();
    };
    const kills = [randomInt(1000, 3000), randomInt(2000, 5000)];
    for (const after of kills) {
      t.diagnostic(`kill -9 after ${after} ms`);
      await killed(new Promise((resolve) => setTimeout(resolve, after)));
    }
    // Between the key's coming and sshd's knowing of it, and between that and the deployment's.
    const planted = "/etc/ssh/ssh_host_ed25519_key.pub";
    await reloadBy("/bin/sleep 15");
    await killed(
      eventually("the key is there", 90, async () => (await onHost(`cat ${planted}`)).trim() === nextHostKey),
    );
    await reloadBy("/bin/kill -HUP $MAINPID", "+/bin/touch /run/held", "/bin/sleep 15");
    await killed(
      eventually("sshd was told", 90, async () => (await onHost("ls /run")).split("\n").includes("held")),
    );
    assert.equal(await shownHostKey({ host, port }, [hostKey, nextHostKey]), nextHostKey);
    assert.deepEqual(await pairs(HOST_KEY), before);
    await onHost(`rm ${dropIn} /run/held; systemctl daemon-reload`);

    // Who thinks better of it is told that it is half done.
    const wanted = stackText();
    keepStackText(text);
    const stopped = await mailhost([
      "pulumi",
      "up",
      "--yes",
      "--skip-preview",
      "--replace",
      "**::host-rootdisk",
    ]);
    assert.notEqual(stopped.code, 0);
    assert.match(
      stopped.stdout,
      new RegExp(
        `has its next SSH host key already[^]*write ${leaked.generation} into mailhost:hostKey\\.revoked`,
      ),
    );
    keepStackText(wanted);

    await up();
    const after = await pairs(HOST_KEY);
    assert.deepEqual(states(after), ["retired", "signing", "published"]);
    assert.equal(after[1]?.generation, before[1]?.generation);
    const now = await access();
    assert.equal(now.hostKey, nextHostKey);
    assert.notEqual(now.nextHostKey, hostKey);
    await stillIn();
    await assert.rejects(
      shownHostKey({ host, port }, [hostKey, now.nextHostKey ?? ""]),
      /shows a host key that is not the stack's/,
    );
    assert.equal(await daemons(), running);
    assert.match((await session).stdout, /it lasted/);
    await succeed(["check"]);

    // The old one is forgotten, and then there is nothing more to do.
    await up();
    assert.deepEqual(states(await pairs(HOST_KEY)), ["signing", "published"]);
    assert.deepEqual(await previewSteps(), []);
  } finally {
    keepStackText(text);
  }
  assert.deepEqual(await previewSteps(), []);
});
