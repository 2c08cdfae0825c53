import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { callApi, NoAnswer } from "../../check/api.ts";

const whom = "Somebody";

/** Until the test ends. @returns the socket that it listens on */
async function listening(t: TestContext, answer: RequestListener): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "mailhost-api-"));
  const path = join(folder, "socket");
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen({ path }, resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  return path;
}

/** Answers with what it was asked. */
const mirror: RequestListener = (request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const { method, url, headers } = request;
    const text = Buffer.concat(parts).toString();
    response.writeHead(url === "/wrong" ? 404 : 200);
    response.end(
      JSON.stringify({ method, url, word: headers["x-word"], type: headers["content-type"], text }),
    );
  });
};

test("a call and its answer, an error's answer too, on a socket and at an address", async (t) => {
  const at = await listening(t, mirror);
  assert.deepEqual(await callApi({ whom, at }, { path: "/a?b=c" }), {
    status: 200,
    value: { method: "GET", url: "/a?b=c", text: "" },
  });
  assert.deepEqual(
    await callApi(
      { whom, at: `unix://${at}` },
      { method: "PATCH", path: "/wrong", body: { ü: 1 }, headers: { "x-word": "yes" } },
    ),
    {
      status: 404,
      value: { method: "PATCH", url: "/wrong", word: "yes", type: "application/json", text: '{"ü":1}' },
    },
  );
  const server = createServer(mirror);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  assert.deepEqual(await callApi({ whom, at: `http://127.0.0.1:${port}/below/` }, { path: "/x" }), {
    status: 200,
    value: { method: "GET", url: "/below/x", text: "" },
  });
});

test("where nobody listens, the message says who does not answer, and the cause why", async () => {
  await assert.rejects(callApi({ whom, at: "/nowhere/socket" }, { path: "/" }), (error: Error) => {
    assert.match(error.message, /^Somebody does not answer at \/nowhere\/socket: connect ENOENT/);
    assert.equal((error.cause as NodeJS.ErrnoException).code, "ENOENT");
    return !(error instanceof NoAnswer);
  });
});

test("who listens and is silent is told from who is not there, before and in the answer", async (t) => {
  const at = await listening(t, (request, response) => {
    if (request.url === "/half") response.write("{");
  });
  for (const path of ["/", "/half"])
    await assert.rejects(callApi({ whom, at }, { path, patience: 0.1 }), (error: Error) => {
      assert.equal(error.message, `Somebody gives no answer to GET ${path} in 0.1 s`);
      return error instanceof NoAnswer;
    });
});

test("an answer that is no JSON, or ends early, is an error", async (t) => {
  const at = await listening(t, (request, response) => {
    if (request.url === "/page") response.writeHead(502).end("<h1>Bad gateway</h1>");
    else {
      response.writeHead(200, { "content-length": "10" }).write("{");
      setImmediate(() => response.destroy());
    }
  });
  await assert.rejects(callApi({ whom, at }, { path: "/page" }), {
    message: "Somebody answered GET /page with no JSON (status 502)",
  });
  await assert.rejects(callApi({ whom, at }, { path: "/cut" }), /^Error: Somebody does not answer at /);
});
