import * as pulumi from "@pulumi/pulumi";
import { isUnknown } from "@pulumi/pulumi/output.js";
import { reasonOf } from "./reason.ts";

/** A resource as the last run has left it. */
export interface StateResource {
  /** Without those that it lies in. */
  readonly name: string;
  /** Its token. */
  readonly type: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/**
 * What the last runs have made, also one that died before it wrote its outputs down.
 *
 * @param why what cannot be known without it, as a sentence's end
 * @throws pulumi.RunError where the engine does not show it
 */
export async function stateResources(why: string): Promise<readonly StateResource[]> {
  const outputs = await fromState<Pick<StateResource, "type"> & Partial<StateResource>>(
    ["readStackResourceOutputs", "stackName"],
    "records",
    why,
  );
  return Object.entries(outputs).map(([urn, { type, outputs = {} }]) => ({
    name: urn.slice(urn.lastIndexOf("::") + 1).replace(/^:/, ""),
    type,
    outputs,
  }));
}

/**
 * The stack's outputs of the last `up`; none before the first. Where that was of some resources alone (`--target`), what only others
 * could have said is left out, however deep it stands.
 *
 * @param why as that of {@link stateResources} @throws as it does
 */
export async function stackOutputsBefore(why: string): Promise<Readonly<Record<string, unknown>>> {
  const outputs = await fromState(["readStackOutputs", "name"], "outputs", why);
  return known(outputs) as Readonly<Record<string, unknown>>;
}

function known(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((entry) => !isUnknown(entry)).map(known);
  if (typeof value !== "object" || value === null || pulumi.Output.isInstance(value)) return value;
  const entries = Object.entries(value).filter(([, inner]) => !isUnknown(inner));
  return Object.fromEntries(entries.map(([key, inner]) => [key, known(inner)]));
}

/** @param question one of the engine's own functions, and what that calls the stack's whole name. @param what it is asked for, in words */
async function fromState<T>(
  [question, key]: readonly [question: string, key: string],
  what: string,
  why: string,
): Promise<Readonly<Record<string, T>>> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  try {
    const { outputs } = (await pulumi.runtime.invoke(`pulumi:pulumi:${question}`, { [key]: name })) as {
      readonly outputs?: Readonly<Record<string, T>>;
    };
    return outputs ?? {};
  } catch (error) {
    throw new pulumi.RunError(
      `The stack's own ${what} cannot be read, and they say ${why}: ${reasonOf(error as Error)}. Nothing was touched.`,
    );
  }
}
