import assert from "node:assert/strict";
import { test } from "node:test";
import { Isolate } from "../../../local/world/isolate.ts";

const ask = { url: "https://www.example.org/a?b=c", method: "GET", headers: [["x-one", "1"]] } as const;

async function answerOf(source: string): Promise<string> {
  const isolate = await Isolate.start(source);
  try {
    return Buffer.from((await isolate.fetch(ask)).body).toString();
  } finally {
    await isolate.close();
  }
}

test("a script answers requests, and keeps what it knows from one to the next", async () => {
  const isolate = await Isolate.start(
    `let seen = 0;
     export default { async fetch(request) {
       seen += 1;
       return new Response([seen, request.method, request.url, request.headers.get("x-one")].join(" "), { status: 201 });
     } };`,
  );
  const answers = await Promise.all([isolate.fetch(ask), isolate.fetch(ask)]);
  assert.deepEqual(
    answers.map(({ status, body }) => `${status} ${Buffer.from(body)}`),
    ["201 1 GET https://www.example.org/a?b=c 1", "201 2 GET https://www.example.org/a?b=c 1"],
  );
  await isolate.close();
});

test("it has what the platform has, and nothing of Node", async () => {
  assert.equal(
    await answerOf(
      `export default { fetch: () => new Response([typeof process, typeof require, typeof Buffer, typeof crypto.subtle].join(" ")) };`,
    ),
    "undefined undefined undefined object",
  );
});

test("what does not start says why", async () => {
  await assert.rejects(Isolate.start("export default {"), /SyntaxError/);
  await assert.rejects(Isolate.start("throw new Error('no luck');"), /no luck/);
  await assert.rejects(Isolate.start("import fs from 'node:fs'; export default {};"), /No such module/);
  await assert.rejects(Isolate.start("export const fetch = 1;"), /no handler for fetch/);
});

test("what throws at a request fails that request alone", async () => {
  const isolate = await Isolate.start(
    `let seen = 0; export default { fetch() { if (seen++ === 0) throw new TypeError("oh"); return new Response("well"); } };`,
  );
  await assert.rejects(isolate.fetch(ask), /Uncaught TypeError: oh/);
  assert.equal(Buffer.from((await isolate.fetch(ask)).body).toString(), "well");
  await isolate.close();
});
