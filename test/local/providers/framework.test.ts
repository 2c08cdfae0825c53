import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  defineResource,
  PartialFailure,
  type Properties,
  type Provider,
  Secret,
  UNKNOWN,
} from "../../../local/providers/framework.ts";
import { connect, type ProviderClient, type Refused } from "./client.ts";

const BOX = "toy:index/box:Box";
const FIXED = "toy:index/fixed:Fixed";

interface BoxInputs {
  readonly size: number;
  readonly label?: string;
  readonly password?: string;
}

/** What the service behind the toy provider holds. */
const boxes = new Map<string, Properties>();

const toy: Provider = {
  name: "toy",
  version: "1.0.0",
  resources: {
    [BOX]: defineResource<BoxInputs>({
      inputs: {
        size: { type: "integer", required: true, replaceOnChange: true },
        label: { type: "string" },
        kind: { type: "string", oneOf: ["open", "closed"], default: "closed" },
        zone: { type: "string", computed: true },
        password: { type: "string", secret: true },
        tags: { type: "map", items: { type: "string" } },
        rules: {
          type: "list",
          set: true,
          items: {
            type: "object",
            properties: { port: { type: "integer", required: true }, why: { type: "string" } },
          },
        },
        left: { type: "string", conflictsWith: ["label"] },
        name: { type: "string", autoname: true },
      },
      outputs: { address: {}, length: { changesWith: ["label"] }, key: { secret: true } },
      deleteBeforeReplace: true,
      check({ inputs, name }) {
        return inputs.label === "forbidden"
          ? { failures: [{ property: "label", reason: `${name}: no such label, with ${inputs.password}` }] }
          : undefined;
      },
      async create({ inputs }) {
        if (inputs.label === "refused") {
          throw new Error(`BoxRefused: ${JSON.stringify(inputs)}`);
        }
        const outputs = { address: "a1", length: inputs.label?.length ?? 0, key: "k1", zone: "z1" };
        boxes.set("box-1", { ...inputs, ...outputs });
        if (inputs.label === "half") {
          throw new PartialFailure(`half made with ${inputs.password}`, "box-1", outputs);
        }
        return { id: "box-1", outputs };
      },
      async read({ id }) {
        const outputs = boxes.get(id);
        return outputs && { id, outputs };
      },
      async update({ id, inputs }) {
        boxes.set(id, { ...boxes.get(id), ...inputs });
        return { length: inputs.label?.length ?? 0 };
      },
      async delete({ id }) {
        boxes.delete(id);
      },
    }),
    [FIXED]: defineResource<{ text: string }>({
      inputs: { text: { type: "string" } },
      create: async ({ inputs }) => ({ id: inputs.text, outputs: {} }),
      read: async ({ id }) => ({ id, outputs: { text: id } }),
      async delete() {},
    }),
  },
  functions: {
    "toy:index/find:find": {
      inputs: { label: { type: "string", required: true } },
      secretOutputs: ["key"],
      async invoke({ inputs }) {
        if (inputs.label === "none") {
          throw new Error("BoxNotFound: none");
        }
        return { id: "box-1", key: "k1" };
      },
    },
  },
};

let client: ProviderClient;
before(async () => {
  client = await connect(toy);
});
after(() => client.close());

test("check: defaults and a name are filled in, text becomes what is asked for", async () => {
  const { inputs, failures } = await client.check(BOX, { size: "3", label: "x" });
  assert.deepEqual(failures, []);
  assert.equal(inputs.size, 3);
  assert.equal(inputs.kind, "closed");
  assert.match(String(inputs.name), /^thing-[0-9a-f]{7}$/);
  const again = await client.check(BOX, { size: 3, label: "y" }, inputs);
  assert.equal(again.inputs.name, inputs.name, "a name that was given out stays");
});

test("check: every mistake at once, in the bridged providers' words, and no value beside them", async () => {
  const { failures } = await client.check(BOX, {
    sise: 3,
    label: "a",
    left: "b",
    kind: "ajar",
    tags: "none",
    rules: [{ port: 25.5, wy: "x" }],
  });
  assert.deepEqual(failures.map(({ reason }) => reason).sort(), [
    `Conflicting configuration arguments. "left": conflicts with label. Examine values at 'thing.left'.`,
    `Invalid or unknown key. Examine values at 'thing.rules[0].wy'.`,
    `Invalid or unknown key. Examine values at 'thing.sise'.`,
    `Missing required argument. The argument "size" is required, but no definition was found.. Examine values at 'thing.size'.`,
    `expected a whole number, got 25.5. Examine values at 'thing.rules[0].port'.`,
    `expected kind to be one of ["open", "closed"], got ajar. Examine values at 'thing.kind'.`,
    `expected map type, got string type. Examine values at 'thing.tags'.`,
  ]);
  assert.ok(
    failures.every(({ property }) => property === ""),
    "the engine would print the value of a named property",
  );
});

test("check: unknown values pass, and secrets stay secret", async () => {
  const { inputs, failures } = await client.check(BOX, {
    size: UNKNOWN,
    label: "forbidden",
    password: "correct horse battery",
    tags: { a: new Secret("tag secret value") },
  });
  assert.equal(inputs.size, UNKNOWN);
  assert.deepEqual(inputs.password, new Secret("correct horse battery"));
  assert.deepEqual(inputs.tags, { a: new Secret("tag secret value") });
  assert.deepEqual(
    failures.map(({ reason }) => reason),
    ["thing: no such label, with correct horse battery"],
  );
});

test("diff: by path, replacing where the schema says so", async () => {
  const before = { size: 1, label: "a", tags: { "x.y": "1", z: "1" }, zone: "z1", kind: "open" };
  const { changes, deleteBeforeReplace } = await client.diff(BOX, before, {
    size: 2,
    tags: { "x.y": "2", z: "1", n: "1" },
    kind: UNKNOWN,
  });
  assert.deepEqual(changes, {
    size: "update-replace",
    label: "delete",
    'tags["x.y"]': "update",
    "tags.n": "add",
    kind: "update",
  });
  assert.equal(deleteBeforeReplace, true);
});

test("diff: a set's order, a value that became secret, and what the service picked are no change", async () => {
  const before = { size: 1, rules: [{ port: 1 }, { port: 2 }], label: "a", zone: "z1" };
  const after = { size: 1, rules: [{ port: 2 }, { port: 1 }], label: new Secret("a") };
  assert.deepEqual((await client.diff(BOX, before, after)).changes, {});
  const changed = { ...after, rules: [{ port: 2 }, { port: 3 }], label: new Secret("b") };
  assert.deepEqual((await client.diff(BOX, before, changed)).changes, { rules: "update", label: "update" });
});

test("diff: what cannot be updated is replaced", async () => {
  assert.deepEqual((await client.diff(FIXED, { text: "a" }, { text: "b" })).changes, {
    text: "update-replace",
  });
});

test("create: inputs come back beside the outputs, secret where they were", async () => {
  const inputs = { size: 1, label: "a", password: "correct horse battery", tags: { a: new Secret("b") } };
  const { id, properties } = await client.create(BOX, inputs);
  assert.equal(id, "box-1");
  assert.deepEqual(properties, {
    ...inputs,
    password: new Secret("correct horse battery"),
    address: "a1",
    length: 1,
    key: new Secret("k1"),
    zone: "z1",
  });
});

test("create in a preview calls nobody; what only the service knows is unknown", async () => {
  boxes.clear();
  const { id, properties } = await client.create(BOX, { size: 1, label: UNKNOWN }, { preview: true });
  assert.equal(id, "");
  assert.deepEqual(properties, {
    size: 1,
    label: UNKNOWN,
    address: UNKNOWN,
    length: UNKNOWN,
    key: UNKNOWN,
    zone: UNKNOWN,
  });
  assert.equal(boxes.size, 0);
});

test("create: an error carries the service's code, and hides no more than an official plugin's", async () => {
  await assert.rejects(
    client.create(BOX, { size: 1, label: "refused", password: "correct horse battery" }),
    (error: Refused) =>
      error.message === 'BoxRefused: {"label":"refused","password":"correct horse battery","size":1}' &&
      error.kept === undefined,
  );
});

test("create: what was half made is kept", async () => {
  await assert.rejects(
    client.create(BOX, { size: 1, label: "half", password: "correct horse battery" }),
    (error: Refused) => {
      assert.equal(error.message, "half made with correct horse battery");
      assert.equal(error.kept?.id, "box-1");
      assert.deepEqual(error.kept?.properties.password, new Secret("correct horse battery"));
      assert.equal(error.kept?.properties.address, "a1");
      return true;
    },
  );
});

test("update: outputs that hang on a change are unknown in its preview, and only those", async () => {
  const oldInputs = { size: 1, label: "a", tags: { a: "1" } };
  const { id, properties } = await client.create(BOX, oldInputs);
  const news = { size: 1, label: "abc" };
  const preview = await client.update(BOX, id, properties, oldInputs, news, { preview: true });
  assert.deepEqual(preview, { ...news, address: "a1", key: new Secret("k1"), zone: "z1", length: UNKNOWN });
  const same = await client.update(
    BOX,
    id,
    properties,
    oldInputs,
    { ...news, label: "a" },
    { preview: true },
  );
  assert.equal(same.length, 1);
  const updated = await client.update(BOX, id, properties, oldInputs, news);
  assert.deepEqual(updated, { ...news, address: "a1", key: new Secret("k1"), zone: "z1", length: 3 });
});

test("read: a drift comes back among the inputs, secrets stay secret, what is gone is gone", async () => {
  const inputs = { size: 1, label: "a", password: new Secret("correct horse battery") };
  const { id, properties } = await client.create(BOX, inputs);
  boxes.set(id, { ...boxes.get(id), label: "changed", tags: { added: "by hand" } });
  const read = await client.read(BOX, id, properties, inputs);
  assert.deepEqual(read.inputs, { ...inputs, label: "changed", tags: { added: "by hand" } });
  assert.deepEqual(read.properties.password, new Secret("correct horse battery"));
  assert.deepEqual((await client.diff(BOX, read.inputs, inputs)).changes, {
    label: "update",
    tags: "delete",
  });
  await client.delete(BOX, id, properties);
  assert.equal((await client.read(BOX, id, properties, inputs)).id, "");
});

test("read without a state is an import: its inputs would make the same", async () => {
  const { id } = await client.create(BOX, { size: 4, label: "a" });
  const { inputs } = await client.read(BOX, id);
  assert.deepEqual(inputs, { size: 4, label: "a" });
});

test("invoke: arguments are checked, results sealed, errors named", async () => {
  assert.deepEqual((await client.invoke("toy:index/find:find", { label: "a" })).result, {
    id: "box-1",
    key: new Secret("k1"),
  });
  const { failures } = await client.invoke("toy:index/find:find", { lable: "a" });
  assert.equal(failures.length, 2);
  await assert.rejects(client.invoke("toy:index/find:find", { label: "none" }), {
    message: "invoking toy:index/find:find: BoxNotFound: none",
  });
});

test("an unknown token is refused by name", async () => {
  await assert.rejects(
    client.check("toy:index/bag:Bag", {}),
    /unrecognized resource type \(Check\): toy:index\/bag:Bag/,
  );
  await assert.rejects(
    client.invoke("toy:index/bag:bag", {}),
    /unrecognized function \(Invoke\): toy:index\/bag:bag/,
  );
});

test("values of several megabytes pass", async () => {
  const text = "x".repeat(6 * 1024 * 1024);
  const { properties } = await client.create(FIXED, { text });
  assert.equal(properties.text, text);
});
