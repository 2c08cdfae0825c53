/**
 * The process that is a running local cloud: it holds the world and the simulated services, and is the parent of
 * every other process. `npm start` starts it; it ends by `POST /world/shutdown` or SIGTERM.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { callOtherSide } from "../check/otherside.ts";
import { publishImages } from "./aws/catalog.ts";
import { awsHandler } from "./aws/http.ts";
import { type AccessKey, queryHandler } from "./aws/query.ts";
import { createAwsService } from "./aws/service.ts";
import { createCloudflareService } from "./cloudflare/service.ts";
import { takeLock } from "./lock.ts";
import { type CloudPaths, checkout, cloudPaths, writeWhole } from "./paths.ts";
import type { SesAccess } from "./peer/ses.ts";
import type { CloudInfo, PublishedRecord } from "./types.ts";
import { acmeDirectory } from "./world/acme.ts";
import { claimSlot, operatorAddress } from "./world/network.ts";
import { LocalWorld } from "./world/world.ts";

/** The stack's region, for the simulated account; Pulumi.dev.yaml names the same. */
const region = "eu-central-1";
/** Where the hosted domains' web sites are: somewhere else (RFC 5737), or with a provider that is called by name. */
const webSites: Readonly<Record<string, { readonly type: "A" | "CNAME"; readonly content: string }>> = {
  "example.com": { type: "CNAME", content: "sites.example.net" },
  "example.org": { type: "A", content: "198.51.100.80" },
};
const peer = { domain: "example.net", hostname: "mx.example.net" } as const;

async function main(paths: CloudPaths): Promise<void> {
  if ((await takeLock(paths.folder)) === undefined)
    throw new Error("Another daemon of this cloud is running.");
  const log = (text: string) => console.log(`${new Date().toISOString()} ${text}`);
  const slot = await claimSlot(paths.folder, paths.slot, paths.home);
  const world = new LocalWorld(paths, slot, log);
  let ending = false;
  const end = async (hard = false): Promise<void> => {
    ending = true;
    rmSync(paths.socket, { force: true });
    rmSync(paths.info, { force: true });
    await world.close(hard);
    log("stopped");
  };
  process.on("SIGTERM", () => {
    if (ending) return;
    end().then(
      () => process.exit(0),
      (error: Error) => fail(error),
    );
  });
  try {
    const started = Date.now();
    await world.raise();
    await Promise.all([world.open(), startPeer(world, paths)]);
    await publishPeer(world, paths);
    const aws = createAwsService({ stateDir: paths.aws, world, region, log });
    await aws.restore();
    const cloudflareToken = keptToken(paths);
    const isNew = !existsSync(join(paths.cloudflare, "cloudflare.json"));
    const cloudflare = createCloudflareService({
      stateDir: paths.cloudflare,
      world,
      token: cloudflareToken,
      nameservers: world.dns.nameserverNames,
      log,
    });
    await cloudflare.restore();
    const cloudflareApi = createServer((request, response) => {
      cloudflare
        .handle(request, response)
        .then((taken) => taken || send(response, 404, { error: "Cloudflare's API is under /client/v4." }))
        .catch((error: Error) => {
          log(`cloudflare ${request.method} ${request.url}: ${error.message}`);
          if (!response.headersSent) send(response, 500, { error: error.message });
        });
    });
    // The same port each time: what was told it stays right.
    const port = 20_000 + slot;
    await listening(cloudflareApi, { port, host: "127.0.0.1" });
    const cloudflareUrl = `http://127.0.0.1:${port}/client/v4`;
    if (isNew) await publishWebSites(cloudflareUrl, cloudflareToken);
    const awsKey = keptKey(paths);
    const answerQuery = queryHandler(aws, awsKey);
    const awsApi = createServer((request, response) => void answerQuery(request, response));
    await listening(awsApi, { port: port + 1000, host: "127.0.0.1" });
    const answers = awsHandler(aws);
    const api = createServer((request, response) => {
      answers(request, response)
        .then(async (taken) => {
          if (taken) return;
          if (request.url?.startsWith("/world/cloudflare?")) {
            const { searchParams: wanted } = new URL(request.url, "http://localhost");
            const wait = wanted.get("publishAfter");
            const { edit, workers, moved } = Object.fromEntries(
              [...wanted].map(([name, value]) => [name, value === "true"]),
            );
            cloudflare.setSwitches({
              ...(wait !== null && { publishAfter: Number(wait) }),
              ...(edit !== undefined && { edit }),
              ...(workers !== undefined && { workers }),
              ...(moved !== undefined && { moved }),
            });
            send(response, 200, cloudflare.switches);
          } else await answerWorld(world, request, response, end);
        })
        .catch((error: Error) => {
          log(`${request.method} ${request.url}: ${error.message}`);
          if (!response.headersSent) send(response, 500, { error: error.message });
        });
    });
    const info = (): CloudInfo => ({
      slot,
      pid: process.pid,
      socket: paths.socket,
      cloudflareUrl,
      cloudflareToken,
      awsUrl: `http://127.0.0.1:${port + 1000}`,
      awsKey,
      resolver: world.network.addresses.resolver,
      nameservers: world.network.addresses.nameservers,
      rootHints: world.dns.rootHints,
      trustAnchor: world.dns.trustAnchor,
      acmeDirectory,
      acmeCa: world.acme.ca,
      issuerCa: world.acme.issuers,
      peer: { domain: peer.domain, address: world.network.addresses.peer, api: paths.peerApi },
      operatorAddress,
      architecture: process.arch === "arm64" ? "arm64" : "amd64",
    });
    const tell = () => writeWhole(paths.info, JSON.stringify(info(), undefined, 2));
    tell();
    world.acme.onNewRoot = () => {
      if (!ending) tell();
    };
    rmSync(paths.socket, { force: true });
    await listening(api, { path: paths.socket });
    chmodSync(paths.socket, 0o600);
    log(`up after ${Date.now() - started} ms`);
  } catch (error) {
    await world.close().catch((second: Error) => log(second.message));
    throw error;
  }
}

/** For the command line and for tests. */
async function answerWorld(
  world: LocalWorld,
  request: IncomingMessage,
  response: ServerResponse,
  end: (hard: boolean) => Promise<void>,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const instances = () => {
    const named = searchParams.get("instance");
    return named === null ? world.summary().machines.map((machine) => machine.id) : [named];
  };
  switch (`${request.method} ${pathname}`) {
    case "GET /world/state":
      return send(response, 200, world.summary());
    case "POST /world/power-cut":
      await Promise.all(instances().map((id) => world.cutPower(id, searchParams.has("losing"))));
      return send(response, 200, {});
    case "POST /world/newer-images":
      publishImages();
      return send(response, 200, {});
    case "POST /world/record": {
      const name = searchParams.get("name") ?? "";
      const type = searchParams.get("type") ?? "A";
      const set = searchParams.getAll("rdata").map((rdata) => ({ name, type, ttl: 5, rdata }));
      // A delegation's DS record lies in the zone above (RFC 4035 section 2.4).
      const zone = world.dns.zoneOf(type === "DS" ? name.slice(name.indexOf(".") + 1) : name);
      await world.dns.setRrset(zone, name, type, set);
      return send(response, 200, {});
    }
    case "POST /world/wake":
      await world.wake();
      return send(response, 200, {});
    case "POST /world/start":
      await Promise.all(instances().map((id) => world.start(id)));
      return send(response, 200, {});
    case "POST /world/reboot":
      await Promise.all(instances().map((id) => world.reboot(id)));
      return send(response, 200, {});
    case "POST /world/shutdown":
      try {
        await end(searchParams.has("hard"));
      } catch (error) {
        // Half of a cloud is none, and holds the lock: the next npm stop or start sweeps up.
        response.on("finish", () => fail(error as Error));
        return send(response, 500, { error: (error as Error).message });
      }
      // The caller waits for the answer, and then for the process.
      response.on("finish", () => process.exit(0));
      return send(response, 200, {});
    default:
      return send(response, 404, { error: `There is no ${request.method} ${pathname}.` });
  }
}

async function startPeer(world: LocalWorld, paths: CloudPaths): Promise<void> {
  const { addresses } = world.network;
  mkdirSync(paths.peer, { recursive: true, mode: 0o700 });
  await world.serve({
    name: "peer",
    command: [
      process.execPath,
      join(checkout, "local/peer/server.ts"),
      ...["--address", addresses.peer, "--domain", peer.domain, "--hostname", peer.hostname],
      ...[
        "--smarthost",
        addresses.smarthost,
        "--resolver",
        addresses.resolver,
        "--ses",
        addresses.ses,
        "--ses-region",
        region,
        "--api",
        paths.peerApi,
        "--state",
        paths.peer,
      ],
    ],
    env: { NODE_COMPILE_CACHE: paths.compileCache },
    cwd: paths.peer,
    log: join(paths.peer, "peer.log"),
    ready: () =>
      callOtherSide(paths.peerApi, "/").then(
        () => true,
        () => false,
      ),
  });
}

/** What the other side, and Amazon SES beside it, need to be proper citizens: names, and a certificate that is trusted. */
async function publishPeer(world: LocalWorld, paths: CloudPaths): Promise<void> {
  const records = (await callOtherSide(paths.peerApi, "/records")) as PublishedRecord[];
  const sets = Map.groupBy(records, (record) => `${record.name} ${record.type}`);
  for (const set of sets.values()) {
    const { name, type } = set[0] as PublishedRecord;
    await world.dns.setRrset(world.dns.zoneOf(name), name, type, set);
  }
  const { authority } = (await callOtherSide(paths.peerApi, "/ses")) as SesAccess;
  await world.trust(authority);
}

/** The domains had a web site before they got a mail host: records that the program must leave alone. */
async function publishWebSites(url: string, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const listing = (await (await fetch(`${url}/zones`, { headers })).json()) as {
    result: readonly { id: string; name: string }[];
  };
  for (const { id, name } of listing.result) {
    const record = { ...webSites[name], name, ttl: 300, proxied: false };
    const answer = await fetch(`${url}/zones/${id}/dns_records`, {
      method: "POST",
      headers,
      body: JSON.stringify(record),
    });
    if (!answer.ok) throw new Error(`The web site of ${name} cannot be published: ${await answer.text()}`);
  }
}

function keptToken(paths: CloudPaths): string {
  const path = join(paths.cloudflare, "token");
  if (!existsSync(path)) {
    mkdirSync(paths.cloudflare, { recursive: true, mode: 0o700 });
    writeWhole(path, randomBytes(30).toString("base64url"));
  }
  return readFileSync(path, "utf8");
}

/** The credential of the simulated AWS account. */
function keptKey(paths: CloudPaths): AccessKey {
  const path = join(paths.aws, "key.json");
  if (!existsSync(path)) {
    mkdirSync(paths.aws, { recursive: true, mode: 0o700 });
    const accessKeyId = `AKIA${randomBytes(10).toString("hex").slice(0, 16).toUpperCase()}`;
    const secretAccessKey = randomBytes(30).toString("base64");
    writeWhole(path, JSON.stringify({ accessKeyId, secretAccessKey }));
  }
  return JSON.parse(readFileSync(path, "utf8")) as AccessKey;
}

function listening(server: Server, where: { path: string } | { port: number; host: string }): Promise<void> {
  // A client that keeps its connection would else meet its end, now and then, in the middle of a call.
  server.keepAliveTimeout = 0;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => resolve());
  });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
}

function fail(error: Error): never {
  console.error(`${new Date().toISOString()} failed: ${error.message}`);
  process.exit(1);
}

if (import.meta.main) {
  // Whatever goes wrong unseen is a mistake in here: better no cloud than half of one.
  process.on("unhandledRejection", (error) => fail(error as Error));
  main(cloudPaths()).catch(fail);
}
