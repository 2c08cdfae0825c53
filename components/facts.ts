import * as pulumi from "@pulumi/pulumi";
import type { Facts, Secrets } from "../plan/types.ts";
import type { Accounts } from "./accounts.ts";
import type { DkimKeys } from "./keys.ts";
import type { Server } from "./server.ts";

/** What the plan's functions are told once it is known. */
export function hostFacts(server: Server, dkim: DkimKeys): pulumi.Output<Facts> {
  return pulumi
    .all([server.address.publicIp, server.publicIpv6, dkim.publicKeys])
    .apply(([publicIpv4, publicIpv6, dkimPublicKeys]) => ({
      publicIpv4,
      ...(publicIpv6 !== undefined && { publicIpv6 }),
      dkimPublicKeys,
    }));
}

/** What goes into the host's secret files. Secret. */
export function hostSecrets(dkim: DkimKeys, accounts: Accounts): pulumi.Output<Secrets> {
  return pulumi
    .all([dkim.privateKeys, accounts.passwordHashes])
    .apply(([dkimPrivateKeys, passwordHashes]) => ({ dkimPrivateKeys, passwordHashes }));
}
