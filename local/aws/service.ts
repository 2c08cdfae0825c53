import { createHash } from "node:crypto";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openStore } from "../store.ts";
import type { World } from "../types.ts";
import { type Account, type Action, pushNetwork } from "./account.ts";
import { addressActions, updatePtr } from "./addresses.ts";
import { AwsError } from "./errors.ts";
import { gatewayActions } from "./gateways.ts";
import { groupActions } from "./groups.ts";
import { iamActions } from "./iam.ts";
import { instanceActions, resume } from "./instances.ts";
import { Parameters } from "./parameters.ts";
import { attributeActions, callerArn, servicequotasActions, stsActions } from "./quotas.ts";
import { emptyZones, route53Actions } from "./route53.ts";
import { routeActions } from "./routeTables.ts";
import { sesActions } from "./ses.ts";
import { pushSes } from "./smtp.ts";
import { emptyState, type State, type Switches } from "./state.ts";
import { subnetActions } from "./subnets.ts";
import { tagActions } from "./tags.ts";
import { volumeActions } from "./volumes.ts";
import { openDefaultVpc, vpcActions } from "./vpcs.ts";

export type { Switches } from "./state.ts";

export interface AwsServiceOptions {
  /** Folder of `aws.json` (what exists, readable by its owner alone) and `aws.log` (what was done). */
  readonly stateDir: string;
  readonly world: World;
  /** Region of calls that name none. */
  readonly region: string;
  /** Takes one line about what went wrong behind an answer. */
  readonly log: (line: string) => void;
  /** Milliseconds between two lookups of a name that must resolve. Default 1000. */
  readonly retryAfter?: number;
}

/** Where a call comes from. */
export interface Caller {
  readonly region?: string;
  /**
   * Makes the call repeatable: a second one with the same token, action and parameters gets the first one's
   * answer, until `confirm` says that its caller knows it. It is how an `up` that was killed finds what it made.
   */
  readonly token?: string;
}

/** A simulated AWS account: as strict as EC2, SES and IAM about what a mail host needs. */
export interface AwsService {
  /** Does an action of EC2, SES or IAM (or `GetParameter` of Systems Manager). Rejects with AwsError. */
  handle(action: string, parameters: unknown, caller?: Caller): Promise<unknown>;
  /** Forgets the answers remembered for these tokens. */
  confirm(tokens: readonly string[]): void;
  /** Makes the world what the state says; called once at the daemon's start. */
  restore(): Promise<void>;
  readonly switches: Readonly<Switches>;
  setSwitches(changes: Partial<Switches>): Promise<void>;
  /** Takes everything out of the world and starts with an empty account. */
  reset(): Promise<void>;
  /** Waits until no work goes on behind an answer. */
  settled(): Promise<void>;
}

const actions: Readonly<Record<string, Action>> = {
  ...vpcActions,
  ...subnetActions,
  ...gatewayActions,
  ...routeActions,
  ...groupActions,
  ...instanceActions,
  ...volumeActions,
  ...addressActions,
  ...tagActions,
  ...sesActions,
  ...iamActions,
  ...route53Actions,
  ...attributeActions,
  ...stsActions,
  ...servicequotasActions,
};

/** Remembered answers that nobody confirmed are dropped after a day. */
const tokensFor = 24 * 60 * 60 * 1000;

export function createAwsService(options: AwsServiceOptions): AwsService {
  const store = openStore<State>(options.stateDir, "aws.json", emptyState);
  const queues = new Map<string, Promise<unknown>>();
  const behind = new Set<Promise<void>>();
  const told: Account["told"] = { firewalls: new Map(), mapped: new Map() };

  const accountIn = (region: string): Account => ({
    get state() {
      return store.data;
    },
    world: options.world,
    region,
    endpointRegion: options.region,
    save: () => store.save(),
    now: () => Date.now(),
    inOrder: (key, work) => {
      const turn = (queues.get(key) ?? Promise.resolve()).then(work);
      const done = turn.then(
        () => undefined,
        () => undefined,
      );
      queues.set(key, done);
      void done.then(() => {
        if (queues.get(key) === done) queues.delete(key);
      });
      return turn;
    },
    afterwards: (work) => {
      const watched = work
        .catch((error: unknown) =>
          options.log(`aws: ${error instanceof Error ? error.message : String(error)}`),
        )
        .finally(() => behind.delete(watched));
      behind.add(watched);
    },
    forgetTokens: (ids) => {
      for (const [key, remembered] of Object.entries(store.data.tokens)) {
        if (remembered.ids.some((id) => ids.includes(id))) delete store.data.tokens[key];
      }
    },
    pause: (milliseconds) => (milliseconds > 0 ? delay(milliseconds) : Promise.resolve()),
    retryAfter: options.retryAfter ?? 1000,
    told,
  });

  const settled = async (): Promise<void> => {
    while (behind.size > 0) await Promise.all(behind);
  };

  if (Object.keys(store.data.vpcs).length === 0) {
    openDefaultVpc(accountIn(options.region));
    store.save();
  }

  return {
    handle: async (name, parameters, caller = {}) => {
      const started = Date.now();
      try {
        const answer = await call(accountIn(caller.region ?? options.region), name, parameters, caller.token);
        if (!isRead(name)) note(options.stateDir, { action: name, parameters, answer, started });
        return answer;
      } catch (error) {
        const failure =
          error instanceof AwsError
            ? error
            : new AwsError("InternalError", error instanceof Error ? error.message : String(error), 500);
        note(options.stateDir, { action: name, parameters, error: failure, started });
        throw failure;
      }
    },
    confirm: (tokens) => {
      const now = Date.now();
      let changed = false;
      for (const [key, remembered] of Object.entries(store.data.tokens)) {
        if (!tokens.includes(remembered.token) && now - remembered.at < tokensFor) continue;
        delete store.data.tokens[key];
        changed = true;
      }
      if (changed) store.save();
    },
    restore: async () => {
      const account = accountIn(options.region);
      const { state, world } = account;
      await world.setPort25Blocked(state.switches.port25Blocked);
      for (const volume of Object.values(state.volumes)) {
        const isRoot = Object.values(state.instances).some((instance) => instance.rootVolumeId === volume.id);
        if (!isRoot) await world.createVolume(volume.id, volume.size);
      }
      for (const instance of Object.values(state.instances)) resume(account, instance);
      await settled();
      for (const volume of Object.values(state.volumes)) {
        const instance = volume.attachment && state.instances[volume.attachment.instanceId];
        if (instance && instance.rootVolumeId !== volume.id && instance.state !== "terminated") {
          await world.attachVolume(volume.id, instance.id);
        }
      }
      for (const address of Object.values(state.addresses)) {
        await world.dns.setPtr(address.publicIp, address.ptr);
        updatePtr(account, address);
      }
      await pushNetwork(account);
      await pushSes(account);
    },
    get switches() {
      return store.data.switches;
    },
    setSwitches: async (changes) => {
      Object.assign(store.data.switches, checkSwitches(changes));
      store.save();
      await options.world.setPort25Blocked(store.data.switches.port25Blocked);
      await pushSes(accountIn(options.region));
    },
    reset: async () => {
      await settled();
      const { instances, volumes, addresses } = store.data;
      for (const instance of Object.values(instances)) await options.world.terminate(instance.id);
      const roots = new Set(Object.values(instances).map((instance) => instance.rootVolumeId));
      for (const volume of Object.values(volumes)) {
        if (!roots.has(volume.id)) await options.world.deleteVolume(volume.id);
      }
      for (const address of Object.values(addresses))
        await options.world.dns.setPtr(address.publicIp, undefined);
      await emptyZones(accountIn(options.region));
      for (const address of options.world.publicPool) await options.world.mapAddress(address, undefined);
      told.firewalls.clear();
      told.mapped.clear();
      store.data = emptyState();
      openDefaultVpc(accountIn(options.region));
      store.save();
      await options.world.setPort25Blocked(store.data.switches.port25Blocked);
      await pushSes(accountIn(options.region));
    },
    settled,
  };
}

async function call(
  account: Account,
  name: string,
  parameters: unknown,
  token: string | undefined,
): Promise<unknown> {
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined) {
    throw new AwsError("InvalidAction", `The action ${name} is not valid for this web service.`);
  }
  const { state } = account;
  refuseDenied(state.switches, name, account.region);
  const given = parameters ?? {};
  refuseTry(name, given);
  const key = token === undefined || isRepeatable(name) ? undefined : tokenKey(token, name, given);
  const remembered = key === undefined ? undefined : state.tokens[key];
  if (remembered !== undefined) return remembered.answer;
  const answer = await action(account, new Parameters(given));
  const ids = idsIn(given);
  if (/^(Delete|Detach|Disassociate|Revoke|Release|Terminate|Reset)/.test(name)) {
    account.forgetTokens(ids);
    account.save();
  } else if (key !== undefined && token !== undefined) {
    state.tokens[key] = { token, answer, ids: [...ids, ...idsIn(answer)], at: account.now() };
    account.save();
  }
  return answer;
}

/** What no policy of the credential's allows. */
function refuseDenied({ denied = "" }: Switches, action: string, region: string): void {
  const right = denied.split(" ").find((each) => each.split(":")[1] === action);
  if (right === undefined) return;
  const refused = `User: ${callerArn} is not authorized to perform: ${right} because no identity-based policy allows the ${right} action`;
  throw right.startsWith("ec2:")
    ? new AwsError(
        "UnauthorizedOperation",
        `You are not authorized to perform this operation. ${refused} in ${region}.`,
        403,
      )
    : new AwsError("AccessDeniedException", refused);
}

/** What EC2 wants to know before it says whether somebody might. */
const wanted: Readonly<Record<string, readonly string[]>> = {
  CreateSecurityGroup: ["GroupName", "GroupDescription"],
  CreateVolume: ["AvailabilityZone"],
  CreateVpc: ["CidrBlock"],
  RunInstances: ["ImageId", "MinCount", "MaxCount"],
};

/** `DryRun`: only the right to it is looked at, and the answer is an error either way. */
function refuseTry(action: string, parameters: object): void {
  if (!("DryRun" in parameters) || parameters.DryRun !== true) return;
  const missing = wanted[action]?.find((name) => !(name in parameters));
  if (missing !== undefined) {
    throw new AwsError("MissingParameter", `The request must contain the parameter ${missing}`);
  }
  throw new AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
}

function tokenKey(token: string, action: string, parameters: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify([token, action, parameters]))
    .digest("hex");
}

/** Ids of EC2's objects, and names of what has no id. */
function idsIn(value: unknown): string[] {
  const text = JSON.stringify(value ?? null);
  const names = text.matchAll(/"(?:EmailIdentity|UserName|AccessKeyId)":"([^"]+)"/g);
  return [...(text.match(/\b[a-z-]+-[0-9a-f]{17}\b/g) ?? []), ...Array.from(names, ([, name = ""]) => name)];
}

/** To look again, or to set the same again, does no harm; and a name that was refused once may be right by now. */
function isRepeatable(action: string): boolean {
  return isRead(action) || /^(Modify|Put|Update)/.test(action);
}

function isRead(action: string): boolean {
  return /^(Describe|Get|List)/.test(action);
}

/** One line of `aws.log`: every change, and every error, without user data and keys. */
function note(
  folder: string,
  what: { action: string; parameters: unknown; answer?: unknown; error?: AwsError; started: number },
): void {
  const line = {
    at: new Date(what.started).toISOString(),
    milliseconds: Date.now() - what.started,
    action: what.action,
    parameters: what.parameters,
    ...(what.error === undefined
      ? { ids: [...new Set(idsIn(what.answer))] }
      : { code: what.error.code, message: what.error.message }),
  };
  const text = JSON.stringify(line, (key, value) =>
    key === "UserData" || key === "DomainSigningPrivateKey" ? "(not shown)" : value,
  );
  appendFileSync(join(folder, "aws.log"), `${text}\n`, { mode: 0o600 });
}

function checkSwitches(changes: Partial<Switches>): Partial<Switches> {
  const kinds: Readonly<Record<keyof Switches, "number" | "boolean" | "string">> = {
    visibleAfter: "number",
    ptrAfter: "number",
    port25Blocked: "boolean",
    sesSandbox: "boolean",
    addressLimit: "number",
    vpcLimit: "number",
    processorLimit: "number",
    denied: "string",
  };
  for (const [name, value] of Object.entries(changes)) {
    const kind = kinds[name as keyof Switches];
    if (kind === undefined || typeof value !== kind) {
      throw new AwsError(
        "InvalidParameterValue",
        `There is no switch ${name} that takes ${JSON.stringify(value)}`,
      );
    }
  }
  return changes;
}
