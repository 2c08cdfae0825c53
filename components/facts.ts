import * as pulumi from "@pulumi/pulumi";
import type { Facts, Secrets } from "../plan/types.ts";
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

/** What goes into the host's secret files, each kind apart: a new mailbox's password is no news to DKIM. */
export type SecretOutputs = { readonly [Kind in keyof Secrets]: pulumi.Output<Secrets[Kind]> };

/** The secrets of the kinds that are needed; of the others there are none. Secret. */
export function secretsOf(outputs: SecretOutputs, needs: ReadonlySet<keyof Secrets>): pulumi.Output<Secrets> {
  const none = pulumi.output<Record<string, string>>({});
  return pulumi.secret(
    pulumi
      .all([
        needs.has("dkimPrivateKeys") ? outputs.dkimPrivateKeys : none,
        needs.has("passwordHashes") ? outputs.passwordHashes : none,
      ])
      .apply(([dkimPrivateKeys, passwordHashes]) => ({ dkimPrivateKeys, passwordHashes })),
  );
}
