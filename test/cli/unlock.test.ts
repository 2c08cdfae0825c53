import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { storeAccess } from "../../check/stack.ts";
import type { Person } from "../../cli/person.ts";
import { type StoreOrder, tellStore } from "../../cli/unlock.ts";
import type { Session } from "../../ssh/session.ts";

const key = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG-2222";

/** The host's program as it answers (files/usr/local/lib/mailhost/store); the long test has the real one. */
function storeHost(state: "new" | "locked" | "open" | "none", passphrase = "the right passphrase") {
  const orders: string[] = [];
  const session: Session = {
    close: () => undefined,
    run: async (command, { root, input = "" } = {}) => {
      assert.equal(root, true);
      const word = /^\/usr\/local\/lib\/mailhost\/store ([a-z]+)$/.exec(command)?.[1] ?? assert.fail(command);
      const lines = input.split("\n").slice(0, -1);
      const said = (code: number, stdout = "", stderr = "") => ({ code, stdout, stderr });
      if (state === "none") return said(127, "", "not found");
      if (word === "state") return said(0, `${state}\n`);
      orders.push([word, ...lines].join("|"));
      const isOpenAlready = word === "open" && state === "open";
      const proof = word === "recover" ? key : passphrase;
      if (word === "make" || isOpenAlready || (word === "open" && orders.at(-2)?.startsWith("recover")))
        return said(0);
      if (lines[0] !== proof) return said(3, "", "locked store: that is not the store's passphrase\n");
      return said(0, word === "key" ? `${key}\n` : "");
    },
  };
  return { session, orders };
}

function person(...answers: string[]) {
  const heard: string[] = [];
  const asked: string[] = [];
  const next = async (prompt: string) => {
    asked.push(prompt);
    return answers.shift() ?? assert.fail(`asked for more: ${prompt}`);
  };
  const one: Person = { ask: next, choose: next, say: (text) => void heard.push(text) };
  return { one, heard, asked };
}

async function told(
  order: StoreOrder,
  host: ReturnType<typeof storeHost>,
  who: ReturnType<typeof person>,
  known?: string,
) {
  return await tellStore(host.session, order, who.one, known, "home");
}

describe("npm run unlock", () => {
  it("opens with the stack's passphrase, and asks nobody", async () => {
    const host = storeHost("locked");
    const who = person();
    assert.equal(await told("open", host, who, "the right passphrase"), 0);
    assert.deepEqual(host.orders, ["open|the right passphrase"]);
    assert.deepEqual(who.heard, ["The store is open, and what waited for it runs."]);
  });

  it("asks where the stack has none, and where it has an old one", async () => {
    for (const known of [undefined, "an old passphrase"]) {
      const who = person("the right passphrase");
      assert.equal(await told("open", storeHost("locked"), who, known), 0);
      assert.deepEqual(who.asked, ["Passphrase of the store"]);
      assert.equal(who.heard.length, known === undefined ? 1 : 2);
    }
  });

  it("a wrong passphrase is told by its own exit code, in the host's words", async () => {
    const who = person("a wrong passphrase");
    assert.equal(await told("open", storeHost("locked"), who), 3);
    assert.deepEqual(who.heard, ["locked store: that is not the store's passphrase"]);
  });

  it("an open store needs no passphrase: what waits is started", async () => {
    const host = storeHost("open");
    assert.equal(await told("open", host, person()), 0);
    assert.deepEqual(host.orders, ["open"]);
  });

  it("makes the store of a new volume, and shows the recovery key", async () => {
    const host = storeHost("new");
    const who = person("the right passphrase");
    assert.equal(await told("open", host, who), 0);
    assert.deepEqual(host.orders, ["make|the right passphrase", "key|the right passphrase"]);
    assert.equal(who.heard.filter((text) => text.includes(key)).length, 1);
    for (const order of ["change", "recover", "recovery-key"] as const)
      assert.equal(await told(order, storeHost("new"), person()), 1);
  });

  it("changes the passphrase: the new one is asked for, the old one where the stack has none", async () => {
    const host = storeHost("locked");
    assert.equal(await told("change", host, person("the right passphrase", "a new passphrase")), 0);
    assert.equal(await told("change", host, person("a new passphrase"), "the right passphrase"), 0);
    const order = "change|the right passphrase|a new passphrase";
    assert.deepEqual(host.orders, [order, order]);
    assert.equal(await told("change", host, person("a wrong passphrase", "a new passphrase")), 3);
    const late = person("a new passphrase", "the right passphrase");
    assert.equal(await told("change", host, late, "an old passphrase"), 0);
    assert.equal(host.orders.at(-1), order);
  });

  it("recovers: a new passphrase for the recovery key, and the store opens", async () => {
    const host = storeHost("locked");
    assert.equal(await told("recover", host, person(key, "a new passphrase")), 0);
    assert.deepEqual(host.orders, [`recover|${key}|a new passphrase`, "open|a new passphrase"]);
    assert.equal(await told("recover", storeHost("locked"), person("no key", "a new passphrase")), 3);
  });

  it("says where there is no store", async () => {
    const who = person();
    assert.equal(await told("open", storeHost("none"), who), 1);
    assert.match(who.heard[0] ?? "", /mailhost:lockedStore/);
  });
});

describe("what it reads of a stack", () => {
  const ssh = { host: "192.0.2.1", port: 22, user: "admin", privateKey: "KEY", hostKey: "ssh-ed25519 AAAA" };
  const engine = (config: object, outputs: object, state: object = {}) => ({
    environment: { STORE_PASSPHRASE: "from the environment" },
    pulumi: async ([first, second]: readonly string[]) =>
      JSON.stringify(first === "config" ? config : second === "output" ? outputs : state),
  });

  it("the outputs' login, and the passphrase as it is written", async () => {
    const written = (passphrase: string) => ({ "mailhost:lockedStore": { objectValue: { passphrase } } });
    assert.deepEqual(await storeAccess("dev", engine(written("in the stack"), { ssh })), {
      ssh,
      passphrase: "in the stack",
    });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
    const named = engine(written("${STORE_PASSPHRASE}"), { ssh });
    assert.equal((await storeAccess("dev", named)).passphrase, "from the environment");
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
    assert.equal((await storeAccess("dev", engine(written("${NOT_SET}"), { ssh }))).passphrase, undefined);
    const encrypted = { "mailhost:lockedStore": { value: '{"passphrase":"a secret of it"}' } };
    assert.equal((await storeAccess("dev", engine(encrypted, { ssh }))).passphrase, "a secret of it");
    for (const config of [{}, { "mailhost:lockedStore": { value: "true" } }])
      assert.deepEqual(await storeAccess("dev", engine(config, { ssh })), { ssh });
  });

  it("the same login out of the state, with either host key, where the first `up` has stopped for the store", async () => {
    const urn = (name: string) => `urn:pulumi:dev::mailhost::type::${name}`;
    const hidden = (text: string) => ({
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      plaintext: JSON.stringify(text),
    });
    const resources = [
      { urn: urn("server-address"), outputs: { publicIp: ssh.host } },
      { urn: urn("ssh-login"), outputs: { privateKeyOpenssh: hidden("KEY") } },
      { urn: urn("ssh-host-20261121"), outputs: { publicKeyOpenssh: "ssh-ed25519 AAAA\n" } },
      { urn: urn("ssh-host-20261121b"), outputs: { publicKeyOpenssh: "ssh-ed25519 BBBB\n" } },
    ];
    assert.deepEqual(await storeAccess("dev", engine({}, {}, { deployment: { resources } })), {
      ssh: { ...ssh, nextHostKey: "ssh-ed25519 BBBB" },
    });
    await assert.rejects(
      storeAccess("dev", engine({}, {}, { deployment: { resources: resources.slice(1) } })),
      /The stack dev has no host yet/,
    );
  });
});
