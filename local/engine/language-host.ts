/**
 * Stands in for `pulumi-language-nodejs` where the official one is absent: it serves the engine's
 * `LanguageRuntime` (`pulumi/language.proto`) and starts programs with the Node.js SDK's own runner. Only what
 * `preview`, `up`, `refresh`, `destroy`, `about`, `install` and policy packs need.
 *
 * Started as `node language-host.ts ENGINE_ADDRESS`; says its port on standard output and ends with its
 * standard input.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import grpc from "@grpc/grpc-js";
import languageGrpc from "@pulumi/pulumi/proto/language_grpc_pb.js";
import type {
  AboutRequest,
  GetProgramDependenciesRequest,
  InstallDependenciesRequest,
  LanguageHandshakeRequest,
  ProgramInfo,
  RunPluginRequest,
  RunRequest,
} from "@pulumi/pulumi/proto/language_pb.js";
import messages from "@pulumi/pulumi/proto/language_pb.js";
import pluginMessages from "@pulumi/pulumi/proto/plugin_pb.js";
import emptyMessages from "google-protobuf/google/protobuf/empty_pb.js";

/** The runner's exit code that means: the person has been told already (`cmd/run/index.ts` of the SDK). */
const TOLD_ALREADY = 32;

let engineAddress = process.argv.slice(2).find((argument) => !argument.startsWith("-")) ?? "";

/** Processes that end with this one. */
const children = new Set<ChildProcess>();

function endChildren(signal: NodeJS.Signals): void {
  for (const child of children) {
    child.kill(signal);
  }
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Runs Node, or another program, to its end and hands on what it writes. */
function runToEnd(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv },
  write: { stdout: (chunk: Buffer) => void; stderr: (chunk: Buffer) => void },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    children.add(child);
    child.stdout.on("data", write.stdout);
    child.stderr.on("data", write.stderr);
    child.once("error", (error) => {
      children.delete(child);
      reject(error);
    });
    child.once("close", (code, signal) => {
      children.delete(child);
      resolve({ code, signal });
    });
  });
}

/** A module of the program's own copy of the SDK. */
function sdkModule(programDirectory: string, path: string): string {
  const require = createRequire(join(programDirectory, "package.json"));
  try {
    return require.resolve(`@pulumi/pulumi/${path}`);
  } catch {
    throw new Error(
      `The Pulumi SDK is not installed in ${programDirectory}: run \`npm ci\` there, then try again.`,
    );
  }
}

/** The options under `runtime:` in Pulumi.yaml that the official host reads. */
function runtimeOptions(info: ProgramInfo | undefined): {
  typescript: boolean;
  nodeArguments: string[];
  tsconfig: string | undefined;
} {
  const options = info?.getOptions()?.toJavaScript() ?? {};
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  return {
    typescript: options.typescript !== false,
    nodeArguments: text(options.nodeargs)?.split(/\s+/) ?? [],
    tsconfig: text(options.tsconfig),
  };
}

/** `mailhost:hostname` → `mailhost:config:hostname`, the form that the SDK's runner reads. */
function configurationKey(key: string): string {
  const parts = key.split(":");
  return parts.length === 2 ? `${parts[0]}:config:${parts[1]}` : key;
}

async function run(request: RunRequest): Promise<unknown> {
  const response = new messages.RunResponse();
  const info = request.getInfo();
  const directory = info?.getProgramDirectory() || request.getPwd();
  const options = runtimeOptions(info);
  const flags: [string, string][] = [
    ["monitor", request.getMonitorAddress()],
    ["engine", engineAddress],
    ["organization", request.getOrganization()],
    ["project", request.getProject()],
    ["root-directory", info?.getRootDirectory() ?? ""],
    ["stack", request.getStack()],
    ["pwd", directory],
    ["parallel", String(request.getParallel())],
  ];
  const configuration = Object.fromEntries(
    request
      .getConfigMap()
      .toArray()
      .map(([key, value]) => [configurationKey(key), value]),
  );
  const ended = await runToEnd(
    process.execPath,
    [
      ...options.nodeArguments,
      sdkModule(directory, "cmd/run"),
      ...flags.flatMap(([flag, value]) => (value === "" ? [] : [`--${flag}`, value])),
      ...(request.getDryrun() ? ["--dry-run"] : []),
      info?.getEntryPoint() || request.getProgram() || ".",
      ...request.getArgsList(),
    ],
    {
      env: {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(configuration),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
        ...(options.typescript && { PULUMI_NODEJS_TYPESCRIPT: "true" }),
        ...(options.tsconfig !== undefined && { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig }),
      },
    },
    // The engine shows both; without the program's stderr its stack traces would be lost.
    { stdout: (chunk) => process.stdout.write(chunk), stderr: (chunk) => process.stderr.write(chunk) },
  );
  if (ended.code === TOLD_ALREADY) {
    response.setBail(true);
  } else if (ended.code !== 0) {
    response.setError(
      ended.code === null
        ? `Program was ended by ${ended.signal}`
        : `Program exited with non-zero exit code: ${ended.code}`,
    );
  }
  return response;
}

/** A policy pack: the only kind of plugin that is run by a language host here. */
async function runPlugin(
  call: grpc.ServerWritableStream<RunPluginRequest, unknown>,
  request: RunPluginRequest,
): Promise<void> {
  const info = request.getInfo();
  const directory = info?.getProgramDirectory() || request.getProgram();
  if (request.getKind() !== "analyzer") {
    throw new Error(
      `The local stand-in of Pulumi's Node.js host runs policy packs only, not plugins of kind ` +
        `"${request.getKind()}". Install the official Pulumi to run ${request.getName()}.`,
    );
  }
  const send = (set: (response: InstanceType<typeof messages.RunPluginResponse>) => void) => {
    const response = new messages.RunPluginResponse();
    set(response);
    call.write(response);
  };
  const environment = Object.fromEntries(
    request.getEnvList().map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
  const options = runtimeOptions(info);
  const ended = await runToEnd(
    process.execPath,
    [
      ...options.nodeArguments,
      sdkModule(directory, "cmd/run-policy-pack"),
      ...request.getArgsList(),
      directory,
    ],
    {
      cwd: request.getPwd() || directory,
      env: {
        ...process.env,
        ...environment,
        ...(options.typescript && { PULUMI_NODEJS_TYPESCRIPT: "true" }),
      },
    },
    {
      stdout: (chunk) => send((response) => response.setStdout(chunk)),
      stderr: (chunk) => send((response) => response.setStderr(chunk)),
    },
  );
  send((response) => response.setExitcode(ended.code ?? 1));
}

async function installDependencies(
  call: grpc.ServerWritableStream<InstallDependenciesRequest, unknown>,
  request: InstallDependenciesRequest,
): Promise<void> {
  const send = (set: (response: InstanceType<typeof messages.InstallDependenciesResponse>) => void) => {
    const response = new messages.InstallDependenciesResponse();
    set(response);
    call.write(response);
  };
  const directory = request.getInfo()?.getProgramDirectory() || request.getDirectory();
  const ended = await runToEnd(
    "npm",
    ["install", "--no-fund", "--no-audit"],
    { cwd: directory },
    {
      stdout: (chunk) => send((response) => response.setStdout(chunk)),
      stderr: (chunk) => send((response) => response.setStderr(chunk)),
    },
  );
  if (ended.code !== 0) {
    throw new Error(`npm install failed in ${directory}`);
  }
}

async function about(request: AboutRequest): Promise<unknown> {
  const response = new messages.AboutResponse();
  response.setExecutable(process.execPath);
  response.setVersion(process.version);
  response.getMetadataMap().set("typescript", String(runtimeOptions(request.getInfo()).typescript));
  return response;
}

async function programDependencies(request: GetProgramDependenciesRequest): Promise<unknown> {
  const response = new messages.GetProgramDependenciesResponse();
  const directory = request.getInfo()?.getProgramDirectory() || request.getPwd();
  const manifest = join(directory, "package.json");
  if (existsSync(manifest)) {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(manifest, "utf8")) as {
      dependencies?: Record<string, string>;
      devDependencies?: Record<string, string>;
    };
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      const dependency = new messages.DependencyInfo();
      dependency.setName(name);
      dependency.setVersion(version);
      response.addDependencies(dependency);
    }
  }
  return response;
}

function pluginInfo(): unknown {
  const info = new pluginMessages.PluginInfo();
  const sdk = JSON.parse(readFileSync(sdkModule(import.meta.dirname, "package.json"), "utf8")) as {
    version: string;
  };
  info.setVersion(sdk.version);
  return info;
}

function refused(error: unknown): grpc.ServiceError {
  const details = error instanceof Error ? error.message : String(error);
  return {
    name: "Error",
    message: details,
    code: grpc.status.UNKNOWN,
    details,
    metadata: new grpc.Metadata(),
  };
}

function unary<Request>(handler: (request: Request) => unknown): grpc.handleUnaryCall<Request, unknown> {
  return (call, respond) => {
    Promise.resolve()
      .then(() => handler(call.request))
      .then(
        (response) => respond(null, response),
        (error: unknown) => respond(refused(error)),
      );
  };
}

function streaming<Request>(
  handler: (call: grpc.ServerWritableStream<Request, unknown>, request: Request) => Promise<void>,
): grpc.handleServerStreamingCall<Request, unknown> {
  return (call) => {
    handler(call, call.request).then(
      () => call.end(),
      (error: unknown) => call.emit("error", refused(error)),
    );
  };
}

const server = new grpc.Server({
  "grpc.max_receive_message_length": 400 * 1024 * 1024,
  "grpc.max_send_message_length": 400 * 1024 * 1024,
});
server.addService(languageGrpc.LanguageRuntimeService, {
  handshake: unary((request: LanguageHandshakeRequest) => {
    engineAddress = request.getEngineAddress() || engineAddress;
    return new messages.LanguageHandshakeResponse();
  }),
  getPluginInfo: unary(pluginInfo),
  // The plugins are in place: none is to be fetched.
  getRequiredPackages: unary(() => new messages.GetRequiredPackagesResponse()),
  getRequiredPlugins: unary(() => new messages.GetRequiredPluginsResponse()),
  run: unary(run),
  runPlugin: streaming(runPlugin),
  installDependencies: streaming(installDependencies),
  about: unary(about),
  getProgramDependencies: unary(programDependencies),
  runtimeOptionsPrompts: unary(() => new messages.RuntimeOptionsResponse()),
  template: unary(() => new messages.TemplateResponse()),
  // Called at the end of `pulumi import`, when the resource is in the state already.
  generateProgram: unary(() => {
    throw new Error(
      "imported; the program's code for it is yours to write (--generate-code=false keeps quiet about it)",
    );
  }),
  cancel: unary(() => {
    endChildren("SIGINT");
    return new emptyMessages.Empty();
  }),
} as grpc.UntypedServiceImplementation);

const port = await new Promise<number>((resolve, reject) => {
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
    error ? reject(error) : resolve(bound),
  );
});
// A killed engine leaves its hosts behind unless they end with their standard input.
function end(): void {
  endChildren("SIGKILL");
  process.exit(0);
}
process.stdin.on("end", end);
process.stdin.on("error", end);
process.stdin.resume();
process.stdout.write(`${port}\n`);
