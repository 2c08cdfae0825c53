import { Volume } from "@pulumi/aws/ebs/volume.js";
import { Eip } from "@pulumi/aws/ec2/eip.js";
import { EipAssociation } from "@pulumi/aws/ec2/eipAssociation.js";
import { getAmiOutput } from "@pulumi/aws/ec2/getAmi.js";
import { Instance } from "@pulumi/aws/ec2/instance.js";
import { VolumeAttachment } from "@pulumi/aws/ec2/volumeAttachment.js";
import * as pulumi from "@pulumi/pulumi";
import { userData } from "../plan/userData.ts";
import type { Settings } from "../settings/types.ts";
import type { SshKeys } from "./keys.ts";
import type { Network } from "./network.ts";
import { tags } from "./tags.ts";

/** Debian's own account in AWS (wiki.debian.org/Cloud/AmazonEC2Image). */
const DEBIAN_OWNER = "136693071363";

export interface ServerArgs {
  readonly settings: Settings;
  readonly network: Network;
  readonly securityGroupId: pulumi.Input<string>;
  readonly keys: SshKeys;
}

/** The machine, its address and its data volume. The last two outlive it. */
export class Server extends pulumi.ComponentResource {
  readonly instance: Instance;
  readonly address: Eip;
  readonly volume: Volume;
  /** Unset without `network.ipv6`. */
  readonly publicIpv6: pulumi.Output<string>;
  /** What has to be in place before somebody logs in: address and volume are with the machine. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: ServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:server:Server", name, {}, opts);
    const { server, network, hostname } = args.settings;
    const child = { parent: this };
    // What was imported, after a destroy or a lost state, has no parent in the state.
    const adoptable = { ...child, protect: true, aliases: [{ parent: pulumi.rootStackResource }] };

    this.address = new Eip(`${name}-address`, { domain: "vpc", tags: tags(name) }, adoptable);
    this.volume = new Volume(
      `${name}-data`,
      {
        availabilityZone: args.network.availabilityZone,
        type: "gp3",
        size: server.dataSize,
        encrypted: true,
        tags: tags(`${name}-data`),
      },
      // A volume cannot leave its zone: another subnet must never ask for a new, empty one.
      { ...adoptable, retainOnDelete: true, ignoreChanges: ["availabilityZone"] },
    );
    const image = getAmiOutput(
      {
        owners: [DEBIAN_OWNER],
        mostRecent: true,
        filters: [
          { name: "name", values: [`debian-13-${server.architecture}-*`] },
          { name: "architecture", values: [server.architecture === "amd64" ? "x86_64" : "arm64"] },
        ],
      },
      child,
    );
    this.instance = new Instance(
      `${name}-instance`,
      {
        ami: image.id,
        instanceType: server.instanceType,
        subnetId: args.network.subnetId,
        vpcSecurityGroupIds: [args.securityGroupId],
        ...(network.ipv6 && { ipv6AddressCount: 1 }),
        // Hop limit 1: only the host itself reaches the metadata service, nothing that it forwards for.
        metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
        rootBlockDevice: { volumeType: "gp3", volumeSize: server.rootSize, encrypted: true },
        userData: pulumi.secret(
          pulumi
            .all([
              args.keys.login.publicKeyOpenssh,
              args.keys.bootstrap.privateKeyOpenssh,
              args.keys.bootstrap.publicKeyOpenssh,
            ])
            .apply(([loginKey, hostKey, hostPublicKey]) =>
              userData({ hostname, loginKey, hostKey, hostPublicKey }),
            ),
        ),
        tags: tags(name),
      },
      {
        ...child,
        // A newer image or first-boot text is for the next machine: it never replaces or stops a running one.
        ignoreChanges: ["ami", "userData"],
        // The volume can be attached to one machine only.
        deleteBeforeReplace: true,
      },
    );
    const attachment = new VolumeAttachment(
      `${name}-data-attachment`,
      {
        instanceId: this.instance.id,
        volumeId: this.volume.id,
        deviceName: "/dev/sdf",
        // Stopping unmounts: a volume is never torn from a running machine.
        stopInstanceBeforeDetaching: true,
      },
      { ...child, deleteBeforeReplace: true },
    );
    const association = new EipAssociation(
      `${name}-address-association`,
      { allocationId: this.address.id, instanceId: this.instance.id },
      { ...child, deleteBeforeReplace: true },
    );
    this.publicIpv6 = this.instance.ipv6Addresses.apply(([first]) => first ?? "");
    this.ready = [this.instance, attachment, association];
    this.registerOutputs({ publicIp: this.address.publicIp });
  }
}
