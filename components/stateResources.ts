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
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { outputs } = (await pulumi.runtime
    .invoke("pulumi:pulumi:readStackResourceOutputs", { stackName })
    .catch((error: Error) => {
      throw new pulumi.RunError(
        `The stack's own records cannot be read, and they say ${why}: ${reasonOf(error)}. Nothing was touched.`,
      );
    })) as {
    readonly outputs: Readonly<Record<string, Pick<StateResource, "type"> & Partial<StateResource>>>;
  };
  return Object.entries(outputs).map(([urn, { type, outputs = {} }]) => ({
    name: urn.slice(urn.lastIndexOf("::") + 1).replace(/^:/, ""),
    type,
    outputs,
  }));
}
