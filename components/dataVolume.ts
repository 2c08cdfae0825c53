import { Volume } from "@pulumi/aws/ebs/volume.js";
import * as pulumi from "@pulumi/pulumi";
import { dataDisk } from "../plan/growth.ts";
import { refuseShrink } from "./shrink.ts";
import { tags } from "./tags.ts";

export interface DataVolumeArgs {
  /** GiB. */
  readonly size: number;
  /** Availability zone of a new one; one that is there stays where it is. */
  readonly zone: string;
}

/**
 * The disk that outlives every machine. It comes before the network, which is made where the disk is: a volume
 * that was kept, or imported, brings its zone along.
 */
export class DataVolume extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;
  readonly size: pulumi.Output<number>;
  /** The zone that it is in, which is not always the one that was asked for. */
  readonly availabilityZone: pulumi.Output<string>;

  constructor(name: string, args: DataVolumeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:server:DataVolume", name, {}, opts);
    const volume = new Volume(
      name,
      {
        availabilityZone: args.zone,
        type: "gp3",
        size: args.size,
        encrypted: true,
        tags: tags(name),
      },
      {
        parent: this,
        protect: true,
        retainOnDelete: true,
        // A volume cannot leave its zone: another answer of AWS must never ask for a new, empty one.
        ignoreChanges: ["availabilityZone"],
        hooks: { beforeUpdate: [refuseShrink(`${name}-refuse-smaller`, dataDisk, ({ size }) => size)] },
        aliases: [
          // What was imported, after a destroy or a lost state, has no parent in the state.
          { parent: pulumi.rootStackResource },
          // Where it was before 2026-11-21.
          { parent: pulumi.createUrn("server", "mailhost:server:Server") },
        ],
      },
    );
    this.id = volume.id;
    this.size = volume.size;
    this.availabilityZone = volume.availabilityZone;
    this.registerOutputs({});
  }
}
