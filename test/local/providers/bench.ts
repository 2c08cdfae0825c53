import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { provider } from "../../../local/providers/aws/provider.ts";
import type { Properties } from "../../../local/providers/framework.ts";
import { type FakeCloud, startFakeCloud } from "../fake-cloud.ts";
import { connect, type ProviderClient } from "./client.ts";

process.env.AWS_REGION = "eu-central-1";

export interface Made {
  readonly id: string;
  readonly inputs: Properties;
  readonly state: Properties;
}

/** What the engine does with a provider, step by step, over the fake cloud. */
export interface Bench extends FakeCloud {
  readonly client: ProviderClient;
  /** Check and create. */
  make(type: string, inputs: Properties): Promise<Made>;
  /** What is wrong with inputs, each reason. */
  mistakes(type: string, inputs: Properties): Promise<string[]>;
  /** What the next `up` would change, and what replaces. */
  changes(type: string, made: Made, news: Properties): Promise<Record<string, string>>;
  /** Reads it again, as `refresh` does, and says what `up` would then put right. */
  refresh(type: string, made: Made): Promise<Record<string, string> | "gone">;
  update(type: string, made: Made, news: Properties): Promise<Made>;
  call(action: string, parameters: object): Promise<unknown>;
}

export async function bench(context: TestContext): Promise<Bench> {
  const cloud = await startFakeCloud(context);
  const client = await connect(provider);
  context.after(() => client.close());
  const self: Bench = {
    ...cloud,
    client,
    async make(type, given) {
      const { inputs, failures } = await client.check(type, given);
      assert.deepEqual(failures, []);
      const { id, properties } = await client.create(type, inputs);
      return { id, inputs, state: properties };
    },
    async mistakes(type, given) {
      return (await client.check(type, given)).failures.map((failure) => failure.reason);
    },
    async changes(type, made, news) {
      const { inputs, failures } = await client.check(type, news, made.inputs);
      assert.deepEqual(failures, []);
      return { ...(await client.diff(type, made.inputs, inputs, made.state)).changes };
    },
    async refresh(type, made) {
      const found = await client.read(type, made.id, made.state, made.inputs);
      if (found.id === "") return "gone";
      return { ...(await client.diff(type, found.inputs, made.inputs, found.properties)).changes };
    },
    async update(type, made, news) {
      const { inputs, failures } = await client.check(type, news, made.inputs);
      assert.deepEqual(failures, []);
      const state = await client.update(type, made.id, made.state, made.inputs, inputs);
      return { id: made.id, inputs, state };
    },
    call: (action, parameters) => cloud.aws.handle(action, parameters),
  };
  return self;
}
