import { getServers } from "node:dns";
import { isDeepStrictEqual } from "node:util";
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

/** The moment of this run, and the keys' state in which the one before has left the host. */
export interface CurrentMoment extends Moment {
  readonly before: DkimRotation;
}

/**
 * What the plan depends on beside the settings: the day, and the DKIM keys' state from now on. That is the one which the last
 * `up` has left in the stack's outputs, a step further where one is due and the world has seen what it needs.
 *
 * @throws pulumi.RunError where the engine does not show the outputs: without them keys in use would be taken for none
 */
export async function currentMoment(settings: Settings): Promise<CurrentMoment> {
  const now = new Date();
  const { dkimRotation: before = {}, dkimPublicKeys: keys = {} } = await outputsBefore();
  const hoped = rotate(settings, before, now, () => true);
  // Most runs have nothing to wait for, and ask nobody.
  const waits = (domain: string) => !isDeepStrictEqual(hoped[domain], before[domain]);
  const key = ({ domain }: Signer, generation: string) => `${generation} ${domain}`;
  const asked = signers(settings).flatMap((signer) =>
    (waits(signer.domain) ? (before[signer.domain] ?? []) : [])
      .filter(({ state }) => state === "published")
      .map(({ generation }) => ({ signer, generation })),
  );
  const seen = new Set(
    (
      await Promise.all(
        asked.map(async ({ signer, generation }) =>
          (await isSeen(settings, signer, generation, keys)) ? [key(signer, generation)] : [],
        ),
      )
    ).flat(),
  );
  const rotation = rotate(
    settings,
    before,
    now,
    (signer, generation) => !waits(signer.domain) || seen.has(key(signer, generation)),
  );
  for (const [domain, pairs] of Object.entries(rotation))
    for (const { generation, state } of pairs)
      if (state === "signing" && settings.options.dkim.revoked.includes(generation))
        void pulumi.log.warn(
          `The revoked DKIM key ${generation} of ${domain} signs until the next one has been seen by two runs three hours apart: at each nameserver of its zone, and at ${resolversOf(settings).join(", ")}. Run this again then.`,
        );
  return { today: dayOf(now), rotation, before };
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

/** Whom to ask beside the zones' nameservers. */
function resolversOf({ resolver: { outside } }: Settings): readonly [string, ...string[]] {
  const [own = "127.0.0.53"] = getServers();
  return outside === undefined ? [own, ...publicResolvers] : [outside];
}

/** Whether each nameserver of the zone, and each resolver that is asked, shows both keys of a pair. */
async function isSeen(
  settings: Settings,
  { domain, zone }: Signer,
  generation: string,
  keys: Readonly<Record<string, string>>,
): Promise<boolean> {
  const [first, ...others] = resolversOf(settings);
  try {
    const servers = [...(await authoritiesOf(zone, first)), first, ...others];
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
