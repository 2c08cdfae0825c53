import { hostBundles } from "../plan/host.ts";
import { dnsRecords } from "../plan/records.ts";
import { receiversOf } from "../plan/users.ts";
import { parseSettings } from "../settings/parse.ts";
import type { Settings } from "../settings/types.ts";
import type { OtherSide } from "./otherside.ts";
import type { CheckTarget, SshAccess } from "./types.ts";

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
  readonly dkimPublicKeys: Readonly<Record<string, string>>;
  readonly ssh?: SshAccess;
}

/** Reads a stack's settings and outputs. @throws in words when there is no such stack or it is not up */
export async function stackTarget(stack: string, around: Surroundings): Promise<CheckTarget> {
  const [config, outputs] = (
    await Promise.all([
      around.pulumi(["config", "--json", "--show-secrets", "--stack", stack]),
      around.pulumi(["stack", "output", "--json", "--show-secrets", "--stack", stack]),
    ])
  ).map((text) => JSON.parse(text)) as [PulumiConfig, Partial<StackOutputs>];
  const { publicIp, publicIpv6, credentials = {}, dkimPublicKeys = {}, ssh } = outputs;
  if (publicIp === undefined) {
    const up = around.isLocal ? "npm start" : `npx pulumi up --stack ${stack}`;
    throw new Error(`The stack ${stack} is not up: it has no address yet. Run \`${up}\` first.`);
  }
  const settings = settingsOf(config, around);
  return {
    stack,
    isLocal: around.isLocal ?? false,
    settings,
    facts: { publicIpv4: publicIp, ...(publicIpv6 === undefined ? {} : { publicIpv6 }), dkimPublicKeys },
    records: dnsRecords(settings, new Date().toISOString().slice(0, 10)),
    bundles: hostBundles(settings),
    resolver: around.resolver,
    trustedCas: around.trustedCas,
    credentials,
    ...(ssh === undefined ? {} : { ssh }),
    ...(around.otherSide === undefined ? {} : { otherSide: around.otherSide }),
  };
}

/** `pulumi config --json`. */
type PulumiConfig = Readonly<Record<string, { readonly value?: string; readonly objectValue?: unknown }>>;

function settingsOf(config: PulumiConfig, around: Pick<Surroundings, "environment">): Settings {
  const prefix = "mailhost:";
  const raw = Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, { value, objectValue }]) => [key.slice(prefix.length), objectValue ?? value]),
  );
  return parseSettings(raw, around.environment);
}

/** Says which mailboxes of a stack the mail for an address ends up in. */
export async function stackReceivers(
  stack: string,
  around: Pick<Surroundings, "pulumi" | "environment">,
): Promise<(address: string) => readonly string[]> {
  const text = await around.pulumi(["config", "--json", "--show-secrets", "--stack", stack]);
  return receiversOf(settingsOf(JSON.parse(text) as PulumiConfig, around));
}
