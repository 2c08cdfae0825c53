import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../../../dns/client.ts";
import { eventually } from "../../eventually.ts";
import { leftovers } from "../leftovers.ts";
import { cloudFolder, cloudInfo, gitStatus, mailhost, removeCheckout, succeed, world } from "../mailhost.ts";
import { within } from "../yardstick.ts";

test("the daemon killed with -9: the next start works", async () => {
  process.kill(cloudInfo().pid, "SIGKILL");
  await succeed(["start"]);
});

/** What the simulated AWS and Cloudflare still hold, which went down with the cloud. */
function leftAtProviders(): readonly string[] {
  const held = <T>(path: string) => JSON.parse(readFileSync(join(cloudFolder, path), "utf8")) as T;
  type Kept = Readonly<Record<string, object>>;
  const { vpcs, subnets, groups, instances, addresses, volumes, users } =
    held<
      Readonly<Record<"vpcs" | "subnets" | "groups" | "instances" | "addresses" | "volumes" | "users", Kept>>
    >("aws/aws.json");
  const { records, scripts, domains } = held<Readonly<Record<"records" | "scripts" | "domains", Kept>>>(
    "cloudflare/cloudflare.json",
  );
  const own = Object.entries({
    vpcs,
    subnets,
    groups,
    instances,
    addresses,
    volumes,
    users,
    records,
    scripts,
    domains,
  });
  return own.flatMap(([kind, things]) =>
    Object.values(things as Kept).flatMap((thing) => {
      const { isDefault, name, state, type } = thing as Readonly<Record<string, unknown>>;
      // What every account has, what EC2 shows for a while, and the web sites that were there before.
      if (isDefault === true || name === "default" || state === "terminated") return [];
      if (/^example\.(org A|com CNAME)$/.test(`${name} ${type}`)) return [];
      return [kind];
    }),
  );
}

test("npm run destroy says what is kept, and how to remove it; the next npm start works", async (t) => {
  // The start after it meets a DNS that publishes late: longer than AWS asks for a name before it refuses it.
  const { resolver } = cloudInfo();
  const [address] = (await ask(resolver, "mail.example.org", "A")).answers;
  assert.ok(address?.type === "A");
  const reverse = `${address.data.split(".").reverse().join(".")}.in-addr.arpa`;
  await world("cloudflare?publishAfter=8000");
  const ran = await succeed(["destroy"]);
  assert.match(ran.stdout, /server-address/);
  assert.match(ran.stdout, /server-data/);
  assert.match(ran.stdout, /--everything/);
  assert.deepEqual(leftAtProviders(), ["addresses", "volumes"]);
  const starting = within(t, "npm start after npm run destroy", 90, () => succeed(["start"]));
  await eventually("the address has its reverse name", 80, async () => {
    return (await ask(resolver, reverse, "PTR")).answers.length === 1;
  });
  // The MX records come last, and the check does not wait for them.
  await world("cloudflare?publishAfter=0");
  await starting;
  assert.equal(gitStatus(), "");
});

test("npm run destroy -- --everything leaves nothing at all", async () => {
  const slot = Number(readFileSync(join(cloudFolder, "slot"), "utf8"));
  await succeed(["destroy", "--everything"]);
  assert.equal(leftovers(slot), "");
  assert.equal(existsSync(cloudFolder), false);
  const again = await mailhost(["destroy", "--everything"]);
  assert.equal(again.code, 0);
  assert.match(again.stdout, /nothing to destroy/i);
  removeCheckout();
});
