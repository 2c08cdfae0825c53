/** Keys in OpenSSH's formats, which `node:crypto` does not write. */
import { createHash, createPublicKey, type KeyObject, randomBytes } from "node:crypto";

/** A string of the SSH protocol: a length and that many bytes (RFC 4251, section 5). */
function field(bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

/** A non-negative multiple-precision integer (RFC 4251, section 5) from JWK's base64url. */
function integer(base64url: string | undefined): Buffer {
  let bytes = Buffer.from(base64url ?? "", "base64url");
  while (bytes.length > 0 && bytes[0] === 0) {
    bytes = bytes.subarray(1);
  }
  return field((bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

const CURVES: { readonly [jwkCurve: string]: { readonly ssh: string; readonly bytes: number } } = {
  "P-256": { ssh: "nistp256", bytes: 32 },
  "P-384": { ssh: "nistp384", bytes: 48 },
  "P-521": { ssh: "nistp521", bytes: 66 },
};

interface Encoded {
  /** `ssh-ed25519` */
  readonly algorithm: string;
  /** The public key as it travels: what `authorized_keys` holds in base64. */
  readonly blob: Buffer;
  /** The private fields of `openssh-key-v1`, after the algorithm's name. */
  readonly secrets: Buffer;
}

/** `undefined` for kinds of keys that OpenSSH has not: ECDSA on P-224. */
function encode(key: KeyObject): Encoded | undefined {
  if (key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "secp224r1") {
    return undefined;
  }
  const jwk = key.export({ format: "jwk" });
  switch (jwk.kty) {
    case "RSA": {
      const [n, e] = [integer(jwk.n), integer(jwk.e)];
      return {
        algorithm: "ssh-rsa",
        blob: Buffer.concat([field("ssh-rsa"), e, n]),
        secrets: Buffer.concat([n, e, integer(jwk.d), integer(jwk.qi), integer(jwk.p), integer(jwk.q)]),
      };
    }
    case "EC": {
      const curve = CURVES[jwk.crv ?? ""];
      if (!curve) {
        return undefined;
      }
      const point = Buffer.concat([
        Buffer.from([4]),
        Buffer.from(jwk.x ?? "", "base64url"),
        Buffer.from(jwk.y ?? "", "base64url"),
      ]);
      const algorithm = `ecdsa-sha2-${curve.ssh}`;
      const fields = Buffer.concat([field(curve.ssh), field(point)]);
      return {
        algorithm,
        blob: Buffer.concat([field(algorithm), fields]),
        secrets: Buffer.concat([fields, integer(jwk.d)]),
      };
    }
    case "OKP": {
      const publicKey = Buffer.from(jwk.x ?? "", "base64url");
      const seed = Buffer.from(jwk.d ?? "", "base64url");
      return {
        algorithm: "ssh-ed25519",
        blob: Buffer.concat([field("ssh-ed25519"), field(publicKey)]),
        secrets: Buffer.concat([field(publicKey), field(Buffer.concat([seed, publicKey]))]),
      };
    }
    default:
      return undefined;
  }
}

/**
 * The private key as `-----BEGIN OPENSSH PRIVATE KEY-----` without a passphrase (OpenSSH's PROTOCOL.key), or
 * an empty text where OpenSSH has no such key.
 */
export function privateKeyOpenssh(key: KeyObject): string {
  const encoded = encode(key);
  if (!encoded) {
    return "";
  }
  const check = randomBytes(4);
  const body = Buffer.concat([check, check, field(encoded.algorithm), encoded.secrets, field("")]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, (8 - (body.length % 8)) % 8);
  const count = Buffer.from([0, 0, 0, 1]);
  const file = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    field("none"),
    field("none"),
    field(""),
    count,
    field(encoded.blob),
    field(Buffer.concat([body, padding])),
  ]);
  const lines = file.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join(
    "\n",
  );
}

/** Public forms of a private key, as the tls provider gives them; empty where OpenSSH has none. */
export function publicKeyOpenssh(key: KeyObject): { line: string; md5: string; sha256: string } {
  const encoded = encode(key);
  if (!encoded) {
    return { line: "", md5: "", sha256: "" };
  }
  const md5 = createHash("md5").update(encoded.blob).digest("hex").match(/../g) ?? [];
  const sha256 = createHash("sha256").update(encoded.blob).digest("base64").replace(/=+$/, "");
  return {
    line: `${encoded.algorithm} ${encoded.blob.toString("base64")}\n`,
    md5: md5.join(":"),
    sha256: `SHA256:${sha256}`,
  };
}

/** DER of the public half, SubjectPublicKeyInfo. */
export function publicKeyDer(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}
