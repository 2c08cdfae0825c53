import { dayOf, makePlan } from "../plan/plan.ts";
import type { Ramps } from "../plan/ramp.ts";
import type { KeyRotation } from "../plan/rotation.ts";
import { LOGIN_USER, receiversOf } from "../plan/users.ts";
import { type Mistake, SettingsError } from "../settings/mistakes.ts";
import type { Settings } from "../settings/types.ts";
import type { SshAccess } from "../ssh/client.ts";
import { outputIn, type PulumiConfig, type StackState, settingsOf } from "./engine.ts";
import type { OtherSide } from "./otherside.ts";
import { preflightTarget } from "./preflight/stack.ts";
import type { PreflightTarget } from "./preflight/target.ts";
import type { CheckTarget } from "./types.ts";

/** Where the stack's engine, its settings' environment, and the world around the host are. */
export interface Surroundings {
  /** Runs the engine with these arguments. @returns what it prints. @throws when it fails */
  readonly pulumi: (args: readonly string[]) => Promise<string>;
  /** What `${NAME}` in the stack file stands for. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Validating resolver, `address` or `address:port`. */
  readonly resolver: string;
  /** PEM of roots beside the public ones. */
  readonly trustedCas: readonly string[];
  readonly otherSide?: OtherSide;
  /** Whether that is the local cloud. @default false */
  readonly isLocal?: boolean;
}

/** What `components/outputs.ts` exports, as far as the check reads it. */
interface StackOutputs {
  readonly publicIp: string;
  readonly publicIpv6?: string;
  readonly credentials: Readonly<Record<string, string>>;
  readonly publicKeys: Readonly<Record<string, string>>;
  readonly keyRotation: KeyRotation;
  readonly policyRamps: Ramps;
  readonly acmeAccount: string;
  readonly dnssec: Readonly<Record<string, string>>;
  readonly ssh?: SshAccess;
}

/** What there is of a stack. */
export type StackAsItIs =
  | { readonly kind: "host"; readonly target: CheckTarget }
  | { readonly kind: "none yet"; readonly target: PreflightTarget }
  | { readonly kind: "mistaken"; readonly mistakes: readonly Mistake[] };

/** Reads a stack, whether it is up or not. @throws in words when there is no such stack, or its file is wrong beside a host */
export async function stackAsItIs(stack: string, around: Surroundings): Promise<StackAsItIs> {
  const [config, outputs] = await configAndOutputs<StackOutputs>(stack, around);
  if (outputs.publicIp !== undefined) {
    return { kind: "host", target: hostTarget(stack, config, outputs, outputs.publicIp, around) };
  }
  try {
    return { kind: "none yet", target: await preflightTarget(stack, config, around) };
  } catch (error) {
    if (error instanceof SettingsError) return { kind: "mistaken", mistakes: error.mistakes };
    throw error;
  }
}

function hostTarget(
  stack: string,
  config: PulumiConfig,
  outputs: Partial<StackOutputs>,
  publicIp: string,
  around: Surroundings,
): CheckTarget {
  const {
    publicIpv6,
    credentials = {},
    publicKeys = {},
    keyRotation = {},
    policyRamps: ramps = {},
    // Where the `up` could not ask for it, its record is missing, and said to be.
    acmeAccount = "",
    dnssec = {},
    ssh,
  } = outputs;
  const settings = settingsOf(config, around);
  const moment = { today: dayOf(new Date()), rotation: keyRotation, ramps };
  const { records, bundles, dkim } = makePlan(settings, moment);
  return {
    stack,
    isLocal: around.isLocal ?? false,
    settings,
    facts: {
      publicIpv4: publicIp,
      ...(publicIpv6 === undefined ? {} : { publicIpv6 }),
      acmeAccount,
      publicKeys,
    },
    records,
    bundles,
    dkim,
    ramps,
    ds: dnssec,
    resolver: around.resolver,
    trustedCas: around.trustedCas,
    credentials,
    ...(ssh === undefined ? {} : { ssh }),
    ...(around.otherSide === undefined ? {} : { otherSide: around.otherSide }),
  };
}

async function configAndOutputs<Outputs>(
  stack: string,
  { pulumi }: Pick<Surroundings, "pulumi">,
): Promise<[PulumiConfig, Partial<Outputs>]> {
  const texts = await Promise.all([
    pulumi(["config", "--json", "--show-secrets", "--stack", stack]),
    pulumi(["stack", "output", "--json", "--show-secrets", "--stack", stack]),
  ]);
  return texts.map((text) => JSON.parse(text)) as [PulumiConfig, Partial<Outputs>];
}

/** What it takes to open a host's locked store. */
export interface StoreAccess {
  readonly ssh: SshAccess;
  /** Where the stack has it. */
  readonly passphrase?: string;
}

/**
 * Reads it from a stack, also where its first `pulumi up` has stopped to wait for the store: then it has a host and no
 * outputs yet.
 * @throws in words where there is no host
 */
export async function storeAccess(
  stack: string,
  { pulumi, environment }: Pick<Surroundings, "pulumi" | "environment">,
): Promise<StoreAccess> {
  const [config, outputs] = await configAndOutputs<StackOutputs>(stack, { pulumi });
  const ssh =
    outputs.ssh ??
    accessIn(JSON.parse(await pulumi(["stack", "export", "--show-secrets", "--stack", stack])) as StackState);
  if (ssh === undefined) throw new Error(`The stack ${stack} has no host yet: bring it up first.`);
  const passphrase = passphraseIn(config, environment);
  return { ssh, ...(passphrase !== undefined && { passphrase }) };
}

/** The login that `components/outputs.ts` would tell, of its parts. */
function accessIn(state: StackState): SshAccess | undefined {
  const output = (name: string, key: string) => outputIn(state, name, key);
  const host = output("server-address", "publicIp");
  const privateKey = output("ssh-login", "privateKeyOpenssh");
  const names = (state.deployment?.resources ?? []).map(({ urn }) => urn.slice(urn.lastIndexOf("::") + 2));
  // The one in use and the next one, which are as good as each other.
  const [hostKey, nextHostKey] = names
    .filter((name) => /^ssh-host(-\d|$)/.test(name))
    .flatMap((name) => output(name, "publicKeyOpenssh")?.trim() ?? []);
  if (host === undefined || privateKey === undefined || hostKey === undefined) return undefined;
  return { host, port: 22, user: LOGIN_USER, privateKey, hostKey, ...(nextHostKey && { nextHostKey }) };
}

function passphraseIn(config: PulumiConfig, environment: Surroundings["environment"]): string | undefined {
  const { value, objectValue } = config["mailhost:lockedStore"] ?? {};
  const written = objectValue ?? (value?.startsWith("{") ? JSON.parse(value) : undefined);
  const passphrase = (written as { readonly passphrase?: unknown } | undefined)?.passphrase;
  if (typeof passphrase !== "string") return undefined;
  const name = /^\$\{(\w+)\}$/.exec(passphrase)?.[1];
  return name === undefined ? passphrase : environment[name];
}

/** A stack's settings. @throws naming every mistake in its file */
export async function stackSettings(
  stack: string,
  around: Pick<Surroundings, "pulumi" | "environment">,
): Promise<Settings> {
  const text = await around.pulumi(["config", "--json", "--show-secrets", "--stack", stack]);
  return settingsOf(JSON.parse(text) as PulumiConfig, around);
}

/** Says which mailboxes of a stack the mail for an address ends up in. */
export async function stackReceivers(
  stack: string,
  around: Pick<Surroundings, "pulumi" | "environment">,
): Promise<(address: string) => readonly string[]> {
  return receiversOf(await stackSettings(stack, around));
}
