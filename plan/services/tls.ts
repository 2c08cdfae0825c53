import type { Settings } from "../../settings/types.ts";
import { bundle, directory, file, secretFile } from "../bundle.ts";
import type { KeyRotation } from "../rotation.ts";
import { tlsKeyInUse } from "../tlsKey.ts";
import type { Bundle } from "../types.ts";
import { webmail } from "../webmail.ts";

const program = "/usr/local/lib/mailhost/tls";
const folder = "/etc/mailhost/tls";

/**
 * `/srv/tls/fullchain.pem` and `/srv/tls/privkey.pem`, which every daemon that speaks TLS reads: self-signed until
 * the bundle `certbot` has a real one, so that the daemons' first start does not wait for it. The key is the stack's, and comes
 * into use with the next certificate: so senders that go by its TLSA record know it before they meet it.
 */
export function tls(settings: Settings, rotation: KeyRotation): Bundle {
  const key = tlsKeyInUse(settings, rotation).name;
  return bundle({
    name: "tls",
    why: "Keeps the certificate where the daemons read it.",
    packages: ["openssl"],
    directories: [directory(folder, { mode: "0700" })],
    files: [file(program, { web: webmail(settings) !== undefined }, { mode: "0755" })],
    secretFiles: [
      secretFile(`${folder}/privkey.pem`, ["tlsKeys"], ({ tlsKeys }) => {
        const pem = tlsKeys[key];
        if (pem === undefined) throw new Error(`no private key ${key}`);
        return pem;
      }),
    ],
    derivations: [
      {
        command: `${program} self-signed ${settings.hostname}`,
        on: [program],
        makes: ["/srv/tls/fullchain.pem", "/srv/tls/privkey.pem"],
      },
    ],
    after: ["storage"],
  });
}
