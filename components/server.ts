import { Eip } from "@pulumi/aws/ec2/eip.js";
import { EipAssociation } from "@pulumi/aws/ec2/eipAssociation.js";
import { getAmiOutput } from "@pulumi/aws/ec2/getAmi.js";
import { Instance } from "@pulumi/aws/ec2/instance.js";
import { VolumeAttachment } from "@pulumi/aws/ec2/volumeAttachment.js";
import * as pulumi from "@pulumi/pulumi";
import { rootDisk } from "../plan/growth.ts";
import { userData } from "../plan/userData.ts";
import type { Settings } from "../settings/types.ts";
import type { DataVolume } from "./dataVolume.ts";
import type { SshKeys } from "./keys.ts";
import type { Network } from "./network.ts";
import { refuseShrink } from "./shrink.ts";
import { tags } from "./tags.ts";
import { checkZone } from "./zone.ts";

/** Debian's own account in AWS (wiki.debian.org/Cloud/AmazonEC2Image). */
const DEBIAN_OWNER = "136693071363";

export interface ServerArgs {
  readonly settings: Settings;
  readonly network: Network;
  readonly volume: DataVolume;
  /** Availability zones that have machines of the type. */
  readonly offering: readonly string[];
  readonly securityGroupId: pulumi.Input<string>;
  readonly keys: SshKeys;
}

/** The machine, with its data volume, and its address, which outlives it. */
export class Server extends pulumi.ComponentResource {
  readonly instance: Instance;
  readonly address: Eip;
  readonly volume: DataVolume;
  /** Unset without `network.ipv6`. */
  readonly publicIpv6: pulumi.Output<string>;
  /** What has to be in place before somebody logs in: address and volume are with the machine. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: ServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:server:Server", name, {}, opts);
    const { server, network, hostname } = args.settings;
    const child = { parent: this };

    this.address = new Eip(
      `${name}-address`,
      { domain: "vpc", tags: tags(name) },
      // What was imported, after a destroy or a lost state, has no parent in the state.
      { ...child, protect: true, aliases: [{ parent: pulumi.rootStackResource }] },
    );
    this.volume = args.volume;
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
    const fits = fitsItsZone(`${name}-fits-its-zone`, args);
    const noSmallerRoot = refuseShrink(`${name}-refuse-smaller-root`, rootDisk, rootSizeOf);
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
        // A newer image or first-boot text never replaces or stops a running machine. The next one has the newest, be it made
        // because that one is gone or because it does not fit any more (its architecture, its subnet). Only a replacement that
        // nothing but `--replace` asks for has what the old one had: there Pulumi holds on to what it is told to ignore.
        ignoreChanges: ["ami", "userData"],
        hooks: { beforeCreate: [fits], beforeUpdate: [fits, noSmallerRoot] },
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

/**
 * Runs before the machine is made or changed, in previews too. The zone was chosen for the type of that day: another
 * type is refused before the machine is stopped for it.
 */
function fitsItsZone(
  hookName: string,
  { settings, network, volume, offering }: ServerArgs,
): pulumi.ResourceHook {
  let zones: { readonly subnet: string; readonly volume: string } | undefined;
  pulumi.all([network.availabilityZone, volume.availabilityZone]).apply(([ofSubnet, ofVolume]) => {
    zones = { subnet: ofSubnet, volume: ofVolume };
  });
  return new pulumi.ResourceHook(
    hookName,
    () => {
      // In a preview of what is not there yet, nobody knows.
      if (zones !== undefined) checkZone(settings.server.instanceType, offering, zones);
    },
    { onDryRun: true },
  );
}

function rootSizeOf(properties: Readonly<Record<string, unknown>>): unknown {
  return (properties.rootBlockDevice as { readonly volumeSize?: unknown } | undefined)?.volumeSize;
}
