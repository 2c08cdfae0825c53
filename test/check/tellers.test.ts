import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { simpleParser } from "mailparser";
import { byMail, byWebhook, straight } from "../../check/tellers.ts";
import type { CheckResult } from "../../check/types.ts";
import type { Session } from "../../ssh/session.ts";
import { authority } from "./fixtures.ts";

const from = { host: "mail.example.org", stack: "prod" };
const wrong: CheckResult = {
  group: "Inside the host",
  item: "services",
  about: "services.rspamd.service",
  right: false,
  text: "rspamd.service is failed",
  remedy: "See why: `journalctl -u rspamd` on the host.",
};
const over: CheckResult = { ...wrong, about: "resources./srv", text: "/srv is 90 % full" };
const news = { wrong: [wrong], over: [over] };

/** What was run, with what on its standard input; ends with this code. */
function session(code = 0): Session & { readonly ran: { command: string; input: string }[] } {
  const ran: { command: string; input: string }[] = [];
  return {
    ran,
    async run(command, { input = "" } = {}) {
      ran.push({ command, input });
      return { code, stdout: "", stderr: code === 0 ? "" : "fatal: no room\n" };
    },
    close: () => undefined,
  };
}

test("by mail: the queue gets one that any program reads, with what to do", async () => {
  const host = session();
  await byMail("owner", from, "ann@example.org", host).tell(news);
  const [{ command, input }] = host.ran as [{ command: string; input: string }];
  assert.equal(command, "/usr/sbin/sendmail -f root@mail.example.org -- ann@example.org");
  const mail = await simpleParser(input);
  assert.equal(mail.subject, "mail.example.org: 1 newly wrong, 1 no longer wrong");
  assert.equal(mail.headers.get("auto-submitted"), "auto-generated");
  assert.match(
    mail.text ?? "",
    /✗ WRONG: rspamd\.service is failed\n {6}→ See why: `journalctl -u rspamd` on the host\./,
  );
  assert.match(mail.text ?? "", /✓ no longer: \/srv is 90 % full\n/);
  assert.match(mail.text ?? "", /npm run check -- --stack prod\n/);
  assert.ok(input.split("\n").every((row) => row.length <= 78));
  await assert.rejects(
    byMail("owner", from, "ann@example.org", session(75)).tell(news),
    /^Error: fatal: no room$/,
  );
});

test("straight: where no server of the address takes it, it goes by the queue", async () => {
  const host = session();
  const to = "ann@example.net";
  // Nobody answers there.
  const around = { resolver: "127.0.0.1:1", roots: [], otherwise: byMail("to", from, to, host) };
  await straight("to", from, to, around).tell(news);
  assert.deepEqual(
    host.ran.map(({ command }) => command),
    ["/usr/sbin/sendmail -f root@mail.example.org -- ann@example.net"],
  );
});

const trusted = authority();
const good = trusted.issue("localhost");
const bodies: { readonly url: string; readonly type: string; readonly body: string }[] = [];
let status = 204;
const server = createServer(good, (request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (text: string) => {
    body += text;
  });
  request.on("end", () => {
    bodies.push({
      url: `${request.method} ${request.url}`,
      type: request.headers["content-type"] ?? "",
      body,
    });
    response.writeHead(status).end();
  });
});
let url: string;
before(async () => {
  server.listen(0, "localhost");
  await once(server, "listening");
  url = `https://localhost:${(server.address() as AddressInfo).port}/T0/word?thread=1`;
});
after(() => server.close());

test("by webhook: one JSON object, for people and for programs", async () => {
  await byWebhook("webhook", from, url, [trusted.ca]).tell(news);
  const [got] = bodies;
  assert.equal(got?.url, "POST /T0/word?thread=1");
  assert.equal(got?.type, "application/json");
  const { at, text, ...rest } = JSON.parse(got?.body ?? "") as Record<string, unknown>;
  assert.deepEqual(rest, {
    host: "mail.example.org",
    wrong: [{ about: wrong.about, text: wrong.text, remedy: wrong.remedy }],
    over: [{ about: over.about, text: over.text }],
  });
  assert.match(
    String(text),
    /^mail\.example\.org: 1 newly wrong, 1 no longer wrong\n.*rspamd\.service is failed/,
  );
  assert.ok(Math.abs(Date.parse(String(at)) - Date.now()) < 60_000);
});

test("by webhook: a refusal and a certificate that is not trusted are said, without the address", async () => {
  status = 410;
  await assert.rejects(
    byWebhook("webhook", from, url, [trusted.ca]).tell(news),
    /^Error: the answer is 410$/,
  );
  await assert.rejects(byWebhook("webhook", from, url, []).tell(news), (error: Error) => {
    assert.match(error.message, /certificate|issuer/);
    assert.doesNotMatch(error.message, /localhost|word/);
    return true;
  });
});
