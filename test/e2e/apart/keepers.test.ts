/**
 * Whoever keeps a zone's records, the same holds: one stack has a zone at each of them, and real programs run it. The
 * simulated providers publish into one real nameserver, which takes the dynamic updates and a person's hand, too.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { ask, serverText, valuesOf } from "../../../dns/client.ts";
import { Cloudflare } from "../../../dns/cloudflare.ts";
import { ensureEngine } from "../../../local/engine/engine.ts";
import { pulumiEnvironment } from "../../../local/engine/pulumi.ts";
import { cloudPaths } from "../../../local/paths.ts";
import { attachProviders } from "../../../local/providers/attached.ts";
import type { ProviderName } from "../../../local/providers/names.ts";
import { plainTxt, quoteTxt } from "../../../plan/txt.ts";
import type { DnsRecord } from "../../../plan/types.ts";
import { valueText } from "../../../plan/zoneFile.ts";
import { startFakeCloud } from "../../local/fake-cloud.ts";
import { type Primary, startPrimary } from "../../primary.ts";

const checkout = join(import.meta.dirname, "../../..");

/** Records of a zone without who keeps it. */
const PROGRAM = `
import { readFileSync } from "node:fs";
import { zoneFiles } from "./components/dns/byHand.ts";
import { sharedSpf } from "./components/dns/sharedSpf.ts";
import { findKeepers } from "./components/dns/zones.ts";
import { Dns } from "./components/dns.ts";
import { RecordMark } from "./components/recordMark.ts";
import { parseSettings } from "${checkout}/settings/parse.ts";
const { settings: raw, records } = JSON.parse(readFileSync("scene.json", "utf8"));
const settings = parseSettings(raw, process.env, "eu-central-1");
const keepers = await findKeepers(settings);
const spf = await sharedSpf(settings, records, keepers);
const mark = new RecordMark("mark");
const dns = new Dns("dns", {
  keepers,
  spf,
  records,
  facts: () => { throw new Error("no fact is asked for"); },
  mark: mark.text,
});
export const files = Object.fromEntries(zoneFiles(settings, Object.values(dns.records)));
`;

/** Who keeps which zone, and what differs. */
interface Place {
  readonly provider: string;
  readonly zone: string;
  /** Whether something foreign stands beside a record under its name and type from the beginning. */
  readonly shares: boolean;
  /** Whether foreign records that contradict are refused; a person sees them. */
  readonly refuses: boolean;
}

const places: readonly Place[] = [
  { provider: "cloudflare", zone: "example.org", shares: true, refuses: true },
  { provider: "rfc2136", zone: "example.net", shares: true, refuses: true },
  // One set of values for a name and type, which are one owner's.
  { provider: "route53", zone: "example.info", shares: false, refuses: true },
  // A person gives a set the time to live that the output says.
  { provider: "byHand", zone: "example.edu", shares: false, refuses: false },
];

type Wanted = Omit<DnsRecord, "zone" | "why" | "content"> & { readonly content: string };

const key = (letter: string) => `v=DKIM1; h=sha256; k=rsa; p=${letter.repeat(392)}`;

/** Every type of the plan, one text that is longer than a string of the DNS, and sets of several. */
function first(zone: string): readonly Wanted[] {
  const mail = `mail.${zone}`;
  return [
    { name: mail, type: "A", ttl: 300, content: "192.0.2.25" },
    { name: mail, type: "AAAA", ttl: 300, content: "2001:db8::25" },
    { name: zone, type: "MX", ttl: 300, priority: 10, content: mail },
    { name: zone, type: "MX", ttl: 300, priority: 20, label: "20", content: `mx2.${zone}` },
    { name: zone, type: "TXT", ttl: 300, content: "v=spf1 mx -all" },
    { name: `k._domainkey.${zone}`, type: "TXT", ttl: 300, content: key("a") },
    { name: `*._domainkey.old.${zone}`, type: "TXT", ttl: 300, content: "v=DKIM1; p=" },
    { name: `_imaps._tcp.${zone}`, type: "SRV", ttl: 300, priority: 0, content: `1 993 ${mail}` },
    { name: `_pop3._tcp.${zone}`, type: "SRV", ttl: 300, priority: 0, content: "0 0 ." },
    { name: `_25._tcp.${mail}`, type: "TLSA", ttl: 300, label: "one", content: `3 1 1 ${"AA".repeat(32)}` },
    { name: `_25._tcp.${mail}`, type: "TLSA", ttl: 300, label: "two", content: `3 1 1 ${"BB".repeat(32)}` },
    { name: mail, type: "CAA", ttl: 300, content: '0 issue "ca.example; validationmethods=http-01"' },
    { name: mail, type: "CAA", ttl: 300, label: "issuewild", content: '0 issuewild ";"' },
  ];
}

/** A later day: other times to live, another key, one of two gone, another one come. */
function later(zone: string): readonly Wanted[] {
  return first(zone)
    .filter(({ label }) => label !== "one")
    .map((record) =>
      record.content === key("a") ? { ...record, content: key("b") } : { ...record, ttl: 3600 },
    )
    .concat({
      name: `_25._tcp.mail.${zone}`,
      type: "TLSA",
      ttl: 3600,
      label: "three",
      content: `3 1 1 ${"CC".repeat(32)}`,
    });
}

/** What is somebody else's, and in nobody's way. */
const foreign = (zone: string, { shares }: Place) =>
  [
    [`www.${zone}`, 600, "A", "192.0.2.80"],
    [`texts.${zone}`, 600, "TXT", '"a \\"quoted\\" one" "in two parts"'],
    ...(shares ? ([[zone, 300, "TXT", '"some-site-verification=1"']] as const) : []),
  ] as const;

type Foreign = readonly [name: string, ttl: number, type: string, rdata: string];

class Laboratory {
  readonly primary: Primary;
  readonly #cloud: Awaited<ReturnType<typeof startFakeCloud>>;
  readonly #folder: string;
  readonly #env: Record<string, string>;
  readonly #pulumi: string;

  private constructor(
    primary: Primary,
    cloud: Awaited<ReturnType<typeof startFakeCloud>>,
    folder: string,
    pulumi: string,
  ) {
    this.primary = primary;
    this.#cloud = cloud;
    this.#folder = folder;
    this.#pulumi = pulumi;
    this.#env = {
      ...pulumiEnvironment({
        home: join(folder, "home"),
        backendDir: join(folder, "state"),
        passphrase: "local",
        extra: { PULUMI_STACK: "dev", AWS_REGION: "eu-central-1", TSIG_SECRET: primary.secret },
      }),
      MAILHOST_CLOUD: cloud.folder,
      CLOUDFLARE_API_TOKEN: cloud.cloudflareToken,
      CLOUDFLARE_BASE_URL: cloud.cloudflareUrl,
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    };
  }

  static async start(t: TestContext): Promise<Laboratory> {
    const primary = await startPrimary(Object.fromEntries(places.map(({ zone }) => [zone, []])));
    t.after(() => primary.close());
    const cloud = await startFakeCloud(t);
    Object.assign(cloud.world.dns, { setRrset: primary.replace });
    const folder = mkdtempSync(join(tmpdir(), "keepers-e2e-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const program = join(folder, "program");
    mkdirSync(program);
    for (const name of ["node_modules", "components"]) symlinkSync(join(checkout, name), join(program, name));
    writeFileSync(
      join(program, "Pulumi.yaml"),
      "name: scratch\nmain: index.ts\nruntime: {name: nodejs, options: {typescript: false}}\noptions: {refresh: always}\n",
    );
    writeFileSync(join(program, "package.json"), '{"type": "module"}');
    writeFileSync(join(program, "index.ts"), PROGRAM);
    writeFileSync(
      join(program, "Pulumi.dev.yaml"),
      "encryptionsalt: v1:gto2Rw84DbQ=:v1:tI+pn+y17ATpCGJe:TYKGXLSqXrDnbNSuwOOB3i8vVCf78A==\n",
    );
    const { pulumi } = await ensureEngine({ cacheDir: cloudPaths().cache, log: console.error });
    const lab = new Laboratory(primary, cloud, folder, pulumi);
    await lab.run("stack", "init", "dev", "--no-select");
    return lab;
  }

  /** What the stack is to publish in each zone. */
  want(records: (zone: string) => readonly Wanted[]): void {
    const { server, port, key, algorithm } = this.primary;
    const settings = {
      hostname: "mail.example.org",
      owner: "ann@example.org",
      ssh: { from: ["203.0.113.7/32"] },
      domains: Object.fromEntries(
        places.map(({ zone }) => [zone, { since: "2026-11-21", mailboxes: { ann: {} } }]),
      ),
      dns: {
        zones: Object.fromEntries(places.map(({ zone, provider }) => [zone, provider])),
        // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
        rfc2136: { server, port, key, algorithm, secret: "${TSIG_SECRET}" },
      },
    };
    const all = places.flatMap(({ zone }) =>
      records(zone).map((record) => ({ ...record, zone, why: "A test's" })),
    );
    writeFileSync(join(this.#folder, "program/scene.json"), JSON.stringify({ settings, records: all }));
  }

  async run(...args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
    const names: readonly ProviderName[] = ["aws", "cloudflare", "command", "random"];
    const attached = args[0] === "stack" ? undefined : await attachProviders(names, this.#env);
    const child = spawn(this.#pulumi, [...args], {
      cwd: join(this.#folder, "program"),
      env: { ...this.#env, ...(attached && { PULUMI_DEBUG_PROVIDERS: attached.addresses }) },
      stdio: ["ignore", "pipe", "pipe"],
      // Far more than any takes, and the engine says then where it was.
      timeout: 180_000,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    const [code] = (await once(child, "close")) as [number | null];
    await attached?.end();
    this.said.push(output);
    return { code, output };
  }

  readonly said: string[] = [];

  async up(): Promise<void> {
    const { code, output } = await this.run("up", "--yes", "--skip-preview");
    assert.equal(code, 0, output);
    await this.#byHand();
  }

  /** What a person does with the output: takes out what was in the one before, and puts in what is in it now. */
  async #byHand(): Promise<void> {
    const { output } = await this.run("stack", "output", "files", "--json");
    const files = JSON.parse(output) as Readonly<Record<string, string>>;
    for (const { zone } of places.filter(({ provider }) => provider === "byHand")) {
      const lines = (files[zone] ?? assert.fail(`no file of ${zone}`))
        .split("\n")
        .filter((line) => /^[^;$]/.test(line));
      await this.#replaceByHand(zone, lines);
    }
  }

  #inByHand: readonly string[] = [];

  async #replaceByHand(zone: string, lines: readonly string[]): Promise<void> {
    const parts = (line: string) =>
      /^(\S+) (\d+) IN (\S+) (.*)$/.exec(line)?.slice(1) as [string, string, string, string];
    for (const line of this.#inByHand) {
      const [name, , type, rdata] = parts(line);
      await this.primary.unset(zone, whole(name, zone), type, rdata);
    }
    for (const line of lines) {
      const [name, ttl, type, rdata] = parts(line);
      await this.primary.set(zone, whole(name, zone), Number(ttl), type, rdata);
    }
    this.#inByHand = lines;
  }

  async destroy(): Promise<void> {
    const { code, output } = await this.run("destroy", "--yes");
    assert.equal(code, 0, output);
    for (const { zone } of places.filter(({ provider }) => provider === "byHand"))
      await this.#replaceByHand(zone, []);
  }

  /** Somebody else puts a record in, by the provider's own ways. @returns takes it out again */
  async foreign({ provider, zone }: Place, [name, ttl, type, rdata]: Foreign): Promise<() => Promise<void>> {
    if (provider === "route53") {
      await this.#upsert(zone, name, ttl, type, (values) => [...values, rdata]);
      return () => this.#upsert(zone, name, ttl, type, (values) => values.filter((value) => value !== rdata));
    }
    if (provider !== "cloudflare") {
      await this.primary.set(zone, name, ttl, type, rdata);
      return () => this.primary.unset(zone, name, type, rdata);
    }
    const api = async (method: string, path: string, body?: object) => {
      const response = await fetch(`${this.#cloud.cloudflareUrl}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#cloud.cloudflareToken}` },
        ...(body && { body: JSON.stringify(body) }),
      });
      const { result } = (await response.json()) as {
        result: { readonly id: string } & readonly { readonly id: string }[];
      };
      return result;
    };
    const [{ id: zoneId } = assert.fail()] = await api("GET", `/zones?name=${zone}`);
    const { id } = await api("POST", `/zones/${zoneId}/dns_records`, { name, ttl, type, content: rdata });
    return async () => void (await api("DELETE", `/zones/${zoneId}/dns_records/${id}`));
  }

  /** Somebody else writes another text into an SPF record that is there. */
  async edit({ provider, zone }: Place, from: string, to: string): Promise<void> {
    if (provider !== "cloudflare") {
      await this.primary.unset(zone, zone, "TXT", quoteTxt(from));
      return await this.primary.set(zone, zone, 300, "TXT", quoteTxt(to));
    }
    const api = new Cloudflare({ url: this.#cloud.cloudflareUrl, token: this.#cloud.cloudflareToken });
    const { id = "" } = (await api.zones()).find(({ name }) => name === zone) ?? {};
    const texts = await api.recordsAt(id, zone, "TXT");
    const found = texts.find(({ content = "" }) => plainTxt(content) === from);
    assert.ok(found, `no ${from}`);
    await api.change("PATCH", `/zones/${id}/dns_records/${found.id}`, { content: quoteTxt(to) });
  }

  /** A set of Route 53's as a person changes it in the console: as a whole. */
  async #upsert(
    zone: string,
    name: string,
    ttl: number,
    type: string,
    change: (values: readonly string[]) => readonly string[],
  ): Promise<void> {
    const { aws } = this.#cloud;
    const { HostedZones } = (await aws.handle("ListHostedZonesByName", { DNSName: zone })) as {
      HostedZones: readonly { readonly Id: string }[];
    };
    const [{ Id: HostedZoneId } = assert.fail()] = HostedZones;
    const { ResourceRecordSets } = (await aws.handle("ListResourceRecordSets", { HostedZoneId })) as {
      ResourceRecordSets: readonly {
        readonly Name: string;
        readonly Type: string;
        readonly TTL: number;
        readonly ResourceRecords: readonly { readonly Value: string }[];
      }[];
    };
    const there = ResourceRecordSets.find((set) => set.Name === `${name}.` && set.Type === type);
    const values = change(there?.ResourceRecords.map(({ Value }) => Value) ?? []);
    const set = { Name: name, Type: type, TTL: there?.TTL ?? ttl };
    const ResourceRecordSet =
      values.length === 0 ? there : { ...set, ResourceRecords: values.map((Value) => ({ Value })) };
    const Action = values.length === 0 ? "DELETE" : "UPSERT";
    await aws.handle("ChangeResourceRecordSets", {
      HostedZoneId,
      ChangeBatch: { Changes: [{ Action, ResourceRecordSet }] },
    });
  }

  /** What the nameserver says is there, of what is wanted and of nothing else. */
  async serves(records: (zone: string) => readonly Wanted[]): Promise<void> {
    for (const place of places) {
      const { zone, provider } = place;
      const sets = Map.groupBy(records(zone), ({ name, type }) => `${type} ${name}`);
      for (const set of sets.values()) {
        const [{ name, type, ttl } = assert.fail()] = set;
        const { answers } = await ask(serverText(this.primary), name, type, { recursion: false });
        const own = answers.filter(
          (answer) => !valuesOf([answer]).some((value) => value.startsWith("some-site")),
        );
        assert.deepEqual(valuesOf(own), set.map(valueText).toSorted(), `${provider}: ${type} ${name}`);
        if (own.length === answers.length)
          assert.deepEqual(
            [...new Set(own.map((answer) => "ttl" in answer && answer.ttl))],
            [ttl],
            `${provider}: ${type} ${name}`,
          );
      }
    }
  }

  /** Everything on disk that the engine has written. */
  written(): string {
    const files = readdirSync(join(this.#folder, "state"), { recursive: true, withFileTypes: true });
    return files
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name), "utf8"))
      .join("\n");
  }
}

const whole = (name: string, zone: string) => (name === "@" ? zone : `${name}.${zone}`);

test("whoever keeps a zone, its records are made, changed and deleted, and what is foreign stays as it is", async (t) => {
  const lab = await Laboratory.start(t);
  for (const place of places)
    for (const record of foreign(place.zone, place)) await lab.foreign(place, record);
  const read = async () =>
    Object.fromEntries(
      await Promise.all(places.map(async ({ zone }) => [zone, await lab.primary.records(zone)])),
    );
  const before = (await read()) as Readonly<Record<string, readonly string[]>>;
  const foreignStays = async () => {
    const now = (await read()) as typeof before;
    for (const { zone, provider } of places)
      assert.deepEqual(
        before[zone]?.filter((line) => !now[zone]?.includes(line)),
        [],
        provider,
      );
  };
  const refusing = places.filter(({ refuses }) => refuses);
  /** Somebody's record is in the way in each zone in turn: the run stops, says where, and leaves the set as it is. */
  const refused = async (
    args: readonly string[],
    standing: (place: Place) => Foreign,
    records: (zone: string, isInTheWay: boolean) => readonly Wanted[],
  ) => {
    for (const place of refusing) {
      const [name, ttl, type, rdata] = standing(place);
      const withdraw = await lab.foreign(place, [name, ttl, type, rdata]);
      const set = async () =>
        (await lab.primary.records(place.zone)).filter(
          (line) => line.startsWith(`${name}. `) && line.includes(` ${type} `),
        );
      const stood = await set();
      lab.want((zone) => records(zone, zone === place.zone));
      const { code, output } = await lab.run(...args);
      assert.notEqual(code, 0, `${place.provider}: ${output}`);
      assert.ok(output.includes(`where ${name} ${type} is to be; nothing was overwritten.`), output);
      assert.ok(output.includes(rdata.replaceAll('"', "")), output);
      assert.deepEqual(await set(), stood, place.provider);
      assert.ok(
        stood.some((line) => line.endsWith(rdata)),
        place.provider,
      );
      await withdraw();
    }
    await foreignStays();
  };

  await t.test("a preview refuses what would contradict a record that is there already", async () => {
    await refused(
      ["preview"],
      ({ zone }) => [`k._domainkey.${zone}`, 60, "TXT", '"v=DKIM1; p=foreign"'],
      (zone, isInTheWay) => (isInTheWay ? first(zone) : []),
    );
  });

  await t.test("all are made, and nothing is to be done then", async () => {
    lab.want(first);
    await lab.up();
    await lab.serves(first);
    await foreignStays();
    const { code, output } = await lab.run("preview", "--expect-no-changes");
    assert.equal(code, 0, output);
  });

  await t.test("one that is replaced is not in its own way", async () => {
    const { output: urns } = await lab.run("stack", "--show-urns");
    const replaced = places.flatMap(({ zone, provider }) =>
      provider === "byHand"
        ? []
        : [...urns.matchAll(/urn:\S+/g)].flat().filter((urn) => urn.endsWith(`-mx:${zone}`)),
    );
    assert.equal(replaced.length, 3, urns);
    const { code, output } = await lab.run(
      ...["up", "--yes", "--skip-preview"],
      ...replaced.flatMap((urn) => ["--replace", urn]),
    );
    assert.equal(code, 0, output);
    assert.equal(output.match(/ replaced /g)?.length, 3, output);
    await lab.serves(first);
    await foreignStays();
  });

  await t.test("changed ones are changed, what is wanted no more is gone", async () => {
    lab.want(later);
    await lab.up();
    await lab.serves(later);
    await foreignStays();
  });

  await t.test(
    "what came beside a record and would be lost, or contradicts it, is refused when that changes",
    async () => {
      const changed = (zone: string) =>
        later(zone).map((record) =>
          record.content === "v=spf1 mx -all" ? { ...record, content: "v=spf1 a -all" } : record,
        );
      await refused(
        ["up", "--yes", "--skip-preview"],
        // Another SPF in a set that is the stack's as a whole is a change of the stack's own.
        ({ zone, shares }) => [
          zone,
          300,
          "TXT",
          shares ? '"v=spf1 include:others.example -all"' : '"some-site-verification=2"',
        ],
        (zone, isInTheWay) => (isInTheWay ? changed(zone) : later(zone)),
      );
      lab.want(changed);
      await lab.up();
      await lab.serves(changed);
      await foreignStays();
    },
  );

  await t.test("when the stack goes, exactly its own records go", async () => {
    await lab.destroy();
    assert.deepEqual(await read(), before);
  });

  await t.test("the key's secret is in no state and no message in clear", () => {
    assert.ok(lab.written().includes(lab.primary.key));
    for (const text of [lab.written(), ...lab.said]) assert.ok(!text.includes(lab.primary.secret));
  });
});

test("one step at a time, as an engine does whose workers are all taken, no step waits for another for good", async (t) => {
  const lab = await Laboratory.start(t);
  lab.want(first);
  const { code, output } = await lab.run("preview", "--parallel", "1");
  assert.equal(code, 0, output);
});

test("a domain's SPF stands in one record with somebody else's, and that is again what it was when the stack goes", async (t) => {
  const lab = await Laboratory.start(t);
  const sharing = places.filter(({ provider }) => provider === "cloudflare" || provider === "rfc2136");
  const theirs = '"v=spf1 include:_spf.shop." "example ~all"';
  for (const place of sharing)
    for (const record of [...foreign(place.zone, place), [place.zone, 300, "TXT", theirs] as const])
      await lab.foreign(place, record);
  const read = async () =>
    (await Promise.all(sharing.map(({ zone }) => lab.primary.records(zone)))).map((lines) =>
      lines.toSorted(),
    );
  const before = await read();
  const spf = async () =>
    (await read()).map((lines) =>
      lines.filter((line) => line.includes("v=spf1")).map((line) => line.replace(/^\S+ /, "")),
    );
  /** In each zone a mail server, and SPF where it is shared. */
  const wanted =
    (joins: DnsRecord["joins"]) =>
    (zone: string): readonly Wanted[] => [
      { name: zone, type: "MX", ttl: 300, priority: 10, content: `mail.${zone}` },
      ...(sharing.some((place) => place.zone === zone)
        ? [{ name: zone, type: "TXT" as const, ttl: 600, content: "v=spf1 mx -all", ...(joins && { joins }) }]
        : []),
    ];
  const mx = wanted({ own: ["mx"] });

  await t.test(
    "without a word in the stack file it is refused, and the message names the setting",
    async () => {
      lab.want(wanted(undefined));
      const { code, output } = await lab.run("preview");
      assert.notEqual(code, 0, output);
      assert.match(output, /spf: merge under that domain/);
    },
  );

  await t.test("the preview shows the whole record, and touches nothing", async () => {
    lab.want(mx);
    const { code, output } = await lab.run("preview", "--diff");
    assert.equal(code, 0, output);
    for (const { zone } of sharing)
      assert.ok(
        output.includes(
          `${zone}, SPF: the record of somebody else's gets the host, and all else in it stays. It is v=spf1 include:_spf.shop.example ~all, and will be v=spf1 mx include:_spf.shop.example ~all. Its ~all stays, which is milder than -all`,
        ),
        output,
      );
    assert.match(output, /"?record"?: "v=spf1 mx include:_spf\.shop\.example ~all"/);
    assert.deepEqual(await read(), before);
  });

  await t.test(
    "it is made so, with the time to live that it had, and nothing is to be done then",
    async () => {
      await lab.up();
      assert.deepEqual(
        await spf(),
        sharing.map(() => ['300 TXT "v=spf1 mx include:_spf.shop.example ~all"']),
      );
      const { code, output } = await lab.run("preview", "--expect-no-changes");
      assert.equal(code, 0, output);
    },
  );

  await t.test("the stack file's changes come in, also what is said of all others", async () => {
    lab.want(wanted({ own: ["mx", "include:relay.example"], all: "-all" }));
    await lab.up();
    assert.deepEqual(
      await spf(),
      sharing.map(() => ['300 TXT "v=spf1 mx include:relay.example include:_spf.shop.example -all"']),
    );
    lab.want(mx);
    await lab.up();
  });

  await t.test("the stack goes: every record is there as before, byte for byte", async () => {
    await lab.destroy();
    assert.deepEqual(await read(), before);
  });

  await t.test(
    "a change by hand is seen, mended where ours was taken out, and stays when the stack goes",
    async () => {
      await lab.up();
      const edit = async (from: string, to: string) => {
        for (const place of sharing) await lab.edit(place, from, to);
      };
      await edit("v=spf1 mx include:_spf.shop.example ~all", "v=spf1 include:news.example ~all");
      await lab.up();
      assert.deepEqual(
        await spf(),
        sharing.map(() => ['300 TXT "v=spf1 mx include:news.example ~all"']),
      );
      await edit("v=spf1 mx include:news.example ~all", "v=spf1 include:news.example ~all");
      await lab.up();
      assert.deepEqual(
        await spf(),
        sharing.map(() => ['300 TXT "v=spf1 mx include:news.example ~all"']),
      );
      const { code, output } = await lab.run("preview", "--expect-no-changes");
      assert.equal(code, 0, output);
      await lab.destroy();
      assert.deepEqual(
        await spf(),
        sharing.map(() => ['300 TXT "v=spf1 include:news.example ~all"']),
      );
    },
  );

  await t.test(
    "two of them, and one that would cost too many look-ups, are refused with the reason",
    async () => {
      const [first = assert.fail()] = sharing;
      const withdraw = await lab.foreign(first, [first.zone, 300, "TXT", '"v=spf1 a -all"']);
      const two = await lab.run("preview");
      assert.notEqual(two.code, 0);
      assert.match(two.output, /example\.org has 2 SPF records, which receivers take for an error/);
      await withdraw();
      const all = Array.from({ length: 10 }, (_, index) => `a:${index}.example`).join(" ");
      await lab.edit(first, "v=spf1 include:news.example ~all", `v=spf1 ${all} ~all`);
      const many = await lab.run("preview");
      assert.notEqual(many.code, 0);
      assert.match(many.output, /The SPF record of example\.org would take 11 look-ups/);
    },
  );
});
