import { createHash } from "node:crypto";
import { z } from "zod";
import { type DnsChoice, hasWorkers } from "../plan/dnsProvider.ts";
import type { WebPage } from "../plan/types.ts";
import { addressParts } from "../settings/names.ts";
import { openpgpAddresses, openpgpBinary, openpgpKeyMistake } from "../settings/openpgp.ts";
import { option } from "./option.ts";

const key = z
  .string()
  .superRefine((armored, context) => {
    const message = openpgpKeyMistake(armored);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  })
  .meta({ description: "The address's public key, in ASCII armor." });

/**
 * OpenPGP keys of mailboxes by Web Key Directory (draft-koch-openpgp-webkey-service, the advanced method): programs that
 * write to them encrypt without anybody's asking for a key. A Worker answers, so the host needs no port for it.
 */
export const openpgpKeys = option({
  key: "openpgpKeys",
  schema: z
    .record(z.string(), key)
    .default({})
    .meta({
      description:
        "OpenPGP public keys, armored, by the full address of a mailbox or alias here: published by Web Key Directory, so that programs which write to them encrypt by themselves. The key has to name the address.",
      examples: [{ "ann@example.org": "-----BEGIN PGP PUBLIC KEY BLOCK-----…" }],
      synonyms: ["wkd", "pgp"],
    }),
  agree(keys, { domains }, report, { dns }) {
    const known = new Set(
      domains.flatMap(({ mailboxes, aliases }) => [...mailboxes, ...aliases].map(({ address }) => address)),
    );
    for (const [address, armored] of Object.entries(keys)) {
      const zone = domains.find(({ name }) => name === addressParts(address).domain)?.zone;
      if (!known.has(address))
        report(
          [address],
          "is no mailbox or alias of this host; write one that is under `domains`, in lower case",
        );
      else if (!openpgpAddresses(armored).includes(address))
        report(
          [address],
          `is not named in its key; add it with \`gpg --quick-add-uid\`, or write the key that has it`,
        );
      else if (zone !== undefined && !hasWorkers(dns as DnsChoice, zone))
        report(
          [address],
          `wants a Worker, and the zone ${zone} is not at Cloudflare (mailhost:dns); take the line out, and publish the key elsewhere`,
        );
    }
  },
  pages: (keys, { domains }) =>
    domains.flatMap(({ name, zone }) => {
      const own = Object.entries(keys).filter(([address]) => addressParts(address).domain === name);
      const folder = `/.well-known/openpgpkey/${name}`;
      const page = (path: string, type: string, content: WebPage["content"]): WebPage => ({
        zone,
        host: `openpgpkey.${name}`,
        path: `${folder}/${path}`,
        method: "GET",
        // Programs that run in a browser ask, too.
        headers: { "content-type": type, "access-control-allow-origin": "*" },
        content,
      });
      if (own.length === 0) return [];
      return [
        // Present and empty: there is a directory, and no rule of its own.
        page("policy", "text/plain; charset=utf-8", { text: "" }),
        ...own.map(([address, armored]) =>
          page(`hu/${wkdHash(address)}`, "application/octet-stream", {
            base64: (openpgpBinary(armored) ?? Buffer.of()).toString("base64"),
          }),
        ),
      ];
    }),
});

/** The address's name in the directory: SHA-1 of the part before the `@`, in z-base-32 (draft, section 3.1). */
export function wkdHash(address: string): string {
  const digest = createHash("sha1").update(addressParts(address).local.toLowerCase()).digest();
  const bits = [...digest].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return [...bits.matchAll(/.{5}/g)]
    .map(([five]) => "ybndrfg8ejkmcpqxot1uwisza345h769"[Number.parseInt(five, 2)])
    .join("");
}
