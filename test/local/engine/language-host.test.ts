import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import grpc from "@grpc/grpc-js";
import languageGrpc from "@pulumi/pulumi/proto/language_grpc_pb.js";
import type {
  AboutResponse,
  GetProgramDependenciesResponse,
  GetRequiredPackagesResponse,
  RunResponse,
} from "@pulumi/pulumi/proto/language_pb.js";
import messages from "@pulumi/pulumi/proto/language_pb.js";
import emptyMessages from "google-protobuf/google/protobuf/empty_pb.js";
import structMessages from "google-protobuf/google/protobuf/struct_pb.js";
import { eventually } from "../../eventually.ts";

const checkout = join(import.meta.dirname, "../../..");

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "language-host-test-"));
  // A runner that only starts the program: the real one waits for an engine (test/e2e has one).
  const runner = join(folder, "node_modules/@pulumi/pulumi/cmd/run");
  mkdirSync(runner, { recursive: true });
  writeFileSync(
    join(runner, "index.js"),
    `process.stderr.write(JSON.stringify(process.argv.slice(2)) + "\\n");
     import(process.cwd() + "/" + process.argv.at(-1));`,
  );
  writeFileSync(join(runner, "../../package.json"), "{}");
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ type: "module", dependencies: { "@pulumi/pulumi": "3.259.0" } }),
  );
});
after(() => rmSync(folder, { recursive: true }));

interface Host {
  readonly process: ChildProcess;
  readonly client: InstanceType<typeof languageGrpc.LanguageRuntimeClient>;
  /** What the host and its programs wrote after the port. */
  readonly output: () => string;
}

async function start(): Promise<Host> {
  const child = spawn(process.execPath, [join(checkout, "local/engine/language-host.ts"), "127.0.0.1:1"], {
    cwd: folder,
  });
  let output = "";
  child.stderr.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  const [first] = (await once(child.stdout, "data")) as [Buffer];
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  const port = Number(first.toString());
  const client = new languageGrpc.LanguageRuntimeClient(
    `127.0.0.1:${port}`,
    grpc.credentials.createInsecure(),
  );
  return { process: child, client, output: () => output };
}

/** Ends the host the way a killed engine does. */
async function end(host: Host): Promise<number | null> {
  host.client.close();
  const exited = once(host.process, "exit");
  host.process.stdin?.end();
  const [code] = (await exited) as [number | null];
  return code;
}

function info(entryPoint: string) {
  const program = new messages.ProgramInfo();
  program.setRootDirectory(folder);
  program.setProgramDirectory(folder);
  program.setEntryPoint(entryPoint);
  program.setOptions(structMessages.Struct.fromJavaScript({ typescript: false }));
  return program;
}

function runRequest(entryPoint: string) {
  const request = new messages.RunRequest();
  request.setInfo(info(entryPoint));
  request.setProject("project");
  request.setStack("stack");
  request.setMonitorAddress("127.0.0.1:1");
  request.setParallel(4);
  request.setDryrun(true);
  request.getConfigMap().set("project:key", "value");
  return request;
}

function call<Response>(
  begin: (respond: (error: grpc.ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    begin((error, response) => (error ? reject(new Error(error.details)) : resolve(response)));
  });
}

test("a program that fails is told with its exit code, and its stderr is let through", async () => {
  writeFileSync(
    join(folder, "fails.ts"),
    `const config: string = process.env.PULUMI_CONFIG ?? "";
     process.stderr.write("config " + config + "\\n");
     process.exit(7);`,
  );
  const host = await start();
  const response = await call<RunResponse>((respond) => host.client.run(runRequest("fails.ts"), respond));
  assert.equal(response.getError(), "Program exited with non-zero exit code: 7");
  assert.equal(response.getBail(), false);
  assert.match(
    host.output(),
    new RegExp(
      `^\\["--monitor","127.0.0.1:1","--engine","127.0.0.1:1","--project","project","--root-directory","${folder}",` +
        `"--stack","stack","--pwd","${folder}","--parallel","4","--dry-run","fails.ts"\\]$`,
      "m",
    ),
  );
  assert.match(host.output(), /config \{"project:config:key":"value"\}/);
  assert.equal(await end(host), 0);
});

test("a program that has told its error itself bails out", async () => {
  writeFileSync(join(folder, "told.ts"), "process.exit(32);");
  const host = await start();
  const response = await call<RunResponse>((respond) => host.client.run(runRequest("told.ts"), respond));
  assert.equal(response.getError(), "");
  assert.equal(response.getBail(), true);
  await end(host);
});

test("the program ends with the host, and the host with its standard input", async () => {
  writeFileSync(
    join(folder, "hangs.ts"),
    `process.stderr.write("pid " + process.pid + "\\n"); setInterval(() => {}, 1000);`,
  );
  const host = await start();
  const running = call<RunResponse>((respond) => host.client.run(runRequest("hangs.ts"), respond)).catch(
    () => {},
  );
  while (!/pid \d+/.test(host.output())) {
    await once(host.process.stderr as NonNullable<ChildProcess["stderr"]>, "data");
  }
  const pid = Number(/pid (\d+)/.exec(host.output())?.[1]);
  await end(host);
  await running;
  await eventually("the program has ended", 20, () => !isThere(pid), 5);
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("without the SDK the error says what to run", async () => {
  const bare = mkdtempSync(join(tmpdir(), "language-host-bare-"));
  const host = await start();
  const request = runRequest("index.ts");
  request.getInfo()?.setProgramDirectory(bare);
  await assert.rejects(
    call<RunResponse>((respond) => host.client.run(request, respond)),
    /The Pulumi SDK is not installed in .*: run `npm ci` there/,
  );
  await end(host);
  rmSync(bare, { recursive: true });
});

test("about, dependencies and required packages", async () => {
  const host = await start();
  const about = new messages.AboutRequest();
  about.setInfo(info("index.ts"));
  const runtime = await call<AboutResponse>((respond) => host.client.about(about, respond));
  assert.equal(runtime.getVersion(), process.version);
  const request = new messages.GetProgramDependenciesRequest();
  request.setInfo(info("index.ts"));
  const dependencies = await call<GetProgramDependenciesResponse>((respond) =>
    host.client.getProgramDependencies(request, respond),
  );
  assert.deepEqual(
    dependencies.getDependenciesList().map((each) => `${each.getName()} ${each.getVersion()}`),
    ["@pulumi/pulumi 3.259.0"],
  );
  const packages = await call<GetRequiredPackagesResponse>((respond) =>
    host.client.getRequiredPackages(new messages.GetRequiredPackagesRequest(), respond),
  );
  assert.equal(packages.getPackagesList().length, 0, "nothing is to be downloaded");
  await call((respond) => host.client.cancel(new emptyMessages.Empty(), respond));
  await end(host);
});
