/**
 * A lean Pulumi provider: the gRPC service of `pulumi/provider.proto`, without `@pulumi/pulumi`'s runtime, so
 * that a plugin starts in about a tenth of a second.
 *
 * # How to write a provider
 *
 * ```ts
 * import { defineResource, type Provider } from "../framework.ts";
 *
 * interface EipInputs { domain?: "vpc"; instance?: string; tags?: Record<string, string> }
 *
 * const eip = defineResource<EipInputs>({
 *   inputs: {
 *     domain: { type: "string", oneOf: ["vpc"], replaceOnChange: true },
 *     instance: { type: "string", computed: true },
 *     tags: { type: "map", items: { type: "string" } },
 *   },
 *   outputs: { publicIp: {}, associationId: { changesWith: ["instance"] } },
 *   async create({ inputs }) {
 *     const address = await client.allocateAddress(inputs);
 *     return { id: address.allocationId, outputs: { publicIp: address.publicIp } };
 *   },
 *   async read({ id }) {
 *     const address = await client.find(id);
 *     return address && { id, outputs: { publicIp: address.publicIp, tags: address.tags } };
 *   },
 *   async update({ id, inputs }) { …; return { associationId } },
 *   async delete({ id }) { … },
 * });
 *
 * export const provider: Provider = {
 *   name: "aws", version: "7.48.0",
 *   resources: { "aws:ec2/eip:Eip": eip },
 *   functions: { "aws:ec2/getAmi:getAmi": { inputs: {…}, async invoke({ inputs }) { return {…}; } } },
 * };
 * ```
 * It stands in `local/providers/<name>/provider.ts`, where `main.ts` finds it.
 *
 * What the framework does, so that a provider need not:
 * - **Secrets.** Handlers get plain values. What was secret among the inputs is secret again, by its path,
 *   among the outputs of Check, Create, Update and Read. `secret: true` in the schema makes a property secret
 *   whoever sets it; an output may also be returned as `new Secret(value)`.
 * - **Outputs mirror inputs.** Handlers return what they know beyond the inputs; an input that is not returned
 *   is added as it was given. A returned property wins.
 * - **Previews.** `create` and `update` are called only in earnest. In a preview of a creation every property
 *   of `outputs`, and every `computed` input that is not given, is unknown. In a preview of an update those
 *   outputs are unknown whose `changesWith` names a property that changes (`"*"`: any).
 *   `previewCreate`/`previewUpdate` know better where that matters.
 * - **Check.** Unknown properties, missing required ones, wrong types, values out of `oneOf` and
 *   `conflictsWith` are refused with the bridged providers' sentences; strings that read as numbers or
 *   booleans are accepted where one is asked for, as there. Defaults are filled in. `check` then says what the
 *   schema cannot; it is called even when the schema found mistakes, and unknown values may be anywhere in what
 *   it gets.
 * - **Diff.** Old inputs against new ones, by path; `replaceOnChange` replaces. `diff` may change the outcome.
 *   A drift that Read finds is therefore seen when it comes back among the inputs, which is the default:
 *   after a `read` the inputs are what the outputs say for every property that the inputs had, or that the
 *   schema knows, is not `computed`, and is not empty.
 * - **Errors.** A thrown `Error` fails the operation with its message: write the service's code into it
 *   (`InvalidGroup.Duplicate: The security group 'mail' already exists…`). It reaches the user as it is, as an
 *   official plugin's does: what leaks there has to leak here. {@link PartialFailure} keeps a resource that was
 *   made but is not right: the next run updates it.
 * - Up to about eight requests run at the same time: a provider with a store of its own guards it.
 *
 * The process ends when its standard input does, because a killed engine leaves its plugins behind otherwise;
 * never on Cancel, which comes at every ordinary end.
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import grpc from "@grpc/grpc-js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import type {
  CheckFailure as CheckFailureMessage,
  CheckRequest,
  ConfigureRequest,
  CreateRequest,
  DeleteRequest,
  DiffRequest,
  InvokeRequest,
  ReadRequest,
  UpdateRequest,
} from "@pulumi/pulumi/proto/provider_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import emptyMessages from "google-protobuf/google/protobuf/empty_pb.js";
import structMessages, { type Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { checkProperties, markSecrets } from "./check.ts";
import { type Change, compareProperties, topLevel } from "./diff.ts";
import type { Failure, InputSchema, OutputSchema } from "./properties.ts";
import {
  fromWire,
  isList,
  isObject,
  type Json,
  type Properties,
  plainProperties,
  sealProperties,
  toWire,
  UNKNOWN,
  type Value,
} from "./values.ts";

export type { Change } from "./diff.ts";
export type { Failure, InputSchema, OutputSchema } from "./properties.ts";
export { containsUnknown, equal, type Properties, Secret, UNKNOWN, Unknown, type Value } from "./values.ts";

/** What every handler is told about its resource. */
export interface Resource {
  readonly urn: string;
  /** Token: `aws:ec2/eip:Eip`. */
  readonly type: string;
  /** The logical name in the program. */
  readonly name: string;
  /** Shows a line beside the resource while it is worked on (`info` stays in the log, `status` does not). */
  log(severity: "debug" | "status" | "info" | "warning" | "error", message: string): void;
  /** Aborted when the engine is interrupted. */
  readonly cancelled: AbortSignal;
}

/** A resource type: its schema and what is done with it. `I` is the shape of its inputs in earnest. */
export interface ResourceDefinition<I> {
  readonly inputs: { readonly [name: string]: InputSchema };
  /** Properties that are not inputs. */
  readonly outputs?: { readonly [name: string]: OutputSchema };
  /** On replacement the old one goes first. @default false */
  readonly deleteBeforeReplace?: boolean;
  /** What the schema cannot say. May hand back changed inputs. Values may be unknown. */
  check?(
    request: Resource & { readonly inputs: Properties; readonly oldInputs: Properties | undefined },
  ): CheckOutcome | undefined | Promise<CheckOutcome | undefined>;
  /** Corrects the outcome of comparing inputs. New values may be unknown. */
  diff?(
    request: Resource & {
      readonly id: string;
      readonly changes: readonly Change[];
      readonly inputs: Properties;
      readonly oldInputs: Properties;
      readonly state: Properties;
    },
  ): readonly Change[];
  create(request: Resource & { readonly inputs: I }): Promise<{ id: string; outputs: Properties }>;
  /** `undefined` where it does not exist. On import `state` is empty. */
  read(
    request: Resource & { readonly id: string; readonly state: Properties; readonly inputs: Properties },
  ): Promise<{ id: string; outputs: Properties; inputs?: Properties } | undefined>;
  /** Without it every change replaces. Answers the outputs that changed; the others stay. */
  update?(
    request: Resource & {
      readonly id: string;
      readonly inputs: I;
      readonly oldInputs: Properties;
      readonly state: Properties;
    },
  ): Promise<Properties>;
  /** What is gone already is deleted: no error. */
  delete(request: Resource & { readonly id: string; readonly state: Properties }): Promise<void>;
  /** Outputs of a creation that are known before it; the rest as by default. */
  previewCreate?(request: Resource & { readonly inputs: Properties }): Properties;
  /** Outputs of an update that are known, or unknown, other than by default. */
  previewUpdate?(
    request: Resource & {
      readonly inputs: Properties;
      readonly oldInputs: Properties;
      readonly state: Properties;
    },
  ): Properties;
}

export interface CheckOutcome {
  readonly inputs?: Properties;
  readonly failures?: readonly Failure[];
}

export interface FunctionDefinition {
  readonly inputs: { readonly [name: string]: InputSchema };
  /** Names of results that are always secret. */
  readonly secretOutputs?: readonly string[];
  invoke(request: { readonly inputs: Properties }): Promise<Properties>;
}

export interface Provider {
  readonly name: string;
  /** The SDK's version, without `v`. */
  readonly version: string;
  readonly resources: { readonly [token: string]: ResourceDefinition<Properties> };
  readonly functions?: { readonly [token: string]: FunctionDefinition };
  /** Properties of an explicit provider and of the stack's `<name>:` configuration. @default any */
  readonly configuration?: { readonly [name: string]: InputSchema };
  /** Called once, before any resource. Values that are not text arrive as JSON text, as the SDKs send them. */
  configure?(configuration: Properties): void | Promise<void>;
}

/** Gives a resource definition its place in a provider's table: its inputs were checked against the schema. */
export function defineResource<I>(definition: ResourceDefinition<I>): ResourceDefinition<Properties> {
  return definition as unknown as ResourceDefinition<Properties>;
}

/** The resource was made (or changed), but is not as it should be. It is kept, and the next run updates it. */
export class PartialFailure extends Error {
  readonly id: string;
  readonly outputs: Properties;
  constructor(message: string, id: string, outputs: Properties) {
    super(message);
    this.id = id;
    this.outputs = outputs;
  }
}

// ---------------------------------------------------------------------------------------------------------
// The service

function toProperties(struct: Struct | undefined): Properties {
  const value = struct ? fromWire(struct.toJavaScript() as Json) : {};
  return isObject(value) ? value : {};
}

function toStruct(properties: Properties): Struct {
  return structMessages.Struct.fromJavaScript(toWire(properties) as { [key: string]: Json });
}

/** `urn:pulumi:stack::project::parent$type::name` */
function parseUrn(urn: string): { type: string; name: string } {
  const parts = urn.split("::");
  const types = parts[2] ?? "";
  return { type: types.slice(types.lastIndexOf("$") + 1), name: parts.slice(3).join("::") };
}

/** An error that carries a gRPC status. */
class StatusError extends Error {
  readonly code: grpc.status;
  readonly metadata: grpc.Metadata | undefined;
  constructor(code: grpc.status, message: string, metadata?: grpc.Metadata) {
    super(message);
    this.code = code;
    this.metadata = metadata;
  }
}

type EngineLog = (severity: Parameters<Resource["log"]>[0], message: string, urn: string) => void;

/** Sends lines to the engine's display. Its client is loaded with the first line, for most providers have none. */
function engineLog(address: () => string): { log: EngineLog; flush: () => Promise<void> } {
  let last: Promise<unknown> = Promise.resolve();
  let client: Promise<(severity: string, message: string, urn: string) => Promise<void>> | undefined;
  const connect = async () => {
    const [{ default: engineGrpc }, { default: engineMessages }] = await Promise.all([
      import("@pulumi/pulumi/proto/engine_grpc_pb.js"),
      import("@pulumi/pulumi/proto/engine_pb.js"),
    ]);
    const connection = new engineGrpc.EngineClient(address(), grpc.credentials.createInsecure());
    const severities = engineMessages.LogSeverity;
    return (severity: string, message: string, urn: string) => {
      const request = new engineMessages.LogRequest();
      request.setSeverity(
        severity === "debug"
          ? severities.DEBUG
          : severity === "warning"
            ? severities.WARNING
            : severity === "error"
              ? severities.ERROR
              : severities.INFO,
      );
      request.setMessage(message);
      request.setUrn(urn);
      request.setEphemeral(severity === "status");
      return new Promise<void>((resolve) => {
        // A line that cannot be shown is no reason to fail what it is about.
        connection.log(request, () => resolve());
      });
    };
  };
  return {
    log(severity, message, urn) {
      if (address() !== "") {
        client ??= connect();
        const sender = client;
        last = last.then(() => sender).then((send) => send(severity, message, urn));
      }
    },
    flush: () => last.then(() => undefined),
  };
}

/** The handlers of `ResourceProvider` for a provider. */
function service(provider: Provider, engineAddress: string): grpc.UntypedServiceImplementation {
  let engine = engineAddress;
  const { log, flush } = engineLog(() => engine);
  /** Of what is at work now: see `cancel`. */
  let cancellation = new AbortController();

  function definitionOf(method: string, urn: string): [ResourceDefinition<Properties>, Resource] {
    const { type, name } = parseUrn(urn);
    const definition = Object.hasOwn(provider.resources, type) ? provider.resources[type] : undefined;
    if (!definition) {
      throw new StatusError(
        grpc.status.UNKNOWN,
        `unrecognized resource type (${method}): ${type}: ` +
          `the local stand-in of ${provider.name} knows ${Object.keys(provider.resources).join(", ")}`,
      );
    }
    return [
      definition,
      {
        urn,
        type,
        name,
        log: (severity, message) => log(severity, message, urn),
        cancelled: cancellation.signal,
      },
    ];
  }

  /** Adds the inputs that a handler did not return, and seals what is secret. */
  function complete(
    definition: ResourceDefinition<Properties>,
    outputs: Properties,
    inputs: Properties,
    state: Properties = {},
  ): Properties {
    const given = Object.fromEntries(Object.entries(inputs).filter(([key]) => !key.startsWith("__")));
    const merged = { ...given, ...outputs };
    return markSecrets(sealProperties(sealProperties(merged, inputs), state), {
      ...definition.outputs,
      ...definition.inputs,
    });
  }

  function changesOf(
    definition: ResourceDefinition<Properties>,
    request: Resource & { id: string; inputs: Properties; oldInputs: Properties; state: Properties },
  ): readonly Change[] {
    const found = compareProperties(
      request.oldInputs,
      request.inputs,
      definition.inputs,
      "",
      definition.update === undefined,
    );
    if (!definition.diff) {
      return found;
    }
    return definition.diff({
      ...request,
      changes: found,
      inputs: plainProperties(request.inputs),
      oldInputs: plainProperties(request.oldInputs),
      state: plainProperties(request.state),
    });
  }

  /** Runs a handler; what was half made is kept, and the log is out before its answer. */
  async function guarded<T>(
    definition: ResourceDefinition<Properties>,
    inputs: Properties,
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof PartialFailure) {
        const outputs = complete(definition, error.outputs, inputs);
        throw await initFailed(error.message, error.id, outputs, inputs);
      }
      if (error instanceof StatusError) throw error;
      throw new StatusError(grpc.status.UNKNOWN, error instanceof Error ? error.message : String(error));
    } finally {
      await flush();
    }
  }

  const handlers = {
    async handshake(): Promise<unknown> {
      const response = new messages.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      response.setAcceptResources(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    },

    async attach(request: { getAddress(): string }): Promise<unknown> {
      engine = request.getAddress();
      return new emptyMessages.Empty();
    },

    async getPluginInfo(): Promise<unknown> {
      const { default: pluginMessages } = await import("@pulumi/pulumi/proto/plugin_pb.js");
      const info = new pluginMessages.PluginInfo();
      info.setVersion(provider.version);
      return info;
    },

    async checkConfig(request: CheckRequest): Promise<unknown> {
      const news = toProperties(request.getNews());
      const failures: Failure[] = [];
      if (provider.configuration) {
        for (const key of Object.keys(news)) {
          if (!Object.hasOwn(provider.configuration, key) && key !== "version" && !key.startsWith("__")) {
            failures.push({ property: key, reason: `Invalid or unknown key. Examine values at '${key}'.` });
          }
        }
      }
      return checkResponse(news, failures);
    },

    async diffConfig(request: DiffRequest): Promise<unknown> {
      const changes = compareProperties(
        toProperties(request.getOldInputs() ?? request.getOlds()),
        toProperties(request.getNews()),
        provider.configuration,
        "",
        false,
      );
      return diffResponse(changes, false);
    },

    async configure(request: ConfigureRequest): Promise<unknown> {
      await provider.configure?.(plainProperties(toProperties(request.getArgs())));
      const response = new messages.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setAcceptresources(true);
      response.setSupportspreview(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    },

    async getSchema(): Promise<unknown> {
      const { schemaText } = await import("./schema.ts");
      const response = new messages.GetSchemaResponse();
      response.setSchema(schemaText(provider));
      return response;
    },

    async invoke(request: InvokeRequest): Promise<unknown> {
      const token = request.getTok();
      const definition =
        provider.functions && Object.hasOwn(provider.functions, token)
          ? provider.functions[token]
          : undefined;
      if (!definition) {
        throw new StatusError(grpc.status.UNKNOWN, `unrecognized function (Invoke): ${token}`);
      }
      const args = toProperties(request.getArgs());
      const failures: Failure[] = [];
      const inputs = checkProperties(args, definition.inputs, "", token, failures);
      const response = new messages.InvokeResponse();
      if (failures.length > 0) {
        response.setFailuresList(failures.map(failureMessage));
        return response;
      }
      let results: Properties;
      try {
        results = await definition.invoke({ inputs: plainProperties(inputs) });
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new StatusError(grpc.status.UNKNOWN, `invoking ${token}: ${message}`);
      }
      const secrets = Object.fromEntries(
        (definition.secretOutputs ?? []).map((name) => [name, { secret: true }]),
      );
      response.setReturn(toStruct(markSecrets(sealProperties(results, args), secrets)));
      return response;
    },

    async check(request: CheckRequest): Promise<unknown> {
      const [definition, resource] = definitionOf("Check", request.getUrn());
      const news = toProperties(request.getNews());
      const oldInputs = request.hasOlds() ? toProperties(request.getOlds()) : undefined;
      const failures: Failure[] = [];
      const checked: { [key: string]: Value | undefined } = {
        ...checkProperties(
          autonamed(definition, news, oldInputs, resource.name, request),
          definition.inputs,
          "",
          resource.name,
          failures,
        ),
      };
      return guarded(definition, checked, async () => {
        const outcome = await definition.check?.({
          ...resource,
          inputs: plainProperties(checked),
          oldInputs: oldInputs && plainProperties(oldInputs),
        });
        failures.push(...(outcome?.failures ?? []));
        const inputs = outcome?.inputs ? sealProperties(outcome.inputs, checked) : checked;
        return checkResponse(markSecrets(inputs, definition.inputs), failures);
      });
    },

    async diff(request: DiffRequest): Promise<unknown> {
      const [definition, resource] = definitionOf("Diff", request.getUrn());
      const changes = changesOf(definition, {
        ...resource,
        id: request.getId(),
        inputs: toProperties(request.getNews()),
        oldInputs: toProperties(request.getOldInputs() ?? request.getOlds()),
        state: toProperties(request.getOlds()),
      });
      return diffResponse(changes, definition.deleteBeforeReplace === true);
    },

    async create(request: CreateRequest): Promise<unknown> {
      const [definition, resource] = definitionOf("Create", request.getUrn());
      const inputs = toProperties(request.getProperties());
      const response = new messages.CreateResponse();
      if (request.getPreview()) {
        const unknowns = [
          ...Object.keys(definition.outputs ?? {}),
          ...Object.keys(definition.inputs).filter(
            (name) => definition.inputs[name]?.computed && inputs[name] === undefined,
          ),
        ];
        const outputs = {
          ...Object.fromEntries(unknowns.map((name) => [name, UNKNOWN])),
          ...definition.previewCreate?.({ ...resource, inputs: plainProperties(inputs) }),
        };
        response.setProperties(toStruct(complete(definition, outputs, inputs)));
        return response;
      }
      return guarded(definition, inputs, async () => {
        const { id, outputs } = await definition.create({ ...resource, inputs: plainProperties(inputs) });
        response.setId(id);
        response.setProperties(toStruct(complete(definition, outputs, inputs)));
        return response;
      });
    },

    async read(request: ReadRequest): Promise<unknown> {
      const [definition, resource] = definitionOf("Read", request.getUrn());
      const state = toProperties(request.getProperties());
      const inputs = toProperties(request.getInputs());
      return guarded(definition, inputs, async () => {
        const response = new messages.ReadResponse();
        const found = await definition.read({
          ...resource,
          id: request.getId(),
          state: plainProperties(state),
          inputs: plainProperties(inputs),
        });
        if (!found) {
          return response;
        }
        const outputs = complete(definition, found.outputs, inputs, state);
        response.setId(found.id);
        response.setProperties(toStruct(outputs));
        response.setInputs(
          toStruct(
            found.inputs
              ? markSecrets(sealProperties(sealProperties(found.inputs, inputs), state), definition.inputs)
              : readInputs(definition, outputs, inputs),
          ),
        );
        return response;
      });
    },

    async update(request: UpdateRequest): Promise<unknown> {
      const [definition, resource] = definitionOf("Update", request.getUrn());
      const inputs = toProperties(request.getNews());
      const state = toProperties(request.getOlds());
      const oldInputs = toProperties(request.getOldInputs() ?? request.getOlds());
      const response = new messages.UpdateResponse();
      // What the old state holds and the new inputs do not is either an output, which stays, or an input
      // that was taken back.
      const kept = Object.fromEntries(
        Object.entries(state).filter(
          ([name]) => !Object.hasOwn(definition.inputs, name) || definition.inputs[name]?.computed,
        ),
      );
      const plainRequest = {
        ...resource,
        id: request.getId(),
        inputs: plainProperties(inputs),
        oldInputs: plainProperties(oldInputs),
        state: plainProperties(state),
      };
      if (request.getPreview()) {
        const changes = changesOf(definition, { ...resource, id: request.getId(), inputs, oldInputs, state });
        const changed = new Set(changes.map((change) => topLevel(change.path)));
        const unknowns = Object.entries(definition.outputs ?? {})
          .filter(([, { changesWith }]) =>
            changesWith === "*" ? changed.size > 0 : changesWith?.some((name) => changed.has(name)),
          )
          .map(([name]) => [name, UNKNOWN]);
        const outputs = {
          ...kept,
          ...inputs,
          ...Object.fromEntries(unknowns),
          ...definition.previewUpdate?.(plainRequest),
        };
        response.setProperties(toStruct(complete(definition, outputs, inputs, state)));
        return response;
      }
      return guarded(definition, inputs, async () => {
        if (!definition.update) {
          throw new Error(`${resource.type} cannot be updated, only replaced`);
        }
        const outputs = {
          ...kept,
          ...inputs,
          ...(await definition.update(plainRequest)),
        };
        response.setProperties(toStruct(complete(definition, outputs, inputs, state)));
        return response;
      });
    },

    async delete(request: DeleteRequest): Promise<unknown> {
      const [definition, resource] = definitionOf("Delete", request.getUrn());
      const state = toProperties(request.getProperties());
      return guarded(definition, state, async () => {
        await definition.delete({ ...resource, id: request.getId(), state: plainProperties(state) });
        return new emptyMessages.Empty();
      });
    },

    async cancel(): Promise<unknown> {
      cancellation.abort();
      // The engine says this at the end of a preview, too, and then asks this same process for the update.
      cancellation = new AbortController();
      return new emptyMessages.Empty();
    },
  };

  const implementation: grpc.UntypedServiceImplementation = {};
  for (const [name, handler] of Object.entries(handlers)) {
    implementation[name] = unary(handler as (request: unknown) => Promise<unknown>);
  }
  return implementation;
}

/** Fills in the names that the service would ask for, keeping those that were given out before. */
function autonamed(
  definition: ResourceDefinition<Properties>,
  news: Properties,
  oldInputs: Properties | undefined,
  name: string,
  request: CheckRequest,
): Properties {
  const named: { [key: string]: Value | undefined } = { ...news };
  for (const [key, schema] of Object.entries(definition.inputs)) {
    if (schema.autoname && named[key] === undefined) {
      const seed = request.getRandomseed_asU8();
      const digits = Buffer.from(seed.length > 0 ? seed : randomBytes(4)).toString("hex");
      named[key] =
        oldInputs?.[key] ?? (request.getAutonaming()?.getProposedName() || `${name}-${digits.slice(0, 7)}`);
    }
  }
  return named;
}

/** See "Diff" above: what a Read found, as the inputs that would have made it. */
function readInputs(
  definition: ResourceDefinition<Properties>,
  outputs: Properties,
  inputs: Properties,
): Properties {
  const found: { [key: string]: Value | undefined } = {};
  for (const [name, schema] of Object.entries(definition.inputs)) {
    const value = outputs[name];
    const had = inputs[name] !== undefined;
    if (had || (!schema.computed && !isEmpty(value))) {
      found[name] = value;
    }
  }
  return found;
}

function isEmpty(value: Value | undefined): boolean {
  if (value === undefined || value === null || value === "" || value === false) {
    return true;
  }
  if (isList(value)) {
    return value.length === 0;
  }
  return isObject(value) && Object.keys(value).length === 0;
}

function failureMessage({ reason }: Failure): CheckFailureMessage {
  const message = new messages.CheckFailure();
  // With a property the engine prints its value, secrets in clear. The reason names the path.
  message.setReason(reason);
  return message;
}

function checkResponse(inputs: Properties, failures: readonly Failure[]): unknown {
  const response = new messages.CheckResponse();
  response.setInputs(toStruct(inputs));
  response.setFailuresList(failures.map(failureMessage));
  return response;
}

function diffResponse(changes: readonly Change[], deleteBeforeReplace: boolean): unknown {
  const response = new messages.DiffResponse();
  response.setChanges(
    changes.length > 0
      ? messages.DiffResponse.DiffChanges.DIFF_SOME
      : messages.DiffResponse.DiffChanges.DIFF_NONE,
  );
  response.setHasdetaileddiff(true);
  const kinds = messages.PropertyDiff.Kind;
  for (const { path, kind, replace } of changes) {
    const diff = new messages.PropertyDiff();
    diff.setInputdiff(true);
    switch (kind) {
      case "add":
        diff.setKind(replace ? kinds.ADD_REPLACE : kinds.ADD);
        break;
      case "delete":
        diff.setKind(replace ? kinds.DELETE_REPLACE : kinds.DELETE);
        break;
      case "update":
        diff.setKind(replace ? kinds.UPDATE_REPLACE : kinds.UPDATE);
        break;
    }
    response.getDetaileddiffMap().set(path, diff);
  }
  const properties = (of: readonly Change[]) => [...new Set(of.map((change) => topLevel(change.path)))];
  response.setDiffsList(properties(changes));
  response.setReplacesList(properties(changes.filter((change) => change.replace)));
  response.setDeletebeforereplace(deleteBeforeReplace && changes.some((change) => change.replace));
  return response;
}

/** The engine keeps the resource when the status carries `ErrorResourceInitFailed` (`pulumi/errors.proto`). */
async function initFailed(
  message: string,
  id: string,
  outputs: Properties,
  inputs: Properties,
): Promise<StatusError> {
  const [{ default: statusMessages }, { default: anyMessages }] = await Promise.all([
    import("@pulumi/pulumi/proto/status_pb.js"),
    import("google-protobuf/google/protobuf/any_pb.js"),
  ]);
  const detail = new messages.ErrorResourceInitFailed();
  detail.setId(id);
  detail.setProperties(toStruct(outputs));
  detail.setInputs(toStruct(inputs));
  detail.setReasonsList([message]);
  const any = new anyMessages.Any();
  any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statusMessages.Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(message);
  status.addDetails(any);
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return new StatusError(grpc.status.UNKNOWN, message, metadata);
}

function unary(handler: (request: unknown) => Promise<unknown>): grpc.handleUnaryCall<unknown, unknown> {
  return (call, respond) => {
    handler(call.request).then(
      (response) => respond(null, response),
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        const code = error instanceof StatusError ? error.code : grpc.status.UNKNOWN;
        const metadata = error instanceof StatusError ? error.metadata : undefined;
        respond(metadata ? { code, details: message, metadata } : { code, details: message });
      },
    );
  };
}

/**
 * Serves a provider on a loopback port of its own.
 * @param engineAddress the engine's gRPC address: a plugin's first argument. An engine that attaches says it then
 */
export async function listen(
  provider: Provider,
  engineAddress: string,
): Promise<{ readonly port: number; close(): void }> {
  const server = new grpc.Server({
    // The library's own limit is 4 MB; the engine's is 400 MB.
    "grpc.max_receive_message_length": 400 * 1024 * 1024,
    "grpc.max_send_message_length": 400 * 1024 * 1024,
  });
  server.addService(providerGrpc.ResourceProviderService, service(provider, engineAddress));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port, close: () => server.forceShutdown() };
}

/**
 * The life of a plugin's process, once it listens: says where on standard output, and ends with its standard input.
 */
export function serve(where: string): void {
  process.stdin.on("end", () => process.exit(0));
  process.stdin.on("error", () => process.exit(0));
  process.stdin.resume();
  process.stdout.write(`${where}\n`);
}
