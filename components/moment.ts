import { getServers } from "node:dns";
import { connect } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { ask, authoritiesOf, valuesOf } from "../dns/client.ts";
import { dayOf, type Moment } from "../plan/plan.ts";
import type { KeyRotation } from "../plan/rotation.ts";
import { publicKeyDigest } from "../plan/tlsKey.ts";
import { type KeyHolder, keyHolders, rotate, usedGenerations } from "../plan/turns.ts";
import type { DnsRecord } from "../plan/types.ts";
import type { Settings } from "../settings/types.ts";
import { type CurrentRamps, currentRamps, type OutputsOfRamps } from "./ramps.ts";
import { reasonOf } from "./reason.ts";

/** Resolvers of others, that see the DNS as the receivers of mail do. */
const publicResolvers = ["1.1.1.1", "9.9.9.9"];

/** Milliseconds for the host to show its key. */
const patience = 5000;

type PublishedRecord = Pick<DnsRecord, "name" | "type" | "content">;

/** The stack's outputs that this reads, as `outputs.ts` writes them. */
interface Before extends OutputsOfRamps {
  readonly keyRotation?: KeyRotation;
  readonly publicKeys?: Readonly<Record<string, string>>;
  readonly dnsRecords?: Readonly<Record<string, PublishedRecord>>;
  /** What the two were called when DKIM's keys alone took turns. */
  readonly dkimRotation?: KeyRotation;
  readonly dkimPublicKeys?: Readonly<Record<string, string>>;
}

/** The moment of this run, and the states in which the one before has left keys and policies. */
export interface CurrentMoment extends Moment, CurrentRamps {
  readonly before: KeyRotation;
  /** The records that the run before has published. */
  readonly recordsBefore: readonly PublishedRecord[];
}

/**
 * What the plan depends on beside the settings: the day, and the state of keys and policies from now on. That is the one which
 * the last `up` has left in the stack's outputs, a step further where one is due and the world has seen what it needs, or has
 * reported that it is safe.
 *
 * @throws pulumi.RunError where the engine does not show the outputs: without them keys in use would be taken for none
 */
export async function currentMoment(settings: Settings): Promise<CurrentMoment> {
  const now = new Date();
  const outputs = await outputsBefore();
  const { publicIp, keyRotation: before = outputs.dkimRotation ?? {} } = outputs;
  const keys = outputs.publicKeys ?? outputs.dkimPublicKeys ?? {};
  const hoped = rotate(settings, before, now, { isSeen: () => true, isUnused: () => true });
  // Most runs have nothing to wait for, and ask nobody.
  const waiting = keyHolders(settings).filter(({ name }) => !isDeepStrictEqual(hoped[name], before[name]));
  const waits = new Set(waiting.map(({ name }) => name));
  const servers = serversOnce(settings);
  const seen = new Set<string>();
  const used = new Set<string>();
  const key = ({ name }: KeyHolder, generation: string) => `${generation} ${name}`;
  const [policies] = await Promise.all([
    currentRamps(settings, outputs, now),
    Promise.all(
      waiting.map(async (holder) => {
        const pairs = before[holder.name] ?? [];
        const [, shown] = await Promise.all([
          Promise.all(
            pairs
              .filter(({ state }) => state === "published")
              .map(async ({ generation }) => {
                if (await isSeen(servers, holder, generation, keys)) seen.add(key(holder, generation));
              }),
          ),
          holder.shown && shownKey(settings.hostname, publicIp, holder.shown.port),
        ]);
        for (const generation of usedGenerations(holder, pairs, keys, shown))
          used.add(key(holder, generation));
      }),
    ),
  ]);
  const rotation = rotate(settings, before, now, {
    isSeen: (holder, generation) => !waits.has(holder.name) || seen.has(key(holder, generation)),
    isUnused: (holder, generation) => !used.has(key(holder, generation)),
  });
  warnOfRevoked(settings, rotation);
  const recordsBefore = Object.values(outputs.dnsRecords ?? {});
  return { today: dayOf(now), rotation, before, recordsBefore, ...policies };
}

function warnOfRevoked(settings: Settings, rotation: KeyRotation): void {
  for (const { name, rules } of keyHolders(settings))
    for (const { generation, state } of rotation[name] ?? [])
      if (state === "signing" && rules.revoked.includes(generation))
        void pulumi.log.warn(
          `The revoked key ${generation} of ${name} stays in use until the next one has been seen by two runs three hours apart: at each nameserver of its zone, and at ${resolversOf(settings).join(", ")}. Run this again then.`,
        );
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
      `The stack's own outputs cannot be read, and they say which keys are in use: ${reasonOf(error as Error)}. Nothing was touched.`,
    );
  }
}

/** Whom to ask beside the zones' nameservers. */
function resolversOf({ resolver: { outside } }: Settings): readonly [string, ...string[]] {
  const [own = "127.0.0.53"] = getServers();
  return outside === undefined ? [own, ...publicResolvers] : [outside];
}

/** Whom to ask about a zone's records; each zone's nameservers are looked up once. */
function serversOnce(settings: Settings): (zone: string) => Promise<readonly string[]> {
  const resolvers = resolversOf(settings);
  const known = new Map<string, Promise<readonly string[]>>();
  return (zone) => {
    const found =
      known.get(zone) ??
      authoritiesOf(zone, resolvers[0]).then((authorities) => [...authorities, ...resolvers]);
    known.set(zone, found);
    return found;
  };
}

/** Whether each nameserver of the zone, and each resolver that is asked, shows all records of a generation. */
async function isSeen(
  serversOf: (zone: string) => Promise<readonly string[]>,
  { zone, proofs }: KeyHolder,
  generation: string,
  keys: Readonly<Record<string, string>>,
): Promise<boolean> {
  try {
    const servers = await serversOf(zone);
    const answers = await Promise.all(
      proofs(generation).flatMap(({ name, type, fact, says }) =>
        servers.map(async (server) => {
          const expected = keys[fact];
          const values = valuesOf((await ask(server, name, type)).answers);
          return expected !== undefined && values.some((value) => says(value, expected));
        }),
      ),
    );
    return answers.every(Boolean);
  } catch {
    // Who does not answer has shown nothing: a step waits for the next run.
    return false;
  }
}

/** The digest of the key that the host shows at a port, whatever its certificate says; `undefined` where it shows none. */
async function shownKey(
  servername: string,
  host: string | undefined,
  port: number,
): Promise<string | undefined> {
  if (host === undefined) return undefined;
  return await new Promise((resolve) => {
    const socket = connect({ host, port, servername, rejectUnauthorized: false, timeout: patience });
    const end = (digest?: string) => {
      socket.destroy();
      resolve(digest);
    };
    socket.on("secureConnect", () => {
      const key = socket.getPeerX509Certificate()?.publicKey;
      end(key && publicKeyDigest(key));
    });
    socket.on("timeout", () => end());
    socket.on("error", () => end());
  });
}
