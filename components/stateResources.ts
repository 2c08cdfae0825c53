import * as pulumi from "@pulumi/pulumi";
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

/** The stack's outputs of the last whole `up`; none before the first. @param why as that of {@link stateResources} @throws as it does */
export function stackOutputsBefore(why: string): Promise<Readonly<Record<string, unknown>>> {
  return fromState(["readStackOutputs", "name"], "outputs", why);
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
