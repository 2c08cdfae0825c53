import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sshpk from "sshpk";
import { reverseName } from "../../dns/client.ts";
import type { PublishedRecord } from "../types.ts";

/** Who the other side is: fixed for the life of its state folder. */
export interface Identity {
  /** Mail domain, `example.net`. */
  readonly domain: string;
  /** Its own name, `mx.example.net`: HELO, PTR, MX target. */
  readonly hostname: string;
  /** Its only address. */
  readonly address: string;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly dkim: readonly DkimKey[];
}

export interface DkimKey {
  readonly selector: string;
  readonly privateKey: KeyObject;
}

const selectors = { rsa: "rsa1", ed25519: "ed1" } as const;

/** Reads the keys from the state folder, and makes those that are not there yet. */
export function openIdentity(
  state: string,
  who: Pick<Identity, "domain" | "hostname" | "address">,
): Identity {
  const folder = join(state, "keys");
  const tls = serverKeys(folder, who.hostname);
  const rsa = keptText(join(folder, "dkim-rsa.pem"), () =>
    privatePem(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey),
  );
  const ed25519 = keptText(join(folder, "dkim-ed25519.pem"), () =>
    privatePem(generateKeyPairSync("ed25519").privateKey),
  );
  return {
    ...who,
    tls,
    dkim: [
      { selector: selectors.rsa, privateKey: createPrivateKey(rsa) },
      { selector: selectors.ed25519, privateKey: createPrivateKey(ed25519) },
    ],
  };
}

/** A server's key and its certificate, which it has signed itself; made where they are not in the folder yet. */
export function serverKeys(folder: string, hostname: string): Identity["tls"] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const key = keptText(join(folder, "tls.pem"), () =>
    privatePem(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey),
  );
  return { key, cert: keptText(join(folder, `${hostname}.crt`), () => selfSigned(hostname, key)) };
}

/** What the world has to publish so that this side is a proper citizen: forward and reverse name, MX, policies. */
export function neededRecords(identity: Identity): PublishedRecord[] {
  const { domain, hostname, address } = identity;
  const ttl = 300;
  return [
    { name: hostname, type: "A", ttl, rdata: address },
    { name: reverseName(address), type: "PTR", ttl, rdata: `${hostname}.` },
    { name: domain, type: "MX", ttl, rdata: `10 ${hostname}.` },
    { name: domain, type: "TXT", ttl, rdata: quoted("v=spf1 mx -all") },
    { name: hostname, type: "TXT", ttl, rdata: quoted("v=spf1 a -all") },
    { name: `_dmarc.${domain}`, type: "TXT", ttl, rdata: quoted("v=DMARC1; p=reject") },
    ...identity.dkim.map((key) => ({
      name: `${key.selector}._domainkey.${domain}`,
      type: "TXT",
      ttl,
      rdata: quoted(dkimRecord(key.privateKey)),
    })),
  ];
}

/** RFC 6376 section 3.6.1, RFC 8463 section 4: an Ed25519 key is published raw, without its SPKI wrapping. */
export function dkimRecord(privateKey: KeyObject): string {
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  return privateKey.asymmetricKeyType === "ed25519"
    ? `v=DKIM1; k=ed25519; p=${spki.subarray(-32).toString("base64")}`
    : `v=DKIM1; k=rsa; p=${spki.toString("base64")}`;
}

/** TXT RDATA in zone-file form: strings of at most 255 octets (RFC 1035 section 3.3). */
export function quoted(text: string): string {
  return (text.match(/.{1,255}/g) ?? [""]).map((part) => `"${part}"`).join(" ");
}

export function privatePem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }) as string;
}

/** Nobody checks the certificate of an MX without DANE or MTA-STS, so a self-signed one does. */
function selfSigned(hostname: string, keyPem: string): string {
  const tenYears = 10 * 365 * 24 * 60 * 60;
  return sshpk
    .createSelfSignedCertificate(sshpk.identityForHost(hostname), sshpk.parsePrivateKey(keyPem, "pem"), {
      lifetime: tenYears,
    })
    .toString("pem");
}

/** The file's text; where there is no file yet, it is made. */
export function keptText(path: string, make: () => string): string {
  if (!existsSync(path)) {
    writeFileSync(path, make(), { mode: 0o600 });
  }
  return readFileSync(path, "utf8");
}
