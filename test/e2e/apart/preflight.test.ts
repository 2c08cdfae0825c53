/** `npm run check` before the first `up`, on a local cloud that has no host: what the accounts give, and each thing that is not so. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runPreflight } from "../../../check/preflight/run.ts";
import { type Surroundings, stackAsItIs } from "../../../check/stack.ts";
import type { CheckResult } from "../../../check/types.ts";
import { ensureCloud } from "../../../local/cloud.ts";
import { cloudPaths } from "../../../local/paths.ts";
import { Stack } from "../../../local/stack.ts";
import { localSurroundings } from "../../../local/surroundings.ts";
import { cloudflare, zoneId } from "../cloudflare.ts";
import {
  aws,
  cloudFolder,
  cloudInfo,
  mailhost,
  makeCheckout,
  nothingLeft,
  removeCheckout,
  succeed,
  withStack,
  world,
} from "../mailhost.ts";
import { account } from "../sending.ts";
import { within } from "../yardstick.ts";

const home = join(cloudFolder, "../..");
const paths = cloudPaths({ ...process.env, MAILHOST_HOME: home, MAILHOST_CLOUD: cloudFolder });

before(async () => {
  await nothingLeft();
  makeCheckout();
  await ensureCloud(paths);
});

after(async () => {
  await succeed(["destroy", "--everything", "--yes"]);
  removeCheckout();
});

/** What the command says, of the stack file as it is. */
async function told(...args: string[]): Promise<{ code: number; wrong: readonly CheckResult[] }> {
  const { code, stdout, stderr } = await mailhost(["check", "--json", ...args]);
  assert.equal(stderr, "");
  return { code, wrong: (JSON.parse(stdout) as CheckResult[]).filter(({ right }) => !right) };
}

/** The same in this process, with other variables in the environment. */
async function wrongLines(environment: Surroundings["environment"]): Promise<readonly string[]> {
  const info = cloudInfo();
  const around = await localSurroundings(await Stack.open(paths, info, () => undefined), info);
  const found = await stackAsItIs("dev", {
    ...around,
    environment: { ...around.environment, ...environment },
  });
  assert.ok(found.kind === "none yet");
  return (await runPreflight(found.target)).filter(({ right }) => !right).map(({ text }) => text);
}

test("there is no host yet, and all that one needs is there", async (t) => {
  const { stdout } = await within(t, "npm run check before the first up", 10, () => succeed(["check"]));
  assert.match(
    stdout,
    /^The stack dev has no host yet\. This is what `npm start` will need:\n\nStack file\n {2}✓ the stack file is right: mail\.example\.org, 3 mailboxes of example\.com, example\.org\n\nAWS\n/,
  );
  assert.match(stdout, /\n {2}✓ the account has 0 of 5 elastic IPs in eu-central-1: one more is free\n/);
  assert.match(stdout, /\n {2}✓ example\.com: the DS record at the registry is that of Cloudflare's key\n/);
  assert.match(stdout, /\n {2}– not looked at: whether AWS lets mail out by port 25:/);
  assert.match(stdout, /\n\d\d right, 0 wrong, 2 not looked at\n$/);
});

test("nothing was made by it", async () => {
  assert.deepEqual(await aws("DescribeAddresses", {}), { Addresses: [] });
  const { Vpcs } = await aws<{ Vpcs: readonly { IsDefault: boolean }[] }>("DescribeVpcs", {});
  assert.deepEqual(
    Vpcs.map(({ IsDefault }) => IsDefault),
    [true],
  );
  const zone = await zoneId("example.org");
  const records = await cloudflare<readonly unknown[]>("GET", `/zones/${zone}/dns_records`);
  assert.equal(records.length, 1, "the web site's");
});

test("each thing that is not so is one line, and nothing else is", async (t) => {
  const zone = await zoneId("example.org");
  const mx = { name: "example.org", type: "MX", content: "mx.old.example", priority: 10, ttl: 300 };
  const { id } = await cloudflare<{ id: string }>("POST", `/zones/${zone}/dns_records`, mx);
  t.after(async () => {
    await account({ addressLimit: 5, processorLimit: 32, denied: "" });
    await world("cloudflare?edit=true&moved=false");
    await cloudflare("DELETE", `/zones/${zone}/dns_records/${id}`);
  });
  await account({ addressLimit: 0, processorLimit: 0, denied: "ec2:CreateVpc" });
  await world("cloudflare?edit=false&moved=true");
  const type = process.arch === "arm64" ? "r7g.large" : "m5.large";
  await withStack(
    (stack) => {
      stack.setIn(["config", "mailhost:server", "instanceType"], type);
      stack.setIn(["config", "mailhost:domains", "example.edu"], { since: "2026-11-21" });
    },
    async () => {
      const { code, wrong } = await told();
      assert.equal(code, 1);
      const moved = (name: string) =>
        new RegExp(
          `^${name}: the registry names ada\\.\\S+ and bob\\.\\S+ as its nameservers, and Cloudflare has it at cora`,
        );
      const expected: Readonly<Record<string, RegExp>> = {
        "aws.rights": /^the credential may not do ec2:CreateVpc in eu-central-1$/,
        "aws.type": new RegExp(`^AWS offers no ${type} in this region$`),
        "aws.addresses": /^the account has all 0 elastic IPs that AWS lets it have in eu-central-1/,
        "aws.processors": /its quota of processors is 0$/,
        "cloudflare.zone.mailhost:domains.example.edu": /: Cloudflare has no zone example\.edu$/,
        "cloudflare.records":
          /^Cloudflare does not let CLOUDFLARE_API_TOKEN edit the records of example\.org, example\.com$/,
        "registry.example.com": moved("example\\.com"),
        "registry.example.org": moved("example\\.org"),
        "places.mx:example.org":
          /^The zone already has a record where example\.org MX is to be: example\.org MX mx\.old\.example$/,
      };
      assert.deepEqual(wrong.map(({ about }) => about).toSorted(), Object.keys(expected).toSorted());
      for (const { about, text, remedy } of wrong) {
        assert.match(text, expected[about] ?? /^$/);
        assert.ok(remedy, about);
      }
      const taken = wrong.find(({ about }) => about === "places.mx:example.org")?.remedy ?? "";
      const line = `npm run pulumi -- import cloudflare:index/dnsRecord:DnsRecord inbound-mx:example.org ${zone}/${id} --generate-code=false`;
      assert.ok(taken.startsWith(`Take it over: \`${line}\`, or delete it in Cloudflare's dashboard`), taken);
      const ofCom = await told("--domain", "example.com");
      assert.ok(!ofCom.wrong.some(({ about }) => about === "places.mx:example.org"));
    },
  );
});

test("a credential that is not the account's is one line, whatever else it would be asked for", async () => {
  const signature =
    /^AWS does not answer as it should: SignatureDoesNotMatch: The request signature we calculated/;
  const [[secret, ...noMore], [unknown, ...neither]] = [
    await wrongLines({ AWS_SECRET_ACCESS_KEY: "another" }),
    await wrongLines({ AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE" }),
  ];
  assert.match(secret ?? "", signature);
  assert.match(unknown ?? "", /InvalidClientTokenId: The security token included in the request is invalid$/);
  assert.deepEqual([noMore, neither], [[], []]);
});

test("so is a token that Cloudflare does not take, and one without the right to Workers", async () => {
  assert.deepEqual(await wrongLines({ CLOUDFLARE_API_TOKEN: "x".repeat(40) }), [
    "Cloudflare does not answer as it should: Authentication error (10000)",
  ]);
  await world("cloudflare?workers=false");
  const [first = "", ...more] = await wrongLines({});
  await world("cloudflare?workers=true");
  assert.match(
    first,
    /^Cloudflare does not let CLOUDFLARE_API_TOKEN at the Workers of the account \w+: Authentication error \(10000\)$/,
  );
  assert.deepEqual(more, []);
});

test("a stack file with mistakes is told by each of them, and is no host's trouble", async () => {
  await withStack(
    (stack) => {
      stack.setIn(["config", "aws:region"], "eu-central-1a");
      stack.setIn(["config", "mailhost:domains", "example.com", "since"], "2099-01-01");
    },
    async () => {
      const { code, wrong } = await told();
      assert.equal(code, 1);
      assert.deepEqual(
        wrong.map(({ text }) => text.replace(/such as \S+$/, "such as …")),
        [
          "aws:region: is a zone of a region; write eu-central-1",
          "mailhost:domains.example.com.since: is in the future; write the day on which the domain comes here, such as …",
        ],
      );
    },
  );
});

test("with everything mended, all is right again", async () => {
  assert.deepEqual(await told(), { code: 0, wrong: [] });
});
