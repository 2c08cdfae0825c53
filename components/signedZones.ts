import { ZoneDnssec } from "@pulumi/cloudflare/zoneDnssec.js";
import * as pulumi from "@pulumi/pulumi";
import type { CloudflareZones } from "./dns/cloudflare.ts";

export interface SignedZonesArgs {
  readonly zones: CloudflareZones;
  /** Names of those to be signed. */
  readonly names: readonly string[];
}

/** Zones that Cloudflare signs (DNSSEC). */
export class SignedZones extends pulumi.ComponentResource {
  /** The DS record that the registrar has to have, by zone. */
  readonly ds: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: SignedZonesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:dns:SignedZones", name, {}, opts);
    this.ds = Object.fromEntries(
      args.names.map((zone) => {
        const zoneId = args.zones.get(zone)?.id;
        if (zoneId === undefined) throw new pulumi.ResourceError(`No zone ${zone}`, this);
        const signed = new ZoneDnssec(
          `${name}-${zone}`,
          { zoneId, status: "active" },
          // Nobody but the owner knows whether a DS record at the registrar still asks for signatures. Until it is there
          // Cloudflare calls the zone `pending`, which a refresh would show as a change.
          { parent: this, retainOnDelete: true, ignoreChanges: ["status"] },
        );
        return [zone, signed.ds];
      }),
    );
    this.registerOutputs({});
  }
}
