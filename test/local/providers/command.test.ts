import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { dial } from "../../../local/providers/command/connection.ts";
import { provider } from "../../../local/providers/command/provider.ts";
import { type Properties, Secret, UNKNOWN } from "../../../local/providers/framework.ts";
import { privateKeyOpenssh, publicKeyOpenssh } from "../../../local/providers/tls/openssh.ts";
import { eventually } from "../../eventually.ts";
import { connect, type ProviderClient, type Refused } from "./client.ts";
import { type SshServer, startSshServer } from "./ssh-server.ts";

const COMMAND = "command:remote:Command";

function keyPair(kind: "ed25519" | "ec" | "rsa" = "ed25519") {
  const { privateKey } =
    kind === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "prime256v1" })
      : kind === "rsa"
        ? generateKeyPairSync("rsa", { modulusLength: 2048 })
        : generateKeyPairSync("ed25519");
  return {
    openssh: privateKeyOpenssh(privateKey),
    pkcs8: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    line: publicKeyOpenssh(privateKey).line.trim(),
  };
}

const login = keyPair();
const host = keyPair();
const otherHost = keyPair("ec");

let client: ProviderClient;
let server: SshServer;
let folder: string;
before(async () => {
  client = await connect(provider);
  server = await startSshServer({
    hostKeys: [otherHost.openssh, host.openssh],
    authorized: login.line,
    acceptEnv: ["LANGUAGE", "PULUMI_COMMAND_STDOUT"],
  });
  folder = mkdtempSync(join(tmpdir(), "command-test-"));
});
after(async () => {
  client.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

function connection(more: Properties = {}): Secret {
  return new Secret({
    host: "127.0.0.1",
    port: server.port,
    user: "admin",
    privateKey: login.openssh,
    hostKey: host.line,
    dialErrorLimit: 0,
    ...more,
  });
}

function inputs(more: Properties): Properties {
  return { connection: connection(), addPreviousOutputInEnv: false, ...more };
}

test("create: standard input in, both outputs out, the last line's end cut, the connection closed", async () => {
  const { id, properties } = await client.create(
    COMMAND,
    inputs({ create: "cat; echo warning >&2", stdin: "one\ntwo\n" }),
  );
  assert.match(id, /^thing[0-9a-f]{8}$/);
  assert.equal(properties.stdout, "one\ntwo");
  assert.equal(properties.stderr, "warning");
  assert.ok(properties.connection instanceof Secret);
  await eventually("the connection is closed", 20, () => server.open() === 0, 5);
});

test("create: megabytes pass both ways", async () => {
  const stdin = "0123456789abcdef".repeat(256 * 1024);
  const { properties } = await client.create(COMMAND, inputs({ create: "cat", stdin }));
  assert.equal(properties.stdout, stdin);
});

test("a failure prints the whole command and all it wrote, in the official words", async () => {
  await assert.rejects(
    client.create(COMMAND, inputs({ create: "echo out\necho err >&2; exit 3" })),
    (error: Refused) => {
      assert.match(
        error.message,
        /^Process exited with status 3: running "echo out\\necho err >&2; exit 3":\n/,
      );
      assert.deepEqual(error.message.split("\n").slice(1).sort(), ["", "err", "out"]);
      return true;
    },
  );
  await assert.rejects(
    client.create(COMMAND, inputs({ create: "kill -TERM $$" })),
    /from signal TERM: running/,
  );
});

test("an error shows all that the command said, secret standard input too, as the official plugin's does", async () => {
  const stdin = new Secret("password=Tr0ub4dor&3horse\n");
  await assert.rejects(
    client.create(COMMAND, inputs({ create: "cat >&2; exit 1", stdin })),
    /password=Tr0ub4dor&3horse/,
  );
});

test("an interruption ends the command that is at work, and no later one", async () => {
  const executed = server.executed();
  const interrupted = assert.rejects(client.create(COMMAND, inputs({ create: "exec sleep 30" })));
  await eventually("the command is at work", 20, () => server.executed() > executed, 5);
  await client.cancel();
  await interrupted;
  // The engine says the same at the end of a preview, and goes on with the update.
  assert.equal((await client.create(COMMAND, inputs({ create: "echo later" }))).properties.stdout, "later");
});

test("update runs again on any change of any input: `update`, or else `create`", async () => {
  const file = join(folder, "runs");
  const before = inputs({ create: `echo run >> ${file}; wc -l < ${file}` });
  const { id, properties } = await client.create(COMMAND, before);
  assert.equal(String(properties.stdout).trim(), "1");
  const changed = { ...before, connection: connection({ perDialTimeout: 9 }) };
  assert.deepEqual((await client.diff(COMMAND, before, changed)).changes, { connection: "update" });
  const updated = await client.update(COMMAND, id, properties, before, changed);
  assert.equal(String(updated.stdout).trim(), "2");
  const own = { ...changed, update: "echo updated" };
  assert.equal((await client.update(COMMAND, id, updated, changed, own)).stdout, "updated");
  const preview = await client.update(COMMAND, id, updated, changed, own, { preview: true });
  assert.equal(preview.stdout, UNKNOWN);
  assert.equal(readFileSync(file, "utf8"), "run\nrun\n");
});

test("triggers replace, nothing changed is nothing, and delete runs `delete`", async () => {
  const file = join(folder, "deleted");
  const one = inputs({ create: "true", triggers: ["i-1"], delete: `echo gone > ${file}` });
  assert.deepEqual((await client.diff(COMMAND, one, { ...one, triggers: ["i-2"] })).changes, {
    "triggers[0]": "update-replace",
  });
  assert.deepEqual((await client.diff(COMMAND, one, one)).changes, {});
  const { id, properties } = await client.create(COMMAND, one);
  const opened = server.opened();
  assert.deepEqual((await client.read(COMMAND, id, properties, one)).properties, properties);
  assert.equal(server.opened(), opened, "a refresh opens no connection");
  await client.delete(COMMAND, id, properties);
  assert.equal(readFileSync(file, "utf8"), "gone\n");
});

test("the pinned host key is asked for among several, and another one is refused", async () => {
  await client.create(
    COMMAND,
    inputs({ create: "true", connection: connection({ hostKey: otherHost.line }) }),
  );
  await assert.rejects(
    client.create(COMMAND, inputs({ create: "true", connection: connection({ hostKey: keyPair().line }) })),
    /^Error: after 0 failed attempts: ssh: handshake failed: ssh: host key mismatch$/,
  );
  await assert.rejects(
    client.create(
      COMMAND,
      inputs({ create: "true", connection: connection({ hostKey: keyPair("rsa").line }) }),
    ),
    /no common algorithm for host key/,
  );
  await assert.rejects(
    client.create(COMMAND, inputs({ create: "true", connection: connection({ hostKey: "nonsense" }) })),
    /failed to parse host key/,
  );
});

test("a login key in PKCS#8 works; a wrong one is refused and stays untold", async () => {
  await client.create(
    COMMAND,
    inputs({ create: "true", connection: connection({ privateKey: login.pkcs8 }) }),
  );
  await assert.rejects(
    client.create(
      COMMAND,
      inputs({ create: "true", connection: connection({ privateKey: keyPair().openssh }) }),
    ),
    /unable to authenticate/,
  );
  await assert.rejects(
    client.create(
      COMMAND,
      inputs({ create: "true", connection: connection({ privateKey: "no key at all" }) }),
    ),
    (error: Refused) => /ssh: no key found/.test(error.message) && !/no key at all/.test(error.message),
  );
});

test("dialling is tried again until it succeeds or the limit is passed", async () => {
  const flaky = await startSshServer({ hostKeys: [host.openssh], authorized: login.line, dropFirst: 3 });
  const target = (dialErrorLimit: number) =>
    inputs({ create: "echo in", connection: connection({ port: flaky.port, dialErrorLimit }) });
  await assert.rejects(client.create(COMMAND, target(1)), /^Error: after 1 failed attempts: /);
  assert.equal(flaky.opened(), 2);
  assert.equal((await client.create(COMMAND, target(10))).properties.stdout, "in");
  assert.equal(flaky.opened(), 4);
  await flaky.close();
  await assert.rejects(
    client.create(COMMAND, target(0)),
    new RegExp(`dial tcp 127.0.0.1:${flaky.port}: connect: connection refused`),
  );
});

test("a machine that boots is waited for without a word, one that does not come is told of", async () => {
  const told: string[] = [];
  const slow = await startSshServer({ hostKeys: [host.openssh], authorized: login.line, dropFirst: 7 });
  const target = {
    host: "127.0.0.1",
    port: slow.port,
    user: "admin",
    privateKey: login.openssh,
    dialErrorLimit: 10,
  };
  const dialled = await dial(target, {
    urn: "urn:pulumi:dev::mailhost::command:remote:Command::test",
    type: COMMAND,
    name: "test",
    cancelled: new AbortController().signal,
    log: (severity, message) => told.push(`${severity}: ${message}`),
  });
  dialled.close();
  assert.deepEqual(told, ["status: Dial 7/10 failed: retrying"]);
  await slow.close();
});

test("a peer that says nothing is given up after perDialTimeout", async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as { port: number };
  await assert.rejects(
    client.create(COMMAND, inputs({ create: "true", connection: connection({ port, perDialTimeout: 1 }) })),
    /i\/o timeout/,
  );
  silent.close();
});

test("a connection that is lost in the middle is an error", async () => {
  const fragile = await startSshServer({ hostKeys: [host.openssh], authorized: login.line });
  const running = client.create(
    COMMAND,
    inputs({ create: "echo started; exec sleep 30", connection: connection({ port: fragile.port }) }),
  );
  const refused = assert.rejects(running, /without exit status|connection lost/);
  await eventually("the command runs", 20, () => fragile.executed() === 1, 5);
  fragile.cut();
  await refused;
  await fragile.close();
});

test("a variable that the server does not accept is an error, the previous output only a warning", async () => {
  const accepted = inputs({ create: "echo $LANGUAGE", environment: { LANGUAGE: "de en" } });
  const { id, properties } = await client.create(COMMAND, accepted);
  assert.equal(properties.stdout, "de en");
  await assert.rejects(
    client.create(COMMAND, inputs({ create: "true", environment: { OTHER: "x" } })),
    /^Error: could not set environment variable "OTHER": ssh: setenv failed$/,
  );
  const next = {
    ...accepted,
    create: 'echo "was: $PULUMI_COMMAND_STDOUT$PULUMI_COMMAND_STDERR"',
    addPreviousOutputInEnv: true,
  };
  const state = { ...properties, stderr: "not accepted" };
  assert.equal((await client.update(COMMAND, id, state, accepted, next)).stdout, "was: de en");
});

test("check: the SDK's defaults, the connection a secret as a whole, unknown keys refused", async () => {
  const { inputs: checked, failures } = await client.check(COMMAND, {
    connection: { host: "h" },
    create: "true",
  });
  assert.deepEqual(failures, []);
  assert.deepEqual(
    checked.connection,
    new Secret({ host: "h", port: 22, user: "root", dialErrorLimit: 10, perDialTimeout: 15 }),
  );
  const wrong = await client.check(COMMAND, { connection: { user: "x", hostkey: "y" }, command: "true" });
  assert.equal(wrong.failures.length, 3);
});

test("without `create` nothing runs", async () => {
  const opened = server.opened();
  const { properties } = await client.create(COMMAND, inputs({ delete: "true" }));
  assert.equal(properties.stdout, "");
  assert.equal(server.opened(), opened);
});

test("on this machine: previous outputs and the environment go along, update and delete are commands of their own", async () => {
  const here = "command:local:Command";
  const file = join(folder, "here");
  const inputs: Properties = {
    create: `cat > ${file}; printf '%s' "made with $WORD"`,
    update: `cat >> ${file}; printf '%s, then changed' "$PULUMI_COMMAND_STDOUT"`,
    delete: `printf '%s' "$PULUMI_COMMAND_STDOUT" > ${file}`,
    stdin: "first\n",
    environment: new Secret({ WORD: "a word" }),
  };
  const { inputs: checked } = await client.check(here, inputs);
  const { id, properties } = await client.create(here, checked);
  assert.equal(properties.stdout, "made with a word");
  const { inputs: news } = await client.check(here, { ...inputs, stdin: "second\n" }, checked);
  const changed = await client.update(here, id, properties, checked, news);
  assert.equal(changed.stdout, "made with a word, then changed");
  assert.equal(readFileSync(file, "utf8"), "first\nsecond\n");
  await client.delete(here, id, changed);
  assert.equal(readFileSync(file, "utf8"), "made with a word, then changed");
});

test("on this machine: a command that fails is shown with all that it said", async () => {
  const { inputs } = await client.check("command:local:Command", {
    create: "echo out; echo err >&2; exit 3",
  });
  await assert.rejects(client.create("command:local:Command", inputs), (error: Refused) => {
    assert.match(error.message, /^exit status 3: running "echo out; echo err >&2; exit 3":\n/);
    assert.match(error.message, /out\n/);
    assert.match(error.message, /err\n/);
    return true;
  });
});
