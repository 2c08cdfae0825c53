import { createPublicKey } from "node:crypto";
import { at, recordsOf } from "../records.ts";
import { type ResourceRule, type StackRule, valueAt } from "../rule.ts";

/** Bits of RSA that every receiver takes (RFC 8301 section 3.2). */
const least = 2048;

export const dkimKeys: ResourceRule = {
  name: "rsa-keys-long",
  description: `RSA keys have ${least} bits at least.`,
  type: "tls:index/privateKey:PrivateKey",
  judge: ({ properties }) => {
    const bits = valueAt(properties, "rsaBits");
    return valueAt(properties, "algorithm") === "RSA" && typeof bits === "number" && bits < least
      ? [`The RSA key has ${bits} bits, which can be broken. Set rsaBits to ${least}.`]
      : [];
  },
};

export const dkimRecords: StackRule = {
  name: "dkim-keys-long",
  description: `DKIM's RSA keys have ${least} bits at least.`,
  judgeStack: (resources) =>
    recordsOf(resources).flatMap((record) => {
      const { name, type, content = "" } = record;
      const bits = type === "TXT" && name.includes("._domainkey.") ? bitsOf(content) : undefined;
      return bits === undefined || bits >= least
        ? []
        : [
            {
              ...at(record),
              text: `The DKIM key at ${name} has ${bits} bits: receivers take its signatures for none, or somebody breaks it. Let the next key take its turn (mailhost:dkim), and this record go.`,
            },
          ];
    }),
};

/** Of an RSA key in a DKIM record (RFC 6376 section 3.6.1); undefined of any other, of a void one, and of what is no key. */
function bitsOf(text: string): number | undefined {
  const tag = (name: string) => new RegExp(`(?:^|;)\\s*${name}\\s*=\\s*([^;]*)`).exec(text)?.[1]?.trim();
  const p = tag("p");
  if ((tag("k") ?? "rsa") !== "rsa" || p === undefined || p === "") return undefined;
  try {
    return createPublicKey({
      key: Buffer.from(p.replaceAll(/\s/g, ""), "base64"),
      format: "der",
      type: "spki",
    }).asymmetricKeyDetails?.modulusLength;
  } catch {
    return undefined;
  }
}
