import * as pulumi from "@pulumi/pulumi";
import { RandomString } from "@pulumi/random/randomString.js";
import { markOf } from "../plan/conflicts.ts";

/**
 * What the comments of this stack's records begin with. It is drawn once and lives in the state alone: the records of
 * another stack, and those that a lost state had made, carry another one and are foreign.
 */
export class RecordMark extends pulumi.ComponentResource {
  readonly text: pulumi.Output<string>;

  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:dns:RecordMark", name, {}, opts);
    const id = new RandomString(`${name}-id`, { length: 6, special: false, upper: false }, { parent: this });
    this.text = id.result.apply(markOf);
    this.registerOutputs({});
  }
}
