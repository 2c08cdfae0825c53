import * as pulumi from "@pulumi/pulumi";
import { PrivateKey } from "@pulumi/tls/privateKey.js";
import { type DkimSelector, publicKeyOfPem } from "../plan/dkim.ts";
import type { HostKey } from "../plan/hostKey.ts";
import { publicKeyDigest, type TlsKey } from "../plan/tlsKey.ts";

/** Public keys as their records have them, by the plan's names. */
export type PublicKeys = Readonly<Record<string, pulumi.Output<string>>>;

export interface SshKeysArgs {
  /** A key is made for each. */
  readonly hostKeys: readonly HostKey[];
}

/** The SSH keys of a host; nobody types or keeps one. */
export class SshKeys extends pulumi.ComponentResource {
  /** What Pulumi and its owner log in with. */
  readonly login: PrivateKey;
  /** The host's identity. It never leaves the state and the host, and a new machine gets it again. */
  readonly host: PrivateKey;
  /** Its generation. */
  readonly generation: string;
  /** The host's next identity, which is nowhere but in the state: whoever logs in accepts it as well. */
  readonly next: PrivateKey | undefined;
  /** Those that were, and that the host may show still where a run has died. Empty but in a run that changes something. */
  readonly former: readonly PrivateKey[];
  readonly #hostKeys: ReadonlyMap<string, PrivateKey>;
  /**
   * The host's identity for its first connection only. It has to travel in the user data, which the machine can
   * read for as long as it lives; so it is of another kind (ECDSA) than the lasting one, and worthless once
   * that has taken its place.
   */
  readonly bootstrap: PrivateKey;

  constructor(name: string, args: SshKeysArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:keys:SshKeys", name, {}, opts);
    const child = { parent: this };
    this.login = new PrivateKey(`${name}-login`, { algorithm: "ED25519" }, child);
    const hostKeys = args.hostKeys.map(({ generation, state }) => ({
      generation,
      state,
      key: new PrivateKey(
        `${name}-host-${generation}`,
        { algorithm: "ED25519" },
        // What the only one was called before it had successors.
        { ...child, ...(state === "signing" && { aliases: [{ name: `${name}-host` }] }) },
      ),
    }));
    const inUse = hostKeys.find(({ state }) => state === "signing");
    if (inUse === undefined) throw new pulumi.ResourceError("No SSH host key is in use", this);
    this.#hostKeys = new Map(hostKeys.map(({ generation, key }) => [generation, key]));
    this.host = inUse.key;
    this.generation = inUse.generation;
    this.next = hostKeys.find(({ state }) => state === "published")?.key;
    this.former = hostKeys
      .filter(({ state }) => state === "retired" || state === "revoked")
      .map(({ key }) => key);
    this.bootstrap = new PrivateKey(`${name}-bootstrap`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, child);
    this.registerOutputs({});
  }

  /** The host's identity of a generation, of those that the plan has still. */
  ofGeneration(generation: string): PrivateKey | undefined {
    return this.#hostKeys.get(generation);
  }
}

export interface DkimKeysArgs {
  /** A key pair is made for each. */
  readonly selectors: readonly DkimSelector[];
}

/** The DKIM key pairs of all domains (RFC 6376, RFC 8463). */
export class DkimKeys extends pulumi.ComponentResource {
  /** `p=` values by `<selector>._domainkey.<domain>`. */
  readonly publicKeys: PublicKeys;
  /** PKCS#8 PEM by the same names, of those that sign or have signed. Secret. */
  readonly privateKeys: pulumi.Output<Record<string, string>>;
  readonly #pems: ReadonlyMap<string, pulumi.Output<string>>;

  constructor(name: string, args: DkimKeysArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:keys:DkimKeys", name, {}, opts);
    const keys = args.selectors.map((selector) => ({
      ...selector,
      key: new PrivateKey(
        `${name}-${selector.name}`,
        selector.algorithm === "rsa" ? { algorithm: "RSA", rsaBits: 2048 } : { algorithm: "ED25519" },
        { parent: this },
      ),
    }));
    this.publicKeys = Object.fromEntries(
      keys.map(({ name, algorithm, key }) => [
        name,
        key.publicKeyPem.apply((pem) => publicKeyOfPem(pem, algorithm)),
      ]),
    );
    this.#pems = new Map(keys.map(({ name, key }) => [name, key.privateKeyPemPkcs8]));
    this.privateKeys = pulumi
      .all(
        keys
          .filter(({ state }) => state !== "published")
          .map(({ name, key }) => key.privateKeyPemPkcs8.apply((pem) => [name, pem] as const)),
      )
      .apply(Object.fromEntries<string>);
    this.registerOutputs({});
  }

  /** One of the private keys, so that news of the others is none to who needs this one. Secret. */
  privateKey(name: string): pulumi.Output<string> {
    const pem = this.#pems.get(name);
    if (pem === undefined) throw new pulumi.ResourceError(`The plan has no DKIM key ${name}`, this);
    return pem;
  }
}

export interface TlsKeysArgs {
  /** A key is made for each. */
  readonly keys: readonly TlsKey[];
}

/** The keys with which the host speaks TLS: ECDSA on P-256, which every sender knows. */
export class TlsKeys extends pulumi.ComponentResource {
  /** SHA-256 digests by `tls-<generation>`. */
  readonly publicKeys: PublicKeys;
  /** The digests of all that TLSA records name. */
  readonly named: pulumi.Output<readonly string[]>;
  /** PKCS#8 PEM by the same name, of the one in use: the host has no other. Secret. */
  readonly privateKeys: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: TlsKeysArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:keys:TlsKeys", name, {}, opts);
    const keys = args.keys.map((key) => {
      const made = new PrivateKey(key.name, { algorithm: "ECDSA", ecdsaCurve: "P256" }, { parent: this });
      return { ...key, made, digest: made.publicKeyPem.apply((pem) => publicKeyDigest(pem)) };
    });
    this.publicKeys = Object.fromEntries(keys.map(({ name, digest }) => [name, digest]));
    this.named = pulumi.all(keys.filter(({ state }) => state !== "revoked").map(({ digest }) => digest));
    this.privateKeys = pulumi
      .all(
        keys
          .filter(({ state }) => state === "signing")
          .map(({ name, made }) => made.privateKeyPemPkcs8.apply((pem) => [name, pem] as const)),
      )
      .apply(Object.fromEntries<string>);
    this.registerOutputs({});
  }
}
