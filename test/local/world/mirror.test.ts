import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { Mirror } from "../../../local/world/mirror.ts";

const folder = mkdtempSync(join(tmpdir(), "mailhost-mirror-"));
const files = new Map<string, { text: string; modified: string }>();
/** Requests that reached the archive. */
let asked: string[] = [];
let archive: Server;
let mirror: Mirror;

before(async () => {
  archive = createServer((question, answer) => {
    asked.push(question.url ?? "");
    const file = files.get(new URL(question.url ?? "/").pathname);
    if (file === undefined) answer.writeHead(404).end();
    else if (question.headers["if-modified-since"] === file.modified) answer.writeHead(304).end();
    else answer.writeHead(200, { "last-modified": file.modified }).end(file.text);
  });
  await listen(archive);
  mirror = new Mirror(folder, () => {}, new URL(`http://127.0.0.1:${portOf(archive)}`));
  await listen(mirror.server);
});
beforeEach(() => {
  asked = [];
});
after(() => {
  archive.close();
  mirror.server.close();
  rmSync(folder, { recursive: true });
});

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function get(path: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  const options = { host: "127.0.0.1", port: portOf(mirror.server), path };
  return new Promise((resolve, reject) => {
    const call = request({ ...options, headers: { host: "deb.debian.org", ...headers } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    call.on("error", reject);
    call.end();
  });
}

test("a package is fetched once, also when many ask at once", async () => {
  files.set("/debian/pool/main/a/a_1.0_all.deb", {
    text: "package",
    modified: "Sat, 01 Nov 2025 10:00:00 GMT",
  });
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => get("/debian/pool/main/a/a_1.0_all.deb")),
  );
  assert.deepEqual(new Set(answers.map((answer) => answer.text)), new Set(["package"]));
  assert.equal((await get("http://deb.debian.org/debian/pool/main/a/a_1.0_all.deb")).text, "package");
  assert.equal(asked.length, 1);
});

test("an index is asked for each time, and what changed is passed on", async () => {
  const path = "/debian/dists/trixie/InRelease";
  files.set(path, { text: "monday", modified: "Mon, 03 Nov 2025 10:00:00 GMT" });
  assert.equal((await get(path)).text, "monday");
  const downloads = mirror.downloads;
  assert.equal((await get(path)).text, "monday");
  assert.equal(mirror.downloads, downloads);
  assert.equal((await get(path, { "if-modified-since": "Mon, 03 Nov 2025 10:00:00 GMT" })).status, 304);
  files.set(path, { text: "tuesday", modified: "Tue, 04 Nov 2025 10:00:00 GMT" });
  assert.equal((await get(path, { "if-modified-since": "Mon, 03 Nov 2025 10:00:00 GMT" })).text, "tuesday");
  assert.equal(asked.length, 4);
});

test("what is not there is not there, and nothing of it is kept", async () => {
  assert.equal((await get("/debian/pool/main/b/b_1.0_all.deb")).status, 404);
  files.set("/debian/pool/main/b/b_1.0_all.deb", {
    text: "later",
    modified: "Sat, 01 Nov 2025 10:00:00 GMT",
  });
  assert.equal((await get("/debian/pool/main/b/b_1.0_all.deb")).text, "later");
});

test("it is Debian's archive and no other door", async () => {
  assert.equal((await get("/", { host: "example.org" })).status, 403);
  assert.equal((await get("http://example.org/debian/x")).status, 403);
  assert.equal((await get("/debian/..%2f..%2f..%2fetc/passwd")).status, 403);
  assert.deepEqual(asked, []);
});

test("without the archive yesterday's index serves, and a new package is an error", async () => {
  files.set("/debian/dists/trixie/Release", { text: "kept", modified: "Mon, 03 Nov 2025 10:00:00 GMT" });
  assert.equal((await get("/debian/dists/trixie/Release")).text, "kept");
  archive.closeAllConnections();
  await new Promise((resolve) => archive.close(resolve));
  assert.equal((await get("/debian/dists/trixie/Release")).text, "kept");
  const { status, text } = await get("/debian/pool/main/c/c_1.0_all.deb");
  assert.equal(status, 502);
  assert.match(text, /cannot be reached/);
});
