import * as pulumi from "@pulumi/pulumi";
import { type Disk, shrinkRefusal } from "../plan/growth.ts";

/** Inputs or outputs of a resource, as the state has them. */
type Properties = Readonly<Record<string, unknown>>;

/**
 * Refuses a smaller disk before it is changed, in previews too; what is made anew may have any size.
 *
 * @param sizeOf a disk's size in GiB, where the resource has it
 */
export function refuseShrink(
  hookName: string,
  disk: Disk,
  sizeOf: (properties: Properties) => unknown,
): pulumi.ResourceHook {
  return new pulumi.ResourceHook(
    hookName,
    ({ oldOutputs = {}, newInputs = {} }) => {
      const refusal = shrinkRefusal(disk, sizeOf(oldOutputs), sizeOf(newInputs));
      if (refusal !== undefined) throw new Error(refusal);
    },
    { onDryRun: true },
  );
}
