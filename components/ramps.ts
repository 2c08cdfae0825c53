import { setTimeout } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import type { RampState, Ramps } from "../plan/ramp.ts";
import {
  type Evidence,
  hasRamps,
  type Ramped,
  ramped,
  rampOf,
  statesOf,
  type Weighed,
  weighCommand,
} from "../plan/ramps.ts";
import type { DnsRecord } from "../plan/types.ts";
import type { Settings } from "../settings/types.ts";
import { openSsh, type SshAccess, type SshConnection } from "../ssh/client.ts";
import { publishedTexts as textsPublishedBy } from "./dns/texts.ts";
import type { Dns } from "./dns.ts";
import { stackOption } from "./engine.ts";
import { reasonOf } from "./reason.ts";
import { stateResources } from "./stateResources.ts";

/** The stack's outputs that this reads, as `outputs.ts` writes them. */
export interface OutputsOfRamps {
  readonly publicIp?: string;
  readonly publicIpv6?: string;
  readonly ssh?: SshAccess;
  readonly policyRamps?: Ramps;
}

/** Where the policies stand that ramp: at this run, and as the one before has left them. */
export interface CurrentRamps {
  readonly ramps: Ramps;
  readonly rampsBefore: Ramps;
}

/** Milliseconds for the host to say what its reports say. */
const patience = 30_000;

/**
 * Where each policy that ramps stands from now on, said in a line each. It asks the host, in previews too; who does not answer
 * holds no run up, and lets no policy move.
 *
 * @throws pulumi.RunError where the engine does not show the records: without them a policy could be taken back
 */
export async function currentRamps(
  settings: Settings,
  outputs: OutputsOfRamps,
  now: Date,
): Promise<CurrentRamps> {
  const { policyRamps: rampsBefore = {} } = outputs;
  if (!hasRamps(settings)) return { ramps: {}, rampsBefore };
  const [texts, evidence] = await Promise.all([publishedTexts(), evidenceOf(settings, outputs, now)]);
  const all = ramped(settings, rampsBefore, texts, now, evidence);
  for (const one of all) say(one);
  return { ramps: statesOf(all), rampsBefore };
}

/**
 * What is written down for the next run: where a policy stands once the world can see it, and until then where it stood.
 * @param all the components that publish records
 */
export function rampsInPlace(
  { ramps, rampsBefore }: CurrentRamps,
  records: readonly DnsRecord[],
  all: readonly Dns[],
): pulumi.Output<Ramps> | undefined {
  const seen = Object.entries(ramps).map(([ramp, state]) => {
    const told = records
      .filter((record) => rampOf(record) === ramp)
      .flatMap(({ name, content }) => all.map((dns) => dns.isPublished(name, String(content))))
      .filter((isPublished) => isPublished !== undefined);
    return pulumi
      .all(told)
      .apply((published): readonly [string, RampState | undefined] => [
        ramp,
        published.every(Boolean) ? state : rampsBefore[ramp],
      ]);
  });
  if (seen.length === 0) return undefined;
  return pulumi
    .all(seen)
    .apply((states) => Object.fromEntries(states.flatMap(([ramp, state]) => (state ? [[ramp, state]] : []))));
}

function say({ line, isAlarm, hasMoved, state }: Ramped): void {
  const stack = stackOption();
  if (isAlarm)
    void pulumi.log.warn(
      `${line} The policy stays ${state.policy}: mend what fails (npm run reports${stack && ` --${stack}`}), or write a milder one into the stack file.`,
    );
  else void pulumi.log.info(hasMoved ? `${line} The records show it.` : line);
}

async function evidenceOf(
  settings: Settings,
  { publicIp = "", publicIpv6, ssh, policyRamps = {} }: OutputsOfRamps,
  now: Date,
): Promise<Evidence> {
  if (ssh === undefined) return { silence: "there is no host yet" };
  const addresses = [publicIp, ...(publicIpv6 ? [publicIpv6] : [])];
  const command = weighCommand(settings, policyRamps, now, addresses) ?? "true";
  const late = new AbortController();
  let session: SshConnection | undefined;
  let answers = true;
  try {
    session = await openSsh(ssh);
    const { code, stdout, stderr } = await Promise.race([
      session.run(command, { root: true }),
      setTimeout(patience, undefined, { signal: late.signal }).then(() => {
        answers = false;
        throw new Error(`the host did not say it in ${patience / 1000} seconds`);
      }),
    ]);
    if (code !== 0) throw new Error(stderr.trim().split("\n").at(-1) || `the host ended with code ${code}`);
    return JSON.parse(stdout) as Weighed;
  } catch (error) {
    return { silence: reasonOf(error as Error) };
  } finally {
    late.abort();
    // An open connection would keep the program from its end.
    if (answers) session?.close();
    else session?.abandon();
  }
}

/**
 * The TXT records that the last runs have made, by their names: also those of a run that died before it wrote down where its
 * policies stand, and those of a policy that the stack file has set by itself until now.
 */
async function publishedTexts(): Promise<ReadonlyMap<string, string>> {
  const resources = await stateResources("which policies the world knows");
  return new Map(resources.flatMap(({ type, outputs }) => textsPublishedBy(type, outputs)));
}
