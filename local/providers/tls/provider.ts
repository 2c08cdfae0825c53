/**
 * The tls provider, version 5.6: private keys, with the outputs of the official one
 * (https://www.pulumi.com/registry/packages/tls/api-docs/privatekey/).
 */
import { createHash, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { defineResource, type Properties, type Provider } from "../framework.ts";
import { privateKeyOpenssh, publicKeyDer, publicKeyOpenssh } from "./openssh.ts";

interface PrivateKeyInputs {
  readonly algorithm: "RSA" | "ECDSA" | "ED25519";
  readonly rsaBits?: number;
  readonly ecdsaCurve?: "P224" | "P256" | "P384" | "P521";
}

const DEFAULT_RSA_BITS = 2048;
/** The official default, which OpenSSH has no key for. */
const DEFAULT_CURVE = "P224";

const OPENSSL_CURVES = { P224: "secp224r1", P256: "prime256v1", P384: "secp384r1", P521: "secp521r1" };

const generate = promisify(generateKeyPair);

async function generateKey(inputs: PrivateKeyInputs): Promise<KeyObject> {
  switch (inputs.algorithm) {
    case "RSA":
      return (await generate("rsa", { modulusLength: inputs.rsaBits ?? DEFAULT_RSA_BITS })).privateKey;
    case "ECDSA":
      return (await generate("ec", { namedCurve: OPENSSL_CURVES[inputs.ecdsaCurve ?? DEFAULT_CURVE] }))
        .privateKey;
    case "ED25519":
      return (await generate("ed25519")).privateKey;
  }
}

/** The traditional PEM of each algorithm, as the official provider writes `privateKeyPem`. */
function traditionalPem(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case "rsa":
      return key.export({ type: "pkcs1", format: "pem" }).toString();
    case "ec":
      return key.export({ type: "sec1", format: "pem" }).toString();
    default:
      return key.export({ type: "pkcs8", format: "pem" }).toString();
  }
}

function outputsOf(key: KeyObject, inputs: PrivateKeyInputs): Properties {
  const openssh = publicKeyOpenssh(key);
  return {
    rsaBits: inputs.rsaBits ?? DEFAULT_RSA_BITS,
    ecdsaCurve: inputs.ecdsaCurve ?? DEFAULT_CURVE,
    privateKeyPem: traditionalPem(key),
    privateKeyPemPkcs8: key.export({ type: "pkcs8", format: "pem" }).toString(),
    privateKeyOpenssh: privateKeyOpenssh(key),
    publicKeyPem: createPublicKey(key).export({ type: "spki", format: "pem" }).toString(),
    publicKeyOpenssh: openssh.line,
    publicKeyFingerprintMd5: openssh.md5,
    publicKeyFingerprintSha256: openssh.sha256,
  };
}

const privateKey = defineResource<PrivateKeyInputs>({
  inputs: {
    algorithm: { type: "string", required: true, replaceOnChange: true, oneOf: ["RSA", "ECDSA", "ED25519"] },
    rsaBits: { type: "integer", replaceOnChange: true },
    ecdsaCurve: { type: "string", replaceOnChange: true, oneOf: ["P224", "P256", "P384", "P521"] },
  },
  outputs: {
    privateKeyPem: { secret: true },
    privateKeyPemPkcs8: { secret: true },
    privateKeyOpenssh: { secret: true },
    publicKeyPem: {},
    publicKeyOpenssh: {},
    publicKeyFingerprintMd5: {},
    publicKeyFingerprintSha256: {},
  },
  async create({ inputs }) {
    const key = await generateKey(inputs);
    return {
      id: createHash("sha1").update(publicKeyDer(key)).digest("hex"),
      outputs: outputsOf(key, inputs),
    };
  },
  // All there is to know is in the state; and there is nothing to import a key from.
  async read({ id, state, inputs }) {
    return Object.keys(state).length > 0 ? { id, outputs: state, inputs } : undefined;
  },
  async delete() {},
});

export const provider: Provider = {
  name: "tls",
  version: "5.6.1",
  resources: { "tls:index/privateKey:PrivateKey": privateKey },
};
