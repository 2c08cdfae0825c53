import type { StackOutputs } from "../local/stack.ts";
import { Failure } from "./failure.ts";
import type { Place } from "./stackFile/change.ts";

/** What a stack's last `up` has told, secrets in clear; nothing where there was none yet. */
export async function outputsOf(place: Place): Promise<Partial<StackOutputs>> {
  const { pulumi } = await place.engine();
  return JSON.parse(
    await pulumi(["stack", "output", "--json", "--show-secrets", "--stack", place.stack]),
  ) as Partial<StackOutputs>;
}

/** The same of a stack that has a host. @throws Failure where it has none */
export async function outputsOfHost(place: Place): Promise<StackOutputs> {
  const outputs = await outputsOf(place);
  if (outputs.ssh === undefined) {
    throw new Failure(`The stack ${place.stack} has no host yet: bring it up first.`);
  }
  return outputs as StackOutputs;
}
