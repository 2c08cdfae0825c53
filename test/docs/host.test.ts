/** The pages about the host, its records and its account, held to what the program makes. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { it } from "node:test";
import { bundleDocument } from "../../plan/bundle.ts";
import { hostBundles } from "../../plan/host.ts";
import { makePlan } from "../../plan/plan.ts";
import { hostPorts } from "../../plan/ports.ts";
import { dnsRecords } from "../../plan/records.ts";
import { verbatim } from "../../plan/template.ts";
import { parseSettings } from "../../settings/parse.ts";
import { runProgram, stack } from "../components/program.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const hostPage = read("docs/host.md");
const dnsPage = read("docs/dns.md");
const everything = ["README.md", ...globSync("docs/*.md", { cwd: root })].map(read).join("\n");

const settings = parseSettings(
  {
    ...stack,
    network: { ipv6: true },
    domains: {
      ...stack.domains,
      "example.com": { ...stack.domains["example.com"], dmarc: { reportsTo: "dmarc@example.org" } },
    },
  },
  {},
);
const bundles = hostBundles(settings);
const program = await runProgram({
  ...stack,
  rspamdPage: true,
  mtaSts: "ramp",
  parked: { "example.net": {} },
  dns: {
    zones: { "example.net": "byHand", "example.com": "host" },
    host: { secondaries: { "ns2.example.net": { addresses: ["192.0.2.53"] } } },
  },
  trustedHosts: { shop: { login: true, senders: ["@example.org"] } },
});

it("docs/host.md names every bundle, and no other", () => {
  const rows = [...hostPage.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(rows.toSorted(), bundles.map(({ name }) => name).toSorted());
});

it("docs/dns.md says for how long the host waits for the nameservers of a certificate's answer", () => {
  const [, seconds] =
    /^UNTIL_ALL_HAVE_IT = (\d+)$/m.exec(read("files/usr/local/lib/mailhost/challenge")) ?? [];
  assert.match(dnsPage, new RegExp(`After\\s+${seconds} seconds it waits no longer`));
});

it("docs/host.md names every port, and no other", () => {
  const rows = [...hostPage.matchAll(/^\| (\d+) \| (everybody|the networks)/gm)].map(([, number, from]) => [
    Number(number),
    from === "everybody" ? "anywhere" : "networks",
  ]);
  const ports = hostPorts(bundles).map(({ number, from }) => [
    number,
    from === "anywhere" ? from : "networks",
  ]);
  assert.deepEqual(rows.toSorted(byNumber), ports.toSorted(byNumber));
});

function byNumber(a: readonly unknown[], b: readonly unknown[]): number {
  return Number(a[0]) - Number(b[0]);
}

it("every path of the host that the pages name is one that the program knows", () => {
  // What is off by default has its paths, too.
  const optional = makePlan(
    parseSettings(
      {
        ...stack,
        web: true,
        lockedStore: true,
        clamav: true,
        dailyCheck: true,
        dns: { zones: { "example.com": "host" }, host: { secondaries: {} } },
        server: { instanceType: "t4g.medium" },
      },
      {},
    ),
    { today: "2026-11-21", rotation: {}, ramps: {} },
  ).bundles;
  const known = [
    ...[...bundles, ...optional].map(bundleDocument),
    ...bundles.flatMap(({ secretFiles }) => secretFiles.map(({ path }) => path)),
    ...["apply", "storage", "tls", "certificate"].map((name) => verbatim(`usr/local/lib/mailhost/${name}`)),
    "/usr/local/lib/mailhost/apply",
  ].join("\n");
  // architecture.md has paths that `apply` puts together; its own tests know them.
  const pages = ["README.md", ...globSync("docs/*.md", { cwd: root, exclude: ["docs/architecture.md"] })];
  const text = pages.map(read).join("\n");
  const inline = [...text.replace(/^ *```[\s\S]*?^ *```$/gm, "").matchAll(/`([^`\n]+)`/g)];
  const paths = inline
    .flatMap(([, span = ""]) => span.match(/(?<![\w.~}$])\/(?:etc|srv|usr|var)[\w./-]*/g) ?? [])
    .map((path) => path.replace(/\/$/, ""));
  assert.ok(paths.length > 15);
  assert.deepEqual(
    paths.filter((path) => !known.includes(path)),
    [],
  );
});

it("docs/dns.md has every record of host and domain, with its value", () => {
  const records = dnsRecords(settings, "2026-11-21").filter(
    ({ name }) => name.endsWith("example.org") && !name.startsWith("_dmarc.mail"),
  );
  assert.ok(records.length >= 11);
  for (const { name, type, priority, content } of records) {
    const isReport = name.includes("_report");
    assert.ok(dnsPage.includes(`\`${name}\``), `${type} ${name}`);
    if (typeof content === "string" && type === "TXT") {
      const shown = content.replace(/; id=\w+$/, "; id=…");
      assert.ok(dnsPage.includes(`\`${shown}\``), content);
    }
    if (type === "SRV") assert.ok(dnsPage.includes(`\`${priority} ${String(content)}\``), `${type} ${name}`);
    if (type === "MX") assert.ok(dnsPage.includes(`\`10 ${String(content)}\``));
    assert.ok(dnsPage.includes(isReport ? "| TXT |" : `| ${type} |`));
  }
});

it("outputs of the stack that the pages ask for exist", () => {
  const asked = [...everything.matchAll(/\bstack output (\w+)/g)].map(([, name = ""]) => name);
  assert.ok(asked.length > 5);
  assert.deepEqual(
    [...new Set(asked)].filter((name) => !(name in program.outputs)),
    [],
  );
});

it("tags of AWS resources that the pages filter by are the program's", () => {
  const names = [...everything.matchAll(/Name=tag:Name,Values=([\w-]+)/g)].map(([, name = ""]) => name);
  assert.ok(names.length > 0);
  for (const name of names) {
    const tagged = program.registrations.filter(
      ({ inputs }) => (inputs.tags as Record<string, string> | undefined)?.Name === name,
    );
    assert.equal(tagged.length, 1, name);
    for (const { inputs } of tagged) assert.ok("mailhost:stack" in (inputs.tags as object));
  }
  for (const [, key = ""] of everything.matchAll(/tag:(mailhost:\w+)/g)) assert.equal(key, "mailhost:stack");
});

it("docs/aws-policy*.json allow every action that is simulated, and no wildcard but to look", async () => {
  const policies = ["docs/aws-policy.json", "docs/aws-policy-ses.json", "docs/aws-policy-route53.json"].map(
    (path) =>
      JSON.parse(read(path)) as {
        Statement: readonly { Effect: string; Action: string | readonly string[]; Resource: string }[];
      },
  );
  const allowed = policies.flatMap(({ Statement }) => Statement.flatMap(({ Action }) => Action));
  const modules = await Promise.all(
    globSync("local/aws/*.ts", { cwd: root }).map((path) => import(join(root, path)) as Promise<object>),
  );
  const actions = modules.flatMap((module) =>
    Object.entries(module).flatMap(([name, value]) => {
      const service = /^(ses|iam|route53|sts|servicequotas)Actions$/.exec(name)?.[1] ?? "ec2";
      const all = name.endsWith("Actions") ? Object.keys(value as object) : [];
      return all.map((action) => `${service}:${action}`);
    }),
  );
  assert.ok(actions.length > 50);
  // Debian's image is found by ec2:DescribeImages; the parameter store is another way to it. Who one is, STS tells everybody.
  const needed = actions.filter(
    (name) => !/^(ec2:(Describe|GetParameter$)|sts:GetCallerIdentity$)/.test(name),
  );
  assert.deepEqual(
    needed.filter((name) => !allowed.includes(name)),
    [],
  );
  assert.deepEqual(
    allowed.filter((action) => action.includes("*")),
    ["ec2:Describe*"],
  );
  // IAM's limit for a managed policy, without white space.
  for (const policy of policies) assert.ok(JSON.stringify(policy).length < 6144);
});
