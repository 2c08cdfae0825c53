import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { checkZone, findZones } from "../../components/zone.ts";
import { parseSettings } from "../../settings/parse.ts";
import { stack } from "./program.ts";

const offerings: Readonly<Record<string, readonly string[]>> = {
  "t4g.small": ["eu-central-1c", "eu-central-1-ham-1a", "eu-central-1b"],
  "t4g.micro": ["eu-central-1c"],
};

await pulumi.runtime.setMocks({
  newResource: ({ name }) => assert.fail(`${name} was made`),
  call: ({ token, inputs }) => {
    if (token.startsWith("aws:ec2/getSubnet:")) return { id: inputs.id, availabilityZone: "eu-central-1b" };
    const { locationType, filters } = inputs;
    assert.equal(locationType, "availability-zone");
    return { locations: offerings[filters[0].values[0]] ?? [] };
  },
});

const find = (instanceType: string, network = {}) =>
  findZones(parseSettings({ ...stack, server: { instanceType }, network }, {}));
const subnet = { subnetId: "subnet-0123456789abcdef0" };

test("the first zone that offers the type, and no local zone", async () => {
  const offering = ["eu-central-1b", "eu-central-1c"];
  assert.deepEqual(await find("t4g.small"), { first: "eu-central-1b", offering });
  assert.deepEqual(await find("t4g.small", subnet), { first: "eu-central-1b", offering });
});

test("a type that is offered nowhere, or not where the host is, is refused in a sentence", async () => {
  await assert.rejects(find("t4g.nano"), (error) => {
    assert.ok(pulumi.RunError.isInstance(error));
    assert.equal(
      error.message,
      "AWS offers no t4g.nano in this region. Write another type in mailhost:server.instanceType, or another aws:region.",
    );
    return true;
  });
  await assert.rejects(find("t4g.micro", subnet), /no t4g\.micro in eu-central-1b.*only in eu-central-1c\./);
  assert.throws(
    () => checkZone("t4g.small", ["eu-central-1b"], { subnet: "eu-central-1b", volume: "eu-central-1a" }),
    /data volume is in eu-central-1a and cannot leave it; the subnet is in eu-central-1b\. Name a subnet of/,
  );
});
