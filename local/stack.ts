/** The engine on this cloud: its environment, its state, and what a stack tells. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseDocument } from "yaml";
import type { clientSettings } from "../plan/clientSettings.ts";
import type { Ramps } from "../plan/ramp.ts";
import type { DnsRecord } from "../plan/types.ts";
import type { ZoneRecord } from "../plan/zoneFile.ts";
import { ensureEngine } from "./engine/engine.ts";
import { streamPreview } from "./engine/preview.ts";
import {
  pulumiEnvironment,
  type RunOptions,
  removeBrokenAttributes,
  removeStaleLocks,
  runPulumi,
} from "./engine/pulumi.ts";
import { type CloudPaths, checkout, defaultStack, writeWhole } from "./paths.ts";
import { attachProviders } from "./providers/attached.ts";
import { installPlugins } from "./providers/install.ts";
import { PROVIDERS, type ProviderName } from "./providers/names.ts";
import { CommandFailed, run } from "./run.ts";
import type { CloudInfo } from "./types.ts";

/** The engine's commands that ask the providers. Any other that does starts their executables. */
const ASKS_PROVIDERS: ReadonlySet<string> = new Set([
  "up",
  "update",
  "preview",
  "refresh",
  "destroy",
  "import",
]);

/** What the stack's own outputs say (components/outputs.ts), as far as the commands here read it. */
export interface StackOutputs {
  readonly hostname: string;
  readonly publicIp: string;
  readonly publicIpv6?: string;
  readonly credentials: Readonly<Record<string, string>>;
  /** How each mailbox may be logged in to, in words. */
  readonly mailboxes: Readonly<Record<string, string>>;
  /** Pages with the settings for people, by domain; present where the stack has some. */
  readonly setupPages?: Readonly<Record<string, string>>;
  /** All that the stack has in the DNS. */
  readonly dnsRecords: Readonly<Record<string, ZoneRecord & Pick<DnsRecord, "zone" | "why">>>;
  /** Present where a policy ramps. */
  readonly policyRamps?: Ramps;
  readonly clientSettings: ReturnType<typeof clientSettings>;
  /** Present where the stack has rspamd's page. */
  readonly rspamdPassword?: string;
  readonly ssh: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly privateKey: string;
    readonly hostKey: string;
    readonly nextHostKey?: string;
  };
}

export class Stack {
  readonly #paths: CloudPaths;
  readonly #info: CloudInfo;
  readonly #pulumi: string;
  readonly #standIns: readonly ProviderName[];

  private constructor(paths: CloudPaths, info: CloudInfo, pulumi: string, standIns: readonly ProviderName[]) {
    this.#paths = paths;
    this.#info = info;
    this.#pulumi = pulumi;
    this.#standIns = standIns;
  }

  static async open(paths: CloudPaths, info: CloudInfo, say: (text: string) => void): Promise<Stack> {
    const engine = await ensureEngine({ cacheDir: paths.cache, log: say });
    const standIns = await installPlugins({
      pulumiHome: join(paths.pulumi, "home"),
      names: [...PROVIDERS],
      checkout,
    });
    const stack = new Stack(paths, info, engine.pulumi, standIns);
    removeStaleLocks(stack.#backend);
    removeBrokenAttributes(stack.#backend);
    return stack;
  }

  /** Makes the stack's state unless it is there. */
  async ensureState(): Promise<void> {
    if (existsSync(join(this.#backend, ".pulumi/stacks/mailhost", `${defaultStack}.json`))) return;
    await this.capture(["stack", "init", defaultStack, "--no-select"]);
  }

  /** Runs the engine on the terminal. @returns its exit code */
  async run(args: readonly string[], stdio: RunOptions["stdio"] = "inherit"): Promise<number> {
    checkYaml(this.environment.PULUMI_STACK ?? defaultStack);
    const run = (env: Readonly<Record<string, string>>) =>
      runPulumi(args, { cwd: checkout, env, pulumi: this.#pulumi, stdio });
    if (!args.some((word) => ASKS_PROVIDERS.has(word))) return await run(this.environment);
    return await this.#withProviders(run);
  }

  /**
   * Runs a preview.
   * @param onEvent gets each of the engine's events, as a line of JSON
   * @param words more for the engine
   * @throws where the engine cannot make one
   */
  async preview(onEvent: (line: string) => void, words: readonly string[] = []): Promise<void> {
    checkYaml(this.environment.PULUMI_STACK ?? defaultStack);
    await this.#withProviders((env) =>
      streamPreview({ pulumi: this.#pulumi, cwd: checkout, env, words, onEvent }),
    );
  }

  async #withProviders<T>(work: (env: Readonly<Record<string, string>>) => Promise<T>): Promise<T> {
    const env = this.environment;
    const attached = await attachProviders(this.#standIns, env);
    try {
      return await work({ ...env, PULUMI_DEBUG_PROVIDERS: attached.addresses });
    } finally {
      await attached.end();
    }
  }

  /** Runs the engine, with `input` on its standard input. @returns what it prints. @throws with what it prints on stderr */
  async capture(args: readonly string[], input?: string): Promise<string> {
    try {
      return await run(this.#pulumi, args, {
        cwd: checkout,
        env: this.environment,
        ...(input !== undefined && { input }),
      });
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      throw new Error(`pulumi ${args.slice(0, 2).join(" ")} failed: ${error.stderr.trim()}`);
    }
  }

  /** @throws where the stack is not up */
  async outputs(): Promise<StackOutputs> {
    const text = await this.capture(["stack", "output", "--json", "--show-secrets"]);
    const outputs = JSON.parse(text) as Partial<StackOutputs>;
    if (outputs.ssh === undefined) throw new Error("The stack is not up. Bring it up with: npm start");
    return outputs as StackOutputs;
  }

  get environment(): Record<string, string> {
    return pulumiEnvironment({
      home: join(this.#paths.pulumi, "home"),
      backendDir: this.#backend,
      // Secrets of a cloud that lives on one machine; Pulumi.dev.yaml has the salt to it.
      passphrase: "local",
      extra: {
        PULUMI_STACK: process.env.PULUMI_STACK || defaultStack,
        MAILHOST_PULUMI: "npm run pulumi --",
        MAILHOST_HOME: this.#paths.home,
        MAILHOST_CLOUD: this.#paths.folder,
        // A person's own credential would be of the real one.
        AWS_ENDPOINT_URL: this.#info.awsUrl,
        AWS_ACCESS_KEY_ID: this.#info.awsKey.accessKeyId,
        AWS_SECRET_ACCESS_KEY: this.#info.awsKey.secretAccessKey,
        AWS_SESSION_TOKEN: "",
        AWS_PROFILE: "",
        CLOUDFLARE_API_TOKEN: this.#info.cloudflareToken,
        CLOUDFLARE_BASE_URL: this.#info.cloudflareUrl,
        LOCAL_CLOUD_RESOLVER: this.#info.resolver,
        LOCAL_CLOUD_ROOT_HINTS: this.#info.rootHints,
        LOCAL_CLOUD_TRUST_ANCHOR: this.#info.trustAnchor,
        LOCAL_CLOUD_ACME_CA: this.#info.acmeCa,
        LOCAL_CLOUD_ARCHITECTURE: this.#info.architecture,
      },
    });
  }

  get #backend(): string {
    return join(this.#paths.pulumi, "state");
  }
}

/** The engine names neither file nor cause of what is no YAML. @throws with both */
function checkYaml(stack: string): void {
  const path = join(checkout, `Pulumi.${stack}.yaml`);
  if (!existsSync(path)) return;
  const [error] = parseDocument(readFileSync(path, "utf8"), { prettyErrors: true }).errors;
  if (error === undefined) return;
  throw new Error(`Pulumi.${stack}.yaml is no YAML. Nothing was touched.\n${error.message.trim()}`);
}

/** Files that make `ssh` accept this host and no other; the key is nowhere else and on no command line. */
export function sshOptions(paths: Pick<CloudPaths, "folder">, access: StackOutputs["ssh"]): string[] {
  const key = join(paths.folder, "ssh", "key");
  const known = join(paths.folder, "ssh", "known_hosts");
  mkdirSync(dirname(key), { recursive: true, mode: 0o700 });
  // Another command may be reading them.
  writeWhole(key, `${access.privateKey.trim()}\n`);
  const { hostKey, nextHostKey } = access;
  const lines = [hostKey, ...(nextHostKey === undefined ? [] : [nextHostKey])];
  writeWhole(known, lines.map((line) => `host ${line.trim()}\n`).join(""));
  return [
    ...["-F", "none", "-i", key, "-p", String(access.port)],
    ...["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"],
    ...["-o", `UserKnownHostsFile=${known}`, "-o", "GlobalKnownHostsFile=none", "-o", "HostKeyAlias=host"],
    ...["-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=10"],
    ...["-o", "LogLevel=ERROR"],
    `${access.user}@${access.host}`,
  ];
}
