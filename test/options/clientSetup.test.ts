import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { type EdgeResponse, Isolate } from "../../local/world/isolate.ts";
import { dnsRecords } from "../../plan/records.ts";
import { webHosts, webPages, workerName, workerScript } from "../../plan/web.ts";
import { settingsWith } from "./settings.ts";

const today = "2026-11-21";

function services(keys: Readonly<Record<string, unknown>>): string[] {
  return dnsRecords(settingsWith(keys), today)
    .filter(({ type }) => type === "SRV")
    .map(({ name, priority, content, ttl, zone }) => [zone, name, ttl, priority, content].join(" "));
}

it("clientSetup: off it is absent", () => {
  assert.deepEqual(services({ clientSetup: false }), []);
  assert.deepEqual(webPages(settingsWith({ clientSetup: false, mtaSts: false }), {}), []);
});

it("clientSetup: by default, what there is and what there is not is said in the DNS", () => {
  assert.deepEqual(services({}), [
    "example.org _imaps._tcp.example.org 300 0 1 993 mail.example.org",
    "example.org _submissions._tcp.example.org 300 0 1 465 mail.example.org",
    "example.org _submission._tcp.example.org 300 10 1 587 mail.example.org",
    "example.org _imap._tcp.example.org 300 0 0 0 .",
    "example.org _pop3._tcp.example.org 300 0 0 0 .",
    "example.org _pop3s._tcp.example.org 300 0 0 0 .",
  ]);
  assert.ok(
    services({ pop3s: true }).includes("example.org _pop3s._tcp.example.org 300 10 1 995 mail.example.org"),
  );
});

it("each domain has its names, and each reason fits into a record's comment", () => {
  const settings = settingsWith({
    owner: "ann@elsewhere.example",
    mtaSts: false,
    domains: {
      "example.org": { since: today },
      "team.example.com": { since: today, zone: "example.com" },
    },
  });
  assert.deepEqual(webHosts(webPages(settings, {})), [
    { host: "autoconfig.example.org", zone: "example.org" },
    { host: "autodiscover.example.org", zone: "example.org" },
    { host: "autoconfig.team.example.com", zone: "example.com" },
    { host: "autodiscover.team.example.com", zone: "example.com" },
  ]);
  for (const { why } of dnsRecords(settings, today)) assert.ok(why.length <= 90, why);
});

it("the Worker's name is one that Cloudflare takes, however long the host's is", () => {
  assert.equal(workerName({ hostname: "mail.example.org" }), "mailhost-mail-example-org-5e495c");
  assert.notEqual(
    workerName({ hostname: "mail.a-b.example.org" }),
    workerName({ hostname: "mail.a.b.example.org" }),
  );
  const long = workerName({ hostname: `${"a".repeat(53)}.${"b".repeat(60)}.example` });
  assert.match(long, /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
});

describe("the Worker", async () => {
  const settings = settingsWith({ pop3s: true });
  const isolate = await Isolate.start(workerScript(settings, webPages(settings, {})));
  after(() => isolate.close());

  const ask = async (url: string, body?: string) => {
    const response: EdgeResponse = await isolate.fetch({
      url,
      method: body === undefined ? "GET" : "POST",
      headers: [],
      ...(body !== undefined && { body: Buffer.from(body) }),
    });
    return {
      status: response.status,
      headers: new Headers(response.headers.map(([name, value]): [string, string] => [name, value])),
      text: Buffer.from(response.body).toString(),
    };
  };
  const autodiscover = "https://autodiscover.example.org/Autodiscover/Autodiscover.xml";
  const asking = (address: string) =>
    `<Autodiscover><Request><EMailAddress>${address}</EMailAddress></Request></Autodiscover>`;
  const profile = (address: string) =>
    `https://autoconfig.example.org/mail.mobileconfig?address=${encodeURIComponent(address)}`;

  it("tells Thunderbird both ways in", async () => {
    const { status, headers, text } = await ask(
      "https://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=ann@example.org",
    );
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), "text/xml; charset=utf-8");
    assert.deepEqual(
      [...text.matchAll(/<(?:incoming|outgoing)Server type="(\w+)">[\s\S]*?<port>(\d+)</g)].map(
        ([, type, port]) => `${type} ${port}`,
      ),
      ["imap 993", "pop3 995", "smtp 465", "smtp 587"],
    );
  });

  it("answers Outlook with the login that it asked for, whatever the path's case", async () => {
    const { status, headers, text } = await ask(autodiscover, asking("Ann@Example.ORG"));
    assert.equal(status, 200);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.deepEqual(
      [...text.matchAll(/<LoginName>(.*)<\/LoginName>/g)].map(([, login]) => login),
      ["Ann@example.org", "Ann@example.org", "Ann@example.org"],
    );
  });

  it("repeats nobody's words: an address is one of the domain, and stays text", async () => {
    assert.equal((await ask(autodiscover, asking("ann@example.net"))).status, 400);
    assert.equal((await ask(autodiscover, asking("a b@example.org"))).status, 400);
    assert.equal((await ask(autodiscover, "")).status, 400);
    assert.equal((await ask(autodiscover, `${asking("ann@example.org")}${" ".repeat(20_000)}`)).status, 200);
    assert.equal((await ask(profile("<script>@example.org"))).status, 400);
    assert.equal((await ask(profile(`${"a".repeat(65)}@example.org`))).status, 400);
    const { text } = await ask(profile("r&d+$&@example.org"));
    assert.match(text, /<string>r&amp;d\+\$&amp;@example\.org<\/string>/);
    assert.doesNotMatch(text, /%ADDRESS%|%UUID%|&d/);
  });

  it("gives every profile and its account an id of their own", async () => {
    const ids = async () =>
      [...(await ask(profile("ann@example.org"))).text.matchAll(/<string>([0-9a-f-]{36})<\/string>/g)].map(
        ([, id]) => id,
      );
    assert.equal(new Set([...(await ids()), ...(await ids())]).size, 4);
  });

  it("shows people a page that runs nothing and fetches nothing", async () => {
    const { headers, text } = await ask("https://autoconfig.example.org/");
    assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assert.doesNotMatch(text, /<script|<link|src=|https?:\/\//);
    assert.match(text, /<meta name="viewport" content="width=device-width/);
    for (const said of ["mail.example.org", "993", "995", "465", "587"]) assert.ok(text.includes(said), said);
  });

  it("sends plain HTTP on to HTTPS, and refuses the rest", async () => {
    const plain = await ask("http://autodiscover.example.org/autodiscover/autodiscover.xml?a=b");
    assert.equal(plain.status, 302);
    assert.equal(
      plain.headers.get("location"),
      "https://autodiscover.example.org/autodiscover/autodiscover.xml?a=b",
    );
    assert.equal((await ask("https://autoconfig.example.org/wp-login.php")).status, 404);
    assert.equal((await ask("https://autodiscover.example.org/")).status, 404);
    const wrong = await ask(autodiscover);
    assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "POST"]);
    assert.equal(wrong.headers.get("strict-transport-security"), "max-age=31536000");
  });
});
