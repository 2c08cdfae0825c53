import * as pulumi from "@pulumi/pulumi";
import type { FactName, Secrets } from "../plan/types.ts";
import type { PublicKeys } from "./keys.ts";
import type { Server } from "./server.ts";

/** What the plan's functions are told once it is known, each fact apart. */
export type FactOutputs = (name: FactName) => pulumi.Output<string>;

/** @param acmeAccount asked for only where a record needs it: it is made after the host */
export function hostFacts(
  server: Server,
  keys: PublicKeys,
  acmeAccount: () => pulumi.Output<string>,
): FactOutputs {
  return (name) => {
    if (name === "acmeAccount") return acmeAccount();
    if (name === "publicIpv4") return server.address.publicIp;
    if (name === "publicIpv6") return server.publicIpv6;
    const key = keys[name];
    if (key === undefined) throw new pulumi.RunError(`The plan has no key ${name}.`);
    return key;
  };
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
        needs.has("tlsKeys") ? outputs.tlsKeys : none,
        needs.has("passwordHashes") ? outputs.passwordHashes : none,
        needs.has("generated") ? outputs.generated : none,
        needs.has("ses") ? outputs.ses : none,
      ])
      .apply(([dkimPrivateKeys, tlsKeys, passwordHashes, generated, ses]) => ({
        dkimPrivateKeys,
        tlsKeys,
        passwordHashes,
        generated,
        ses,
      })),
  );
}
