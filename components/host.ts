import type { Command } from "@pulumi/command/remote/command.js";
import * as pulumi from "@pulumi/pulumi";
import type { PrivateKey } from "@pulumi/tls/privateKey.js";
import { bundleDocument, secretsDocument } from "../plan/bundle.ts";
import { hostPackages, sweepKeys } from "../plan/host.ts";
import { hasLockedStore, storePassphrase } from "../plan/lockedStore.ts";
import { isRelayed, relayRoute } from "../plan/relay.ts";
import type { Bundle } from "../plan/types.ts";
import { wayOut } from "../plan/wayOut.ts";
import type { Settings } from "../settings/types.ts";
import { shownHostKey } from "../ssh/client.ts";
import { type SecretOutputs, secretsOf } from "./facts.ts";
import type { SshKeys } from "./keys.ts";
import { onceKnown } from "./onceKnown.ts";
import { reachable } from "./reachable.ts";
import { type Login, remote } from "./remote.ts";
import type { Server } from "./server.ts";
import {
  APPLY,
  APPLY_PROGRAM,
  BOOTSTRAP,
  changeIdentity,
  identityIn,
  PACKAGES,
  ROOTDISK,
  SEAL_AND_INSTALL_TOOLS,
  STORAGE,
  SWEEP,
  SWEEP_PACKAGES,
  TLS_KEY,
} from "./steps.ts";

export interface HostArgs {
  readonly settings: Settings;
  readonly server: Server;
  readonly keys: SshKeys;
  readonly login: Login;
  readonly bundles: readonly Bundle[];
  readonly secrets: SecretOutputs;
  /** Digests of the keys that TLSA records name. @default there are no such records */
  readonly tlsKeys?: pulumi.Output<readonly string[]>;
  /** What has to exist before a bundle is applied: the A record before certbot asks for a certificate. */
  readonly after: Readonly<Record<string, readonly pulumi.Resource[]>>;
}

export interface LoginArgs extends Pick<HostArgs, "settings" | "server" | "keys"> {}

/** How to log in to the machine, once it has its lasting identity. @param name of the host */
export function loginTo(name: string, args: LoginArgs): Login {
  return {
    address: args.server.address.publicIp,
    privateKey: args.keys.login.privateKeyOpenssh,
    hostKey: args.keys.host.publicKeyOpenssh,
    instanceId: args.server.instance.id,
    answers: answersFirst(`${name}-answers-first`, args),
  };
}

/** The machine's inside: its identity, its data volume, its packages, and a bundle for each service. */
export class Host extends pulumi.ComponentResource {
  /** By the bundle's name. */
  readonly bundles: ReadonlyMap<string, HostBundle>;
  /** For what else has to be asked of it. */
  readonly login: Login;
  /**
   * The SSH keys that who logs in from now on has to accept: the one that the host shows, and the next, which it may show already. An
   * `up` of other things (`--target`) leaves it the one that it has, also where another is due.
   */
  readonly shownKeys: pulumi.Output<readonly string[]>;
  /** Whether the host shows the key that is planned, once that is known. */
  readonly #isItself: pulumi.Output<boolean>;

  constructor(name: string, args: HostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:host:Host", name, {}, opts);
    this.login = args.login;
    const { login } = args;
    const { tools, generation } = this.#takeOver(name, args, login);
    this.#isItself = generation.apply((shown) => shown === args.keys.generation);
    this.shownKeys = shownKeys(args.keys, generation);
    const storage = this.#prepareDisks(name, args, login, tools);
    const packages = remote(
      `${name}-packages`,
      { login, command: PACKAGES, stdin: packageList(args.bundles) },
      { parent: this, dependsOn: [storage] },
    );
    this.bundles = this.#applyBundles(name, args, login, packages);
    this.#sweep(name, args, login);
    if (args.tlsKeys !== undefined) this.#showKey(name, args.tlsKeys, login);
    this.#tryWayOut(name, args.settings, login);
    this.registerOutputs({});
  }

  /**
   * AWS blocks outgoing port 25 on new accounts: nothing is wrong with the host then, but its owner has to know, once,
   * when the machine is made. Later `npm run check` looks anew.
   */
  #tryWayOut(name: string, settings: Settings, login: Login): void {
    const relay = relayRoute(settings);
    // A relay for all mail needs no port 25.
    if (relay?.all) return;
    const rest = settings.domains.every((domain) => isRelayed(relay, domain.name))
      ? "what people here write goes through the relay, while bounces, automatic replies and forwarded mail wait in the queue. Ask AWS to open it"
      : "what the host sends waits in its queue. Ask AWS to open it, or send through a relay (`mailhost:relay`)";
    const say = new pulumi.ResourceHook(`${name}-way-out-said`, ({ newOutputs }) => {
      const { stdout } = newOutputs as { stdout?: string };
      if (!stdout?.startsWith("blocked")) return;
      pulumi.log.warn(
        `Outgoing port 25 is blocked, as on every new AWS account: ${rest}: docs/sending.md tells how. \`npm run check\` says whether mail can leave.`,
        this,
      );
    });
    remote(
      `${name}-way-out`,
      { login, command: wayOut(), stdin: "" },
      // Not before its own resolver and firewall are in place: until then it may be cut off for a moment.
      {
        parent: this,
        dependsOn: [...this.bundles.values()],
        hooks: { afterCreate: [say], afterUpdate: [say] },
      },
    );
  }

  /** Whether all these bundles' files are on the host as they are planned. */
  has(...bundles: readonly string[]): pulumi.Output<boolean> {
    return pulumi.all(bundles.map((name) => this.bundle(name).isInPlace)).apply((all) => all.every(Boolean));
  }

  /** Whether the host uses the keys that are planned, and no others. */
  hasKeys(): pulumi.Output<boolean> {
    return pulumi.all([this.has("rspamd", "certbot"), this.#isItself]).apply((all) => all.every(Boolean));
  }

  /** What makes one of the plan's bundles, for what has to wait until it is there. */
  bundle(name: string): HostBundle {
    const found = this.bundles.get(name);
    if (found === undefined) throw new pulumi.ResourceError(`The plan has no bundle ${name}`, this);
    return found;
  }

  /**
   * TLSA records come after this: a host that speaks TLS with another key than they name, such as that of a volume from
   * another stack, would get no mail from who goes by them.
   */
  #showKey(name: string, keys: pulumi.Output<readonly string[]>, login: Login): void {
    remote(
      `${name}-tls-key`,
      { login, command: TLS_KEY, stdin: keys.apply((digests) => `${digests.toSorted().join("\n")}\n`) },
      { parent: this, dependsOn: [this.bundle("certbot")] },
    );
  }

  /** What the plan had once and has no more goes last: first nothing refers to it. */
  #sweep(name: string, args: HostArgs, login: Login): void {
    const sweep = remote(
      `${name}-sweep`,
      { login, command: SWEEP, stdin: sweepKeys(args.bundles) },
      { parent: this, dependsOn: [...this.bundles.values()] },
    );
    remote(
      `${name}-sweep-packages`,
      { login, command: SWEEP_PACKAGES, stdin: packageList(args.bundles) },
      { parent: this, dependsOn: [sweep] },
    );
  }

  /**
   * First connection: give the host its lasting identity; second: another one where that is due; third: make the first one
   * worthless.
   */
  #takeOver(
    name: string,
    args: HostArgs,
    login: Login,
  ): { readonly tools: pulumi.Resource; readonly generation: pulumi.Output<string> } {
    const bootstrap = remote(
      `${name}-bootstrap`,
      {
        login: { ...login, hostKey: args.keys.bootstrap.publicKeyOpenssh },
        command: BOOTSTRAP,
        stdin: args.keys.host.privateKeyOpenssh,
        confidential: true,
      },
      {
        parent: this,
        dependsOn: [...args.server.ready],
        // It can run once on a machine: afterwards the key that it expects is gone.
        ignoreChanges: ["connection", "create", "stdin", "logging"],
      },
    );
    const identity = remote(
      `${name}-identity`,
      {
        login: { ...login, hostKey: keyOnTheWay(args, bootstrap) },
        command: changeIdentity(args.keys.generation),
        stdin: args.keys.host.privateKeyOpenssh,
        confidential: true,
      },
      { parent: this, dependsOn: [bootstrap] },
    );
    const tools = remote(
      `${name}-tools`,
      { login, command: SEAL_AND_INSTALL_TOOLS, stdin: APPLY_PROGRAM },
      { parent: this, dependsOn: [identity] },
    );
    return { tools, generation: identity.create.apply((command) => identityIn(command ?? "")) };
  }

  /** Both steps have their disk's size in their text: a change of it, or of the volume's program, runs them again. */
  #prepareDisks(name: string, args: HostArgs, login: Login, tools: pulumi.Resource): pulumi.Resource {
    const bundle = args.bundles.find((candidate) => candidate.name === "storage");
    if (bundle === undefined) throw new pulumi.ResourceError("The plan has no bundle `storage`", this);
    const storage = new HostBundle(
      `${name}-storage`,
      { bundle, login, secrets: args.secrets },
      { parent: this, dependsOn: [tools] },
    );
    remote(
      `${name}-rootdisk`,
      // The size is the stack file's, and the machine's id in `login` is there when EC2 has changed the disk.
      { login, command: ROOTDISK, stdin: `${args.settings.server.rootSize}\n` },
      { parent: this, dependsOn: [storage] },
    );
    return remote(
      `${name}-volume`,
      {
        login,
        command: STORAGE,
        stdin: pulumi.interpolate`${args.server.volume.id} ${args.server.volume.size}\n${storeLines(args.settings)}`,
        confidential: hasLockedStore(args.settings),
      },
      { parent: this, dependsOn: [storage] },
    );
  }

  #applyBundles(
    name: string,
    args: HostArgs,
    login: Login,
    packages: pulumi.Resource,
  ): ReadonlyMap<string, HostBundle> {
    const made = new Map<string, HostBundle>();
    for (const bundle of args.bundles) {
      if (bundle.name === "storage") continue;
      const before = bundle.after.flatMap((other) => made.get(other) ?? []);
      made.set(
        bundle.name,
        new HostBundle(
          `${name}-${bundle.name}`,
          { bundle, login, secrets: args.secrets },
          { parent: this, dependsOn: [packages, ...before, ...(args.after[bundle.name] ?? [])] },
        ),
      );
    }
    return made;
  }
}

/**
 * The key that the host shows while it changes over to another one: which of the two, nobody knows where a run has died. It is one
 * of the stack's own in any case. Else there is but one, and nobody is asked.
 */
function keyOnTheWay({ keys, server, settings }: HostArgs, bootstrap: Command): pulumi.Output<string> {
  const { host, former } = keys;
  if (former.length === 0) return host.publicKeyOpenssh;
  const known = [host, ...former].map(({ publicKeyOpenssh }) => publicKeyOpenssh);
  return pulumi
    .all([server.address.publicIp, pulumi.all(known), bootstrap.stdout])
    .apply(async ([address, lines]) => {
      // A preview changes nothing, and needs no host that answers.
      if (pulumi.runtime.isDryRun()) return lines.at(-1) ?? "";
      await reachable({ address, port: 22, from: settings.ssh.from });
      return await shownHostKey({ host: address, port: 22 }, lines);
    });
}

/** Of the generation that the host has, and of the one that is to come. */
function shownKeys(keys: SshKeys, shown: pulumi.Output<string>): pulumi.Output<readonly string[]> {
  const line = ({ publicKeyOpenssh }: Pick<PrivateKey, "publicKeyOpenssh">) =>
    publicKeyOpenssh.apply((key) => key.trim());
  return shown.apply((generation) => {
    const has = keys.ofGeneration(generation) ?? keys.host;
    const next = has === keys.host ? keys.next : keys.host;
    return pulumi.all([line(has), ...(next === undefined ? [] : [line(next)])]);
  });
}

/** What tells the step of a locked store: the passphrase where the stack has it, else that somebody else says it. */
function storeLines(settings: Settings): pulumi.Input<string> {
  if (!hasLockedStore(settings)) return "";
  const passphrase = storePassphrase(settings);
  return passphrase === undefined ? "locked\n" : pulumi.secret(`locked\n${passphrase}\n`);
}

/** Asked once in a deployment: the steps come one upon the other. */
function answersFirst(hookName: string, { server, settings, keys }: LoginArgs): pulumi.ResourceHook {
  const publicIp = onceKnown(server.address.publicIp);
  const next = keys.next && onceKnown(keys.next.publicKeyOpenssh);
  let asked: Promise<void> | undefined;
  const ask = async () => {
    const address = await publicIp;
    await reachable({ address, port: 22, from: settings.ssh.from });
    if (next !== undefined) await refuseNextKey(address, await next, keys.generation);
  };
  return new pulumi.ResourceHook(hookName, async () => {
    asked ??= ask();
    await asked;
  });
}

/** A change of the host key that died, and that nobody asks for any more, would be seen as a stranger's key. */
async function refuseNextKey(address: string, next: string, generation: string): Promise<void> {
  const shown = await shownHostKey({ host: address, port: 22 }, [next]).catch(() => undefined);
  if (shown === undefined) return;
  throw new Error(
    [
      `The host at ${address} has its next SSH host key already: a run that was to change it has died.`,
      `Let this one end the change: write ${generation} into mailhost:hostKey.revoked again, and run again.`,
    ].join("\n"),
  );
}

function packageList(bundles: readonly Bundle[]): string {
  return `${hostPackages(bundles).join("\n")}\n`;
}

export interface HostBundleArgs {
  readonly bundle: Bundle;
  readonly login: Login;
  readonly secrets: SecretOutputs;
}

/** One service on the host: its files as readable text, its secrets apart. */
export class HostBundle extends pulumi.ComponentResource {
  /**
   * Whether the host has this bundle's files as they are planned, once that is known. An `up` of other things
   * (`--target`) leaves them as they were, and says nothing of it.
   */
  readonly isInPlace: pulumi.Output<boolean>;

  constructor(name: string, args: HostBundleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:host:HostBundle", name, {}, opts);
    const { bundle, login } = args;
    const child = { parent: this };
    const before: pulumi.Resource[] = [];
    if (bundle.secretFiles.length > 0) {
      const needs = new Set(bundle.secretFiles.flatMap((file) => file.needs));
      before.push(
        remote(
          `${name}-secrets`,
          {
            login,
            command: APPLY,
            stdin: secretsOf(args.secrets, needs).apply((secrets) => secretsDocument(bundle, secrets) ?? ""),
            confidential: true,
          },
          child,
        ),
      );
    }
    let isInPlace = pulumi.output(true);
    // A bundle of nothing but secrets has nothing to show.
    if (bundle.files.length > 0 || bundle.units.length > 0) {
      const document = bundleDocument(bundle);
      const files = remote(
        `${name}-files`,
        { login, command: APPLY, stdin: document },
        { ...child, dependsOn: before },
      );
      isInPlace = files.stdin.apply((text) => text === document);
      if (bundle.confirm) this.#confirm(name, bundle, login, document, files);
    }
    this.isInPlace = isInPlace;
    this.registerOutputs({});
  }

  /**
   * A second login proves that the change locked nobody out; without it the host puts the old files back. Where a
   * deployment died between the two, the first of these brings the change again and the second one confirms that.
   */
  #confirm(name: string, bundle: Bundle, login: Login, document: string, files: pulumi.Resource): void {
    const command = `${APPLY} --confirm ${bundle.name}`;
    const child = { parent: this };
    const confirmed = remote(
      `${name}-confirm`,
      { login, command, stdin: document },
      { ...child, dependsOn: [files] },
    );
    remote(
      `${name}-confirmed`,
      // The text is there so that a change of it asks again; the program must not see it.
      { login, command: `${command} </dev/null`, stdin: document },
      { ...child, dependsOn: [confirmed] },
    );
  }
}
