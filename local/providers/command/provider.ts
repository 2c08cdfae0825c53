/**
 * The command provider, version 1.2: commands on a host over SSH, as the official one runs them
 * (https://www.pulumi.com/registry/packages/command/api-docs/remote/command/), and on this machine.
 */
import { randomBytes } from "node:crypto";
import {
  defineResource,
  type InputSchema,
  type Properties,
  type Provider,
  type Resource,
} from "../framework.ts";
import { type LocalInputs, runLocally } from "./local.ts";
import type { RunInputs, RunOutputs, run as runCommand } from "./run.ts";

/** SSH is loaded with the first command: most runs of the provider have none to run. */
const run: typeof runCommand = async (...args) => (await import("./run.ts")).run(...args);

interface Commands {
  readonly create?: string;
  /** Instead of `create` where the inputs of a command that ran before change. */
  readonly update?: string;
  readonly delete?: string;
}

const ENDPOINT: { readonly [name: string]: InputSchema } = {
  host: { type: "string", required: true },
  port: { type: "number", default: 22 },
  user: { type: "string", default: "root" },
  password: { type: "string", secret: true },
  privateKey: { type: "string", secret: true },
  privateKeyPassword: { type: "string", secret: true },
  agentSocketPath: { type: "string" },
  hostKey: { type: "string" },
  dialErrorLimit: { type: "integer", default: 10 },
  perDialTimeout: { type: "integer", default: 15 },
};

function outputsOf(state: Properties): RunOutputs {
  return { stdout: String(state.stdout ?? ""), stderr: String(state.stderr ?? "") };
}

/** What runs a command: over SSH, or here. */
type Runner<Inputs> = (
  command: string,
  inputs: Inputs,
  previous: RunOutputs,
  resource: Resource,
) => Promise<RunOutputs>;

function commandResource<Inputs>(run: Runner<Inputs>, more: { readonly [name: string]: InputSchema }) {
  return defineResource<Inputs & Commands>({
    inputs: {
      ...more,
      create: { type: "string" },
      update: { type: "string" },
      delete: { type: "string" },
      stdin: { type: "string" },
      triggers: { type: "list", replaceOnChange: true },
      environment: { type: "map", items: { type: "string" } },
      logging: { type: "string", oneOf: ["stdout", "stderr", "stdoutAndStderr", "none"] },
      addPreviousOutputInEnv: { type: "boolean" },
    },
    outputs: { stdout: { changesWith: "*" }, stderr: { changesWith: "*" } },
    async create({ inputs, ...resource }) {
      const outputs =
        inputs.create === undefined
          ? outputsOf({})
          : await run(inputs.create, inputs, outputsOf({}), resource);
      return { id: `${resource.name}${randomBytes(4).toString("hex")}`, outputs };
    },
    async read({ id, state, inputs }) {
      return Object.keys(state).length > 0 ? { id, outputs: state, inputs } : undefined;
    },
    async update({ inputs, state, ...resource }) {
      const text = inputs.update ?? inputs.create;
      return text === undefined ? outputsOf(state) : run(text, inputs, outputsOf(state), resource);
    },
    async delete({ state, ...resource }) {
      const inputs = state as unknown as Inputs & Commands;
      if (inputs.delete !== undefined) {
        await run(inputs.delete, inputs, outputsOf(state), resource);
      }
    },
  });
}

const remoteCommand = commandResource<RunInputs>(run, {
  connection: {
    type: "object",
    required: true,
    secret: true,
    properties: { ...ENDPOINT, proxy: { type: "object", properties: ENDPOINT } },
  },
});

const localCommand = commandResource<LocalInputs>(runLocally, {
  dir: { type: "string" },
  interpreter: { type: "list", items: { type: "string" } },
});

export const provider: Provider = {
  name: "command",
  version: "1.2.1",
  resources: { "command:local:Command": localCommand, "command:remote:Command": remoteCommand },
};
