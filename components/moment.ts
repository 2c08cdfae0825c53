import { getServers } from "node:dns";
import { connect } from "node:tls";
import * as pulumi from "@pulumi/pulumi";
import { ask } from "../dns/client.ts";
import { HOST_KEY } from "../plan/hostKey.ts";
import { dayOf, type Moment } from "../plan/plan.ts";
import { firstPair, type KeyRotation } from "../plan/rotation.ts";
import { publicKeyDigest } from "../plan/tlsKey.ts";
import { keyHolders } from "../plan/turns.ts";
import type { DnsRecord } from "../plan/types.ts";
import type { Settings } from "../settings/types.ts";
import { type CurrentRamps, currentRamps, type OutputsOfRamps } from "./ramps.ts";
import { stackOutputsBefore, stateResources } from "./stateResources.ts";
import { turned } from "./turned.ts";

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
  const outputs: Before = await stackOutputsBefore("which keys are in use");
  const { publicIp, keyRotation = outputs.dkimRotation ?? {} } = outputs;
  const before = { ...(await firstHostKey(keyRotation)), ...keyRotation };
  const keys = outputs.publicKeys ?? outputs.dkimPublicKeys ?? {};
  const [policies, rotation] = await Promise.all([
    currentRamps(settings, outputs, now),
    turned(settings, before, now, {
      resolvers: resolversOf(settings),
      ask,
      keys,
      shown: (port) => shownKey(settings.hostname, publicIp, port),
    }),
  ]);
  warnOfRevoked(settings, rotation);
  warnOfUnseen(settings, before, rotation, now);
  const recordsBefore = Object.values(outputs.dnsRecords ?? {});
  return { today: dayOf(now), rotation, before, recordsBefore, ...policies };
}

/**
 * The SSH host key that a first run has made which died before it wrote down its outputs: the machine knows that one, whatever the
 * stack file says meanwhile of the day from which its name was made.
 */
async function firstHostKey(rotation: KeyRotation): Promise<KeyRotation> {
  if (HOST_KEY in rotation) return {};
  const resources = await stateResources("which key the host is known by");
  const [first] = resources
    .flatMap(({ name }) => /^ssh-host-(\d{4})(\d\d)(\d\d)$/.exec(name)?.slice(1).join("-") ?? [])
    .toSorted();
  return first === undefined ? {} : { [HOST_KEY]: [firstPair(first)] };
}

function warnOfRevoked(settings: Settings, rotation: KeyRotation): void {
  for (const { name, rules, proofs } of keyHolders(settings))
    for (const { generation, state } of rotation[name] ?? [])
      if (state === "signing" && rules.revoked.includes(generation))
        void pulumi.log.warn(
          proofs(generation).length === 0
            ? `The revoked key ${generation} of ${name} stays in use until the next run, since its successor is made by this one. Run this again then.`
            : `The revoked key ${generation} of ${name} stays in use until the next one has been seen by two runs three hours apart: at each nameserver of its zone, and at ${resolversOf(settings).join(", ")}. Run this again then.`,
        );
}

/** A step that never comes is no alarm of itself: mail goes on with the old key, for as long as somebody hides the new one. */
function warnOfUnseen(settings: Settings, before: KeyRotation, rotation: KeyRotation, now: Date): void {
  for (const { name, zone, rules } of keyHolders(settings)) {
    const pairs = rotation[name] ?? [];
    const known = new Set(before[name]?.map(({ generation }) => generation));
    const signing = pairs.find(({ state }) => state === "signing");
    const next = pairs.find(({ state, generation }) => state === "published" && known.has(generation));
    const days =
      signing === undefined ? 0 : Math.floor((now.getTime() - Date.parse(signing.since)) / 86_400_000);
    if (rules.days === 0 || days < rules.days || next === undefined || next.seen !== undefined) continue;
    void pulumi.log.warn(
      `The key ${signing?.generation} of ${name} has been in use for ${days} days instead of ${rules.days}, since its successor ${next.generation} is not shown by everybody who is asked: each nameserver of ${zone}, and ${resolversOf(settings).join(", ")}. \`npm run check\` says whether its records are there.`,
    );
  }
}

/** Whom to ask beside the zones' nameservers. */
function resolversOf({ resolver: { outside } }: Settings): readonly string[] {
  const [own = "127.0.0.53"] = getServers();
  return outside === undefined ? [own, ...publicResolvers] : [outside];
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
