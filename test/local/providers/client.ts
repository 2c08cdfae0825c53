/** Speaks to a stand-in provider as the engine does: over gRPC, with secrets and unknowns on the wire. */
import grpc from "@grpc/grpc-js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import type {
  CheckResponse,
  ConfigureResponse,
  CreateResponse,
  DiffResponse,
  InvokeResponse,
  ReadResponse,
  UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import statusMessages from "@pulumi/pulumi/proto/status_pb.js";
import emptyMessages from "google-protobuf/google/protobuf/empty_pb.js";
import structMessages, { type Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { listen, type Properties, type Provider } from "../../../local/providers/framework.ts";
import { fromWire, type Json, toWire } from "../../../local/providers/values.ts";

function struct(properties: Properties): Struct {
  return structMessages.Struct.fromJavaScript(toWire(properties) as { [key: string]: Json });
}

function properties(from: Struct | undefined): Properties {
  return (from ? fromWire(from.toJavaScript() as Json) : {}) as Properties;
}

/** An operation that the provider refused. */
export class Refused extends Error {
  readonly code: number;
  /** What an `ErrorResourceInitFailed` in the status keeps. */
  readonly kept: { id: string; properties: Properties } | undefined;
  constructor(error: grpc.ServiceError) {
    super(error.details);
    this.code = error.code;
    const [status] = error.metadata?.get("grpc-status-details-bin") ?? [];
    const [detail] = status ? statusMessages.Status.deserializeBinary(status as Buffer).getDetailsList() : [];
    if (detail) {
      const failed = messages.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
      this.kept = { id: failed.getId(), properties: properties(failed.getProperties()) };
    }
  }
}

export interface DetailedDiff {
  /** Path → `add`, `delete-replace`, `update`… */
  readonly changes: { readonly [path: string]: string };
  readonly deleteBeforeReplace: boolean;
}

export interface ProviderClient {
  check(
    type: string,
    news: Properties,
    olds?: Properties,
  ): Promise<{ inputs: Properties; failures: { property: string; reason: string }[] }>;
  diff(type: string, oldInputs: Properties, news: Properties, state?: Properties): Promise<DetailedDiff>;
  create(
    type: string,
    inputs: Properties,
    options?: { preview?: boolean },
  ): Promise<{ id: string; properties: Properties }>;
  read(
    type: string,
    id: string,
    state?: Properties,
    inputs?: Properties,
  ): Promise<{ id: string; properties: Properties; inputs: Properties }>;
  update(
    type: string,
    id: string,
    state: Properties,
    oldInputs: Properties,
    news: Properties,
    options?: { preview?: boolean },
  ): Promise<Properties>;
  delete(type: string, id: string, state: Properties): Promise<void>;
  invoke(token: string, args: Properties): Promise<{ result: Properties; failures: string[] }>;
  /** What the engine says when it is interrupted, and at the end of a preview. */
  cancel(): Promise<void>;
  close(): void;
}

const KINDS = ["add", "add-replace", "delete", "delete-replace", "update", "update-replace"];

/** Serves the provider in this process and connects to it; resources are called `thing`. */
export async function connect(provider: Provider): Promise<ProviderClient> {
  const { port, close } = await listen(provider, "");
  const client = new providerGrpc.ResourceProviderClient(
    `127.0.0.1:${port}`,
    grpc.credentials.createInsecure(),
    { "grpc.max_receive_message_length": -1 },
  );
  const urn = (type: string) => `urn:pulumi:test::project::${type}::thing`;
  const call = <Response>(
    start: (respond: (error: grpc.ServiceError | null, response: Response) => void) => unknown,
  ) =>
    new Promise<Response>((resolve, reject) => {
      start((error, response) => (error ? reject(new Refused(error)) : resolve(response)));
    });
  const configuration = new messages.ConfigureRequest();
  configuration.setAcceptsecrets(true);
  configuration.setArgs(struct({}));
  await call<ConfigureResponse>((respond) => client.configure(configuration, respond));
  return {
    async check(type, news, olds) {
      const request = new messages.CheckRequest();
      request.setUrn(urn(type));
      request.setNews(struct(news));
      if (olds) {
        request.setOlds(struct(olds));
      }
      const response = await call<CheckResponse>((respond) => client.check(request, respond));
      return {
        inputs: properties(response.getInputs()),
        failures: response
          .getFailuresList()
          .map((failure) => ({ property: failure.getProperty(), reason: failure.getReason() })),
      };
    },
    async diff(type, oldInputs, news, state = oldInputs) {
      const request = new messages.DiffRequest();
      request.setId("id");
      request.setUrn(urn(type));
      request.setOlds(struct(state));
      request.setOldInputs(struct(oldInputs));
      request.setNews(struct(news));
      const response = await call<DiffResponse>((respond) => client.diff(request, respond));
      return {
        changes: Object.fromEntries(
          response
            .getDetaileddiffMap()
            .toArray()
            .map(([path]) => [path, KINDS[response.getDetaileddiffMap().get(path)?.getKind() ?? 0] ?? ""]),
        ),
        deleteBeforeReplace: response.getDeletebeforereplace(),
      };
    },
    async create(type, inputs, { preview = false } = {}) {
      const request = new messages.CreateRequest();
      request.setUrn(urn(type));
      request.setProperties(struct(inputs));
      request.setPreview(preview);
      const response = await call<CreateResponse>((respond) => client.create(request, respond));
      return { id: response.getId(), properties: properties(response.getProperties()) };
    },
    async read(type, id, state = {}, inputs = {}) {
      const request = new messages.ReadRequest();
      request.setId(id);
      request.setUrn(urn(type));
      request.setProperties(struct(state));
      request.setInputs(struct(inputs));
      const response = await call<ReadResponse>((respond) => client.read(request, respond));
      return {
        id: response.getId(),
        properties: properties(response.getProperties()),
        inputs: properties(response.getInputs()),
      };
    },
    async update(type, id, state, oldInputs, news, { preview = false } = {}) {
      const request = new messages.UpdateRequest();
      request.setId(id);
      request.setUrn(urn(type));
      request.setOlds(struct(state));
      request.setOldInputs(struct(oldInputs));
      request.setNews(struct(news));
      request.setPreview(preview);
      const response = await call<UpdateResponse>((respond) => client.update(request, respond));
      return properties(response.getProperties());
    },
    async delete(type, id, state) {
      const request = new messages.DeleteRequest();
      request.setId(id);
      request.setUrn(urn(type));
      request.setProperties(struct(state));
      await call((respond) => client.delete(request, respond));
    },
    async invoke(token, args) {
      const request = new messages.InvokeRequest();
      request.setTok(token);
      request.setArgs(struct(args));
      const response = await call<InvokeResponse>((respond) => client.invoke(request, respond));
      return {
        result: properties(response.getReturn()),
        failures: response.getFailuresList().map((failure) => failure.getReason()),
      };
    },
    async cancel() {
      await call((respond) => client.cancel(new emptyMessages.Empty(), respond));
    },
    close() {
      client.close();
      close();
    },
  };
}
