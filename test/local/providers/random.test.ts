import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import bcrypt from "bcryptjs";
import { type Properties, Secret } from "../../../local/providers/framework.ts";
import { provider } from "../../../local/providers/random/provider.ts";
import { randomText } from "../../../local/providers/random/text.ts";
import { connect, type ProviderClient } from "./client.ts";

const PASSWORD = "random:index/randomPassword:RandomPassword";
const ID = "random:index/randomId:RandomId";

let client: ProviderClient;
before(async () => {
  client = await connect(provider);
});
after(() => client.close());

function secretText(value: Properties[string]): string {
  assert.ok(value instanceof Secret);
  return String(value.value);
}

test("a password has its length, its hash fits, and both are secret", async () => {
  const { id, properties } = await client.create(PASSWORD, { length: 24, special: false });
  const result = secretText(properties.result);
  assert.match(result, /^[A-Za-z0-9]{24}$/);
  const hash = secretText(properties.bcryptHash);
  assert.match(hash, /^\$2a\$10\$/, "the official provider's form and cost");
  assert.equal(await bcrypt.compare(result, hash), true);
  assert.equal(await bcrypt.compare(`${result}x`, hash), false);
  assert.equal(id, "none");
  assert.equal(properties.upper, true);
  assert.equal(properties.special, false);
});

test("minima and special characters of one's own are kept", () => {
  for (let round = 0; round < 200; round++) {
    const text = randomText({
      length: 12,
      minUpper: 2,
      minLower: 2,
      minNumeric: 3,
      minSpecial: 4,
      overrideSpecial: "_%",
    });
    assert.equal(text.length, 12);
    assert.ok((text.match(/[A-Z]/g) ?? []).length >= 2, text);
    assert.ok((text.match(/[a-z]/g) ?? []).length >= 2, text);
    assert.ok((text.match(/[0-9]/g) ?? []).length >= 3, text);
    assert.ok((text.match(/[_%]/g) ?? []).length >= 4, text);
  }
});

test("every character is as likely as any other, at every place", () => {
  // 10 kinds at 4 places, 20,000 times: 2,000 each, standard deviation 42. Seven of them are one in 10^11.
  const counts = Array.from({ length: 4 }, () => new Map<string, number>());
  for (let round = 0; round < 20_000; round++) {
    const text = randomText({ length: 4, upper: false, lower: false, special: false });
    for (const [place, count] of counts.entries()) {
      count.set(text.charAt(place), (count.get(text.charAt(place)) ?? 0) + 1);
    }
  }
  for (const count of counts) {
    assert.equal(count.size, 10);
    for (const [digit, times] of count) {
      assert.ok(Math.abs(times - 2000) < 300, `${digit} came ${times} times`);
    }
  }
});

test("contradictions are refused", async () => {
  const none = await client.check(PASSWORD, {
    length: 8,
    special: false,
    upper: false,
    lower: false,
    numeric: false,
  });
  assert.match(
    none.failures[0]?.reason ?? "",
    /At least one attribute out of \[special,upper,lower,numeric\]/,
  );
  const short = await client.check(PASSWORD, { length: 3, minUpper: 2, minLower: 2, keepers: { a: "b" } });
  assert.match(short.failures[0]?.reason ?? "", /at least the sum of min_upper.* \(4\), got: 3/);
  assert.deepEqual((await client.check(PASSWORD, { length: 3, keepers: { a: "b" } })).failures, []);
});

test("a change of any input replaces; a refresh changes nothing; a password can be imported", async () => {
  assert.deepEqual((await client.diff(PASSWORD, { length: 3 }, { length: 4, keepers: { a: "b" } })).changes, {
    length: "update-replace",
    keepers: "add-replace",
  });
  const { id, properties } = await client.create(PASSWORD, { length: 8 });
  const read = await client.read(PASSWORD, id, properties, { length: 8 });
  assert.deepEqual(read, { id, properties, inputs: { length: 8 } });
  const imported = await client.read(PASSWORD, "old-password");
  assert.equal(secretText(imported.properties.result), "old-password");
  assert.deepEqual(imported.inputs, { length: 12 });
});

test("an id's forms are one number", async () => {
  const { id, properties } = await client.create(ID, { byteLength: 5, prefix: "p-" });
  const bytes = Buffer.from(id, "base64url");
  assert.equal(bytes.length, 5);
  assert.equal(properties.hex, `p-${bytes.toString("hex")}`);
  assert.equal(properties.dec, `p-${bytes.readUIntBE(0, 5)}`);
  assert.equal(properties.b64Std, `p-${bytes.toString("base64")}`);
  assert.equal(properties.b64Url, `p-${id}`);
});
