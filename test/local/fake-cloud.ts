import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { awsHandler } from "../../local/aws/http.ts";
import { type AccessKey, queryHandler } from "../../local/aws/query.ts";
import { type AwsService, createAwsService } from "../../local/aws/service.ts";
import { type CloudflareService, createCloudflareService } from "../../local/cloudflare/service.ts";
import { type FakeWorld, fakeWorld } from "./fake-world.ts";

/** The daemon's two services over a world of maps, found by the stand-in providers as a real one is. */
export interface FakeCloud {
  readonly folder: string;
  readonly world: FakeWorld;
  readonly aws: AwsService;
  readonly cloudflare: CloudflareService;
  readonly awsUrl: string;
  readonly awsKey: AccessKey;
  readonly cloudflareUrl: string;
  readonly cloudflareToken: string;
}

/** What the two have written down, as a daemon keeps it: `aws/aws.json` and `cloudflare/cloudflare.json`. */
export interface CloudState {
  readonly aws: string;
  readonly cloudflare: string;
}

/** Runs until the test ends; `MAILHOST_CLOUD` names it as long. */
export async function startFakeCloud(test: TestContext, state?: CloudState): Promise<FakeCloud> {
  const folder = mkdtempSync(join(tmpdir(), "mailhost-cloud-"));
  for (const [name, text] of Object.entries(state ?? {})) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, `${name}.json`), text);
  }
  const world = fakeWorld();
  const log = (line: string) => {
    throw new Error(`went wrong behind an answer: ${line}`);
  };
  const aws = createAwsService({
    stateDir: join(folder, "aws"),
    world,
    region: "eu-central-1",
    log,
    retryAfter: 0,
  });
  const cloudflareToken = "t".repeat(40);
  const cloudflare = createCloudflareService({
    stateDir: join(folder, "cloudflare"),
    world,
    token: cloudflareToken,
    nameservers: ["a.ns.example", "b.ns.example"],
    log,
  });
  const answerAws = awsHandler(aws);
  const socket = join(folder, "socket");
  const awsServer = await listening((request, response) => void answerAws(request, response), {
    path: socket,
  });
  const awsKey = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG" };
  const answerQuery = queryHandler(aws, awsKey);
  const queryServer = await listening((request, response) => void answerQuery(request, response), {
    port: 0,
    host: "127.0.0.1",
  });
  const awsUrl = `http://127.0.0.1:${(queryServer.address() as AddressInfo).port}`;
  const cloudflareServer = await listening((request, response) => void cloudflare.handle(request, response), {
    port: 0,
    host: "127.0.0.1",
  });
  const cloudflareUrl = `http://127.0.0.1:${(cloudflareServer.address() as AddressInfo).port}/client/v4`;
  writeFileSync(join(folder, "cloud.json"), JSON.stringify({ socket, cloudflareUrl, cloudflareToken }));
  const before = process.env.MAILHOST_CLOUD;
  process.env.MAILHOST_CLOUD = folder;
  test.after(async () => {
    if (before === undefined) delete process.env.MAILHOST_CLOUD;
    else process.env.MAILHOST_CLOUD = before;
    for (const server of [awsServer, queryServer, cloudflareServer]) {
      server.closeAllConnections();
      server.close();
    }
    await aws.settled();
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, world, aws, cloudflare, awsUrl, awsKey, cloudflareUrl, cloudflareToken };
}

function listening(
  listener: RequestListener,
  where: { path: string } | { port: number; host: string },
): Promise<Server> {
  const server = createServer(listener);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => resolve(server));
  });
}
