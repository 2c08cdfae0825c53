import { getServers } from "node:dns";
import * as pulumi from "@pulumi/pulumi";
import { ask, authoritiesOf, valuesOf } from "../dns/client.ts";
import { rotate, type Signer, selectorsOf, signers } from "../plan/dkim.ts";
import { dayOf, type Moment } from "../plan/plan.ts";
import type { DkimRotation } from "../plan/rotation.ts";
import type { Settings } from "../settings/types.ts";
import { reasonOf } from "./reason.ts";

/** Resolvers of others, that see the DNS as the receivers of mail do. */
const publicResolvers = ["1.1.1.1", "9.9.9.9"];

/** The stack's outputs that this reads, as `outputs.ts` writes them. */
interface Before {
  readonly dkimRotation?: DkimRotation;
  readonly dkimPublicKeys?: Readonly<Record<string, string>>;
}

/** What the plan depends on beside the settings: the day, and the DKIM keys' state. */
export async function currentMoment(settings: Settings): Promise<Moment> {
  const now = new Date();
  return { today: dayOf(now), rotation: await currentRotation(settings, now) };
}

/**
 * The DKIM keys' state from now on: that which the last whole `up` has left in the stack's outputs, a step further where one
 * is due and the world has seen what it needs.
 *
 * @throws pulumi.RunError where the engine does not show the outputs: without them keys in use would be taken for none
 */
async function currentRotation(settings: Settings, now: Date): Promise<DkimRotation> {
  const { dkimRotation: before = {}, dkimPublicKeys: keys = {} } = await outputsBefore();
  const all = () => true;
  const none = () => false;
  // Most runs have nothing to wait for, and ask nobody.
  const hoped = rotate(settings, before, now, all);
  const feared = rotate(settings, before, now, none);
  if (JSON.stringify(hoped) === JSON.stringify(before)) return hoped;
  const seen = new Map<string, boolean>();
  const key = ({ domain }: Signer, generation: string) => `${generation} ${domain}`;
  await Promise.all(
    signers(settings).flatMap((signer) => {
      const { domain } = signer;
      if (JSON.stringify(hoped[domain]) === JSON.stringify(feared[domain])) return [];
      return (before[domain] ?? [])
        .filter(({ state }) => state === "published")
        .map(async ({ generation }) => {
          seen.set(key(signer, generation), await isSeen(settings, signer, generation, keys));
        });
    }),
  );
  return rotate(settings, before, now, (signer, generation) => seen.get(key(signer, generation)) ?? false);
}

async function outputsBefore(): Promise<Before> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  try {
    const { outputs } = (await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name })) as {
      readonly outputs?: Before;
    };
    return outputs ?? {};
  } catch (error) {
    throw new pulumi.RunError(
      `The stack's own outputs cannot be read, and they say which DKIM keys are in use: ${reasonOf(error as Error)}. Nothing was touched.`,
    );
  }
}

/** Whether each nameserver of the zone, and each resolver that is asked, shows both keys of a pair. */
async function isSeen(
  { resolver: { outside } }: Settings,
  { domain, zone }: Signer,
  generation: string,
  keys: Readonly<Record<string, string>>,
): Promise<boolean> {
  const [own = "127.0.0.53"] = getServers();
  const resolvers = outside === undefined ? [own, ...publicResolvers] : [outside];
  try {
    const servers = [...(await authoritiesOf(zone, resolvers[0] ?? own)), ...resolvers];
    const answers = await Promise.all(
      selectorsOf(domain, generation).flatMap(({ name }) =>
        servers.map(async (server) => {
          const values = valuesOf((await ask(server, name, "TXT")).answers);
          const expected = keys[name];
          return expected !== undefined && values.some((value) => value.endsWith(` p=${expected}`));
        }),
      ),
    );
    return answers.every(Boolean);
  } catch {
    // Who does not answer has shown nothing: a step waits for the next run.
    return false;
  }
}
