import * as pulumi from "@pulumi/pulumi";
import type { FactName, Known, Secrets } from "../plan/types.ts";
import type { Settings } from "../settings/types.ts";
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

/** The same facts together, but for the host's account at its authority, which is asked for when the host is made. */
export function knownOf(
  { network }: Settings,
  server: Server,
  keys: PublicKeys,
  ds: Readonly<Record<string, pulumi.Output<string>>>,
): pulumi.Output<Known> {
  return pulumi
    .all([
      server.address.publicIp,
      network.ipv6 ? server.publicIpv6 : undefined,
      pulumi.all(keys),
      pulumi.all(ds),
    ])
    .apply(([publicIpv4, publicIpv6, publicKeys, ds]) => ({
      stack: pulumi.getStack(),
      facts: { publicIpv4, ...(publicIpv6 === undefined ? {} : { publicIpv6 }), publicKeys },
      ds,
    }));
}

/** What goes into the host's secret files, each kind apart: a new mailbox's password is no news to DKIM. */
export type SecretOutputs = { readonly [Kind in keyof Secrets]: pulumi.Output<Secrets[Kind]> };

const nothingKnown: Known = { stack: "", facts: { publicIpv4: "", publicKeys: {} }, ds: {} };

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
        needs.has("known") ? outputs.known : pulumi.output(nothingKnown),
      ])
      .apply(([dkimPrivateKeys, tlsKeys, passwordHashes, generated, ses, known]) => ({
        dkimPrivateKeys,
        tlsKeys,
        passwordHashes,
        generated,
        ses,
        known,
      })),
  );
}
