import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import { after, before, type TestContext, test } from "node:test";
import { web } from "../../check/items/web.ts";
import { webPages } from "../../plan/web.ts";
import { type DnsWorld, startDnsWorld } from "./dnsworld.ts";
import { authority, lines, settings, target } from "./fixtures.ts";

// A web server at a loopback address that is nobody else's, and names that lead there.
const address = "127.91.25.2";
const trusted = authority();
const pages = webPages(settings, {});
const policy = "https://mta-sts.example.org/.well-known/mta-sts.txt";

let world: DnsWorld;
before(async () => {
  const names = ["autoconfig", "autodiscover", "mta-sts"];
  world = await startDnsWorld({ "example.org": { lines: names.map((name) => `${name} A ${address}`) } });
});
after(() => world?.close());

/** What the item says where each page is what `shown` makes of it. */
async function said(
  t: TestContext,
  shown: (url: string, text: string) => string | number,
): Promise<string[]> {
  const servers = pages.map(({ host }) => host);
  const contexts = Object.fromEntries(servers.map((name) => [name, trusted.issue(name)]));
  const server = createServer(contexts["mta-sts.example.org"] ?? {}, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", `https://${request.headers.host}`);
    const page = pages.find(
      ({ host, path, method }) =>
        host === request.headers.host && path === pathname && method === request.method,
    );
    assert.ok(page && "text" in page.content, request.url);
    const person = page.address?.in === "query" ? searchParams.get("address") : "postmaster@example.org";
    const text = page.content.text
      .replaceAll("%ADDRESS%", person ?? "")
      .replaceAll("%UUID%", () => crypto.randomUUID());
    const answer = shown(`https://${page.host}${page.path}`, text);
    typeof answer === "number" ? response.writeHead(answer).end() : response.end(answer);
  });
  for (const name of servers) server.addContext(name, contexts[name] ?? {});
  await once(server.listen(443, address), "listening");
  try {
    return await lines(web, target({ resolver: world.resolver, trustedCas: [trusted.ca] }));
  } finally {
    await new Promise((resolve) => server.close(resolve));
    t.diagnostic(`${pages.length} pages`);
  }
}

test("pages as planned are right", async (t) => {
  assert.deepEqual(await said(t, (_, text) => text), [
    `right: all ${pages.length} pages for mail programs and other servers are as planned`,
  ]);
});

test("a policy with another word, and a page that is an error, are wrong, and they alone", async (t) => {
  assert.deepEqual(
    await said(t, (url, text) => (url === policy ? text.replace("testing", "enforce") : text)),
    [`wrong: ${policy} shows something else than planned`],
  );
  assert.deepEqual(await said(t, (url, text) => (url === policy ? 404 : text)), [
    `wrong: ${policy} does not show its page: the answer is 404`,
  ]);
});

test("a name that leads nowhere, and nobody there, are wrong", async () => {
  const where = { trustedCas: [trusted.ca], resolver: world.resolver };
  const [closed, ...others] = await lines(web, target(where));
  assert.match(closed ?? "", /^wrong: https:\/\/\S+ does not show its page: .*ECONNREFUSED/);
  assert.equal(others.length, pages.length - 1);
  const elsewhere = await startDnsWorld({ "example.org": { lines: [] } });
  try {
    assert.ok(
      (await lines(web, target({ ...where, resolver: elsewhere.resolver }))).includes(
        `wrong: ${policy} is not to be found: its name has no address`,
      ),
    );
  } finally {
    await elsewhere.close();
  }
});
