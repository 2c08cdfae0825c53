import assert from "node:assert/strict";
import { test } from "node:test";
import { equal, fromWire, plain, Secret, seal, toWire, UNKNOWN } from "../../../local/providers/values.ts";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

test("secrets and unknowns survive the wire, at any depth", () => {
  const wire = { a: [{ [SIGNATURE]: SECRET, value: { b: 1 } }], c: UNKNOWN_TEXT, d: null };
  const value = fromWire(wire);
  assert.deepEqual(value, { a: [new Secret({ b: 1 })], c: UNKNOWN, d: null });
  assert.deepEqual(toWire(value), wire);
  assert.deepEqual(plain(value), { a: [{ b: 1 }], c: UNKNOWN, d: null });
});

test("a secret unknown travels bare, or the sentinel would be stored as the secret", () => {
  assert.equal(toWire(new Secret(UNKNOWN)), UNKNOWN_TEXT);
});

test("an output that came as one is read; undefined members are left out", () => {
  const output = { [SIGNATURE]: "d0e6a833031e9bbcd3f4e8bde6ca49a4", value: "x", secret: true };
  assert.deepEqual(fromWire(output), new Secret("x"));
  assert.deepEqual(toWire({ a: undefined, b: 1 }), { b: 1 });
});

test("sealing follows the path, and takes the whole where the shapes differ", () => {
  const pattern = { a: { b: new Secret(1), c: 2 }, d: [new Secret("x")] };
  assert.deepEqual(seal({ a: { b: 3, c: 4 }, d: ["y"], e: 5 }, pattern), {
    a: { b: new Secret(3), c: 4 },
    d: [new Secret("y")],
    e: 5,
  });
  assert.deepEqual(seal(["y", "z"], pattern.d), new Secret(["y", "z"]));
  assert.deepEqual(seal("text", pattern.a), new Secret("text"));
});

test("equality looks through secrets, not through unknowns", () => {
  assert.equal(equal({ a: new Secret([1]) }, { a: [1], b: undefined }), true);
  assert.equal(equal(UNKNOWN, UNKNOWN), false);
  assert.equal(equal([1, 2], [2, 1]), false);
});
