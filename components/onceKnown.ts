import type * as pulumi from "@pulumi/pulumi";

/** An output's value, once there is one: in a preview of something new that is never. */
export function onceKnown<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => void output.apply(resolve as (value: unknown) => void));
}
