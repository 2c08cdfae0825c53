/** What all resources of the aws provider have in common: region, tags, and the way from create to outputs. */
import type { InputSchema, OutputSchema } from "../framework.ts";
import {
  type Change,
  type CheckOutcome,
  defineResource,
  equal,
  type Failure,
  PartialFailure,
  type Properties,
  type Resource,
  type ResourceDefinition,
  type Value,
} from "../framework.ts";
import { creatingEc2, type Ec2, ec2In, isNotFound, until } from "./client.ts";

/** The account that the simulated cloud belongs to. */
export { accountId } from "../../aws/catalog.ts";

export type TagMap = Readonly<Record<string, string>>;

/** Inputs that every resource has. */
export interface CommonInputs {
  readonly region?: string;
  readonly tags?: TagMap;
}

/** An update: what was wanted, what is wanted, and what differs. */
export interface Update<I> {
  readonly id: string;
  readonly inputs: I;
  readonly oldInputs: Properties;
  readonly state: Properties;
  /** Whether an input differs from what it was. */
  changed(name: keyof I & string): boolean;
}

export interface AwsResource<I> {
  readonly inputs: { readonly [name: string]: InputSchema };
  readonly outputs: { readonly [name: string]: OutputSchema };
  /** Inputs that the official provider takes and the local cloud does not simulate. */
  readonly unsimulated?: readonly string[];
  /** Type of the resource in `TagSpecifications`, where it carries tags. */
  readonly taggedAs?: string;
  /** Changes tags where EC2's CreateTags and DeleteTags do not; the call that makes it then takes them as `Tags`. */
  retag?(ec2: Ec2, state: Properties, change: TagChange): Promise<void>;
  /** Whether it belongs to no region. @default false */
  readonly isGlobal?: boolean;
  check?(inputs: Properties, resource: Resource): readonly Failure[] | CheckOutcome;
  diff?: ResourceDefinition<I>["diff"];
  /** Makes it, and answers its id as soon as it exists, with what is told this once. `tags` go into the call. */
  create(ec2: Ec2, inputs: I, tags: { TagSpecifications?: object[] }): Promise<string | Told>;
  /** The rest of the creation. What fails here leaves the resource, and the next run goes on with it. */
  complete?(ec2: Ec2, id: string, inputs: I, resource: Resource): Promise<void>;
  /** Everything known about it, or undefined where it is not there. On import `state` and `inputs` are empty. */
  read(ec2: Ec2, id: string, known: { state: Properties; inputs: Properties }): Promise<Found | undefined>;
  update?(ec2: Ec2, update: Update<I>, resource: Resource): Promise<void>;
  delete(ec2: Ec2, id: string, state: Properties): Promise<void>;
  /** An id of an import that is not the id in the state: made into it. */
  importId?(ec2: Ec2, given: string): Promise<string | undefined>;
}

export interface Told {
  readonly id: string;
  readonly outputs: Properties;
}

export interface Found {
  readonly outputs: Properties;
  readonly tags?: readonly ApiTag[];
  /** Id where it differs from the one asked for. */
  readonly id?: string;
}

export interface ApiTag {
  readonly Key: string;
  readonly Value: string;
}

/** Configuration of the provider: `aws:region` and `aws:defaultTags`. */
export const configuration: { region: string; defaultTags: TagMap } = { region: "", defaultTags: {} };

export function awsResource<I extends CommonInputs>(spec: AwsResource<I>): ResourceDefinition<Properties> {
  const tagged = spec.taggedAs !== undefined || spec.retag !== undefined;
  const ec2For = (region: Value | undefined): Ec2 =>
    ec2In(typeof region === "string" && region !== "" ? region : configuration.region);

  const outputsOf = (ec2: Ec2, found: Found): Properties => ({
    ...found.outputs,
    ...(spec.isGlobal ? {} : { region: ec2.region }),
    ...(tagged ? tagOutputs(found.tags ?? []) : {}),
  });

  const readBack = async (
    ec2: Ec2,
    id: string,
    inputs: Properties,
    state: Properties,
  ): Promise<Properties> => {
    const found = await until(`${id} to be found`, () => spec.read(ec2, id, { state, inputs }), 60_000);
    return outputsOf(ec2, found);
  };

  return defineResource<I>({
    inputs: {
      ...spec.inputs,
      ...(spec.isGlobal
        ? {}
        : { region: { type: "string", computed: true, replaceOnChange: true } as const }),
      ...(tagged ? { tags: { type: "map", items: { type: "string" } } as const } : {}),
      ...Object.fromEntries(
        (spec.unsimulated ?? []).map((name) => [name, { type: "any", computed: true } as const]),
      ),
    },
    outputs: {
      ...spec.outputs,
      ...(tagged ? { tagsAll: { changesWith: ["tags"] } as const } : {}),
    },
    check({ inputs, ...resource }) {
      const failures = (spec.unsimulated ?? []).filter((name) => isSet(inputs[name])).map(unsimulated);
      const checked = spec.check?.(inputs, resource as unknown as Resource) ?? [];
      const outcome: CheckOutcome =
        "length" in checked ? { failures: checked as readonly Failure[] } : checked;
      return { ...outcome, failures: [...failures, ...(outcome.failures ?? [])] };
    },
    diff(request) {
      const changes = (spec.diff?.(request) ?? request.changes).filter(({ path, kind }) => {
        // The official provider compares with the state: to write down what AWS had picked is no change.
        const picked = kind === "add" && spec.inputs[path]?.computed === true;
        return !(picked && equal(request.state[path], request.inputs[path]));
      });
      return tagged ? [...changes, ...defaultTagChanges(request.inputs, request.state, changes)] : changes;
    },
    async create({ inputs, ...resource }) {
      const plain = inputs as unknown as Properties;
      const { ec2, made } = creatingEc2(ec2For(plain.region).region, resource, plain);
      const tags = tagged ? creationTags(spec.taggedAs, wantedTags(plain)) : {};
      const answer = await spec.create(ec2, inputs, tags);
      const { id, outputs: told } = typeof answer === "string" ? { id: answer, outputs: {} } : answer;
      try {
        await spec.complete?.(ec2, id, inputs, resource as unknown as Resource);
        return { id, outputs: await readBack(ec2, id, plain, told) };
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new PartialFailure(message, id, { ...plain, ...told });
      } finally {
        made();
      }
    },
    async read({ id: given, state, inputs }) {
      const ec2 = ec2For(state.region ?? inputs.region);
      const isImport = Object.keys(state).length === 0;
      const id = isImport && spec.importId ? await spec.importId(ec2, given) : given;
      if (id === undefined) return undefined;
      const found = await spec.read(ec2, id, { state, inputs });
      if (found === undefined) return undefined;
      const outputs = outputsOf(ec2, found);
      const answer = { id: found.id ?? id, outputs };
      return isImport
        ? { ...answer, inputs: importedInputs([...Object.keys(spec.inputs), "tags"], outputs) }
        : answer;
    },
    async update({ id, inputs, oldInputs, state, ...resource }) {
      const plain = inputs as unknown as Properties;
      const ec2 = ec2For(state.region ?? plain.region);
      // What the service picks is left alone where the program is silent.
      const managed = (name: string) => plain[name] !== undefined || !spec.inputs[name]?.computed;
      const changed = (name: string) => managed(name) && !equal(plain[name] ?? null, oldInputs[name] ?? null);
      await spec.update?.(ec2, { id, inputs, oldInputs, state, changed }, resource as unknown as Resource);
      if (tagged) {
        const change = tagChange(state, wantedTags(plain));
        await (spec.retag?.(ec2, state, change) ?? changeTags(ec2, String(id), change));
      }
      return readBack(ec2, id, plain, state);
    },
    async delete({ id, state }) {
      try {
        await spec.delete(ec2For(state.region), id, state);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
  });
}

/** On import the program's inputs are held against everything that is there, what the service picked included. */
function importedInputs(names: readonly string[], outputs: Properties): Properties {
  const known = names.filter((name) => {
    const value = outputs[name];
    return value === false || value === 0 || isSet(value);
  });
  return Object.fromEntries(known.map((name) => [name, outputs[name]]));
}

export function unsimulated(property: string): Failure {
  return { property, reason: `the local cloud does not simulate ${property}: leave it out of this stack` };
}

/** False and emptiness ask for nothing, so there is nothing to simulate. */
export function isSet(value: Value | undefined): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  return !(Array.isArray(value) && value.length === 0);
}

/** The resource's own tags over those of the provider. */
function wantedTags(inputs: Properties): TagMap {
  return { ...configuration.defaultTags, ...(inputs.tags as TagMap | undefined) };
}

function creationTags(
  type: string | undefined,
  tags: TagMap,
): { TagSpecifications?: object[]; Tags?: readonly ApiTag[] } {
  if (type !== undefined) return tagSpecifications(type, tags);
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return list.length === 0 ? {} : { Tags: list };
}

export function tagSpecifications(type: string, tags: TagMap): { TagSpecifications?: object[] } {
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return list.length === 0 ? {} : { TagSpecifications: [{ ResourceType: type, Tags: list }] };
}

/** `tagsAll` is what the API has; `tags` is that without what the provider's defaults put there. */
function tagOutputs(found: readonly ApiTag[]): Properties {
  const all = Object.fromEntries(found.map(({ Key, Value }) => [Key, Value]));
  const own = Object.entries(all).filter(([key, value]) => configuration.defaultTags[key] !== value);
  return { tags: Object.fromEntries(own), tagsAll: all };
}

/** A change of the provider's default tags changes resources whose own inputs stay. */
function defaultTagChanges(inputs: Properties, state: Properties, changes: readonly Change[]): Change[] {
  const all = state.tagsAll;
  const known = typeof all === "object" && all !== null && !Array.isArray(all);
  if (!known || changes.some((change) => change.path.startsWith("tags"))) return [];
  return equal(wantedTags(inputs), all) ? [] : [{ path: "tagsAll", kind: "update", replace: false }];
}

interface TagChange {
  readonly gone: readonly string[];
  readonly set: readonly ApiTag[];
}

function tagChange(state: Properties, wanted: TagMap): TagChange {
  const had = (state.tagsAll ?? {}) as TagMap;
  return {
    gone: Object.keys(had).filter((key) => !(key in wanted)),
    set: Object.entries(wanted)
      .filter(([key, value]) => had[key] !== value)
      .map(([Key, Value]) => ({ Key, Value })),
  };
}

async function changeTags(ec2: Ec2, id: string, { gone, set }: TagChange): Promise<void> {
  if (gone.length > 0) await ec2.call("DeleteTags", { Resources: [id], Tags: gone.map((Key) => ({ Key })) });
  if (set.length > 0) await ec2.call("CreateTags", { Resources: [id], Tags: set });
}

/** Only the properties that are there: EC2 takes an absent parameter otherwise than an empty one. */
export function given<T extends object>(properties: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(properties).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}

export function arn(ec2: Ec2, what: string, account: string): string {
  return `arn:aws:ec2:${ec2.region}:${account}:${what}`;
}
