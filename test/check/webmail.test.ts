import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createPlain, type RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { webmail } from "../../check/items/webmail.ts";
import { authority, hostname, lines, target, withPorts } from "./fixtures.ts";

const trusted = authority("authority.test");
const certificate = trusted.issue(hostname);

async function said(t: TestContext, page: RequestListener, way: RequestListener): Promise<string[]> {
  const servers = [createServer(certificate, page), createPlain(way)];
  const [https = 0, http = 0] = await Promise.all(
    servers.map(async (server) => {
      await once(server.listen(0, "127.0.0.1"), "listening");
      t.after(() => server.close());
      return (server.address() as AddressInfo).port;
    }),
  );
  return await lines(webmail, target({ bundles: withPorts({ http, https }), trustedCas: [trusted.ca] }));
}

const login: RequestListener = (_, response) => response.end('<form id="login-form">');
const onwards: RequestListener = (_, response) =>
  response.writeHead(301, { location: `https://${hostname}/` }).end();

test("without webmail in the plan there is nothing to say", async () => {
  assert.deepEqual(await lines(webmail, target()), []);
});

test("the login, and the way to it: right", async (t) => {
  assert.deepEqual(await said(t, login, onwards), [
    "right: https://mail.example.org/ shows webmail's login, and http:// leads there",
  ]);
});

test("an error, another page, and no way on are wrong", async (t) => {
  assert.deepEqual(
    await said(
      t,
      (_, response) => response.writeHead(502).end(),
      (_, response) => response.end("Welcome to nginx!"),
    ),
    [
      "wrong: https://mail.example.org/ does not show webmail's login: the answer is 502",
      "wrong: http://mail.example.org/ does not send browsers on to HTTPS: the answer is 200",
    ],
  );
  const [other] = await said(t, (_, response) => response.end("It works!"), onwards);
  assert.equal(other, "wrong: https://mail.example.org/ does not show webmail's login: the answer is 200");
});
