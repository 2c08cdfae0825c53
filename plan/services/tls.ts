import type { Settings } from "../../settings/types.ts";
import { bundle, file } from "../bundle.ts";
import type { Bundle } from "../types.ts";
import { webmail } from "../webmail.ts";

const program = "/usr/local/lib/mailhost/tls";

/**
 * `/srv/tls/fullchain.pem` and `/srv/tls/privkey.pem`, which every daemon that speaks TLS reads: self-signed until
 * the bundle `certbot` has a real one, so that the daemons' first start does not wait for it.
 */
export function tls(settings: Settings): Bundle {
  return bundle({
    name: "tls",
    why: "Keeps the certificate where the daemons read it.",
    packages: ["openssl"],
    files: [file(program, { web: webmail(settings) !== undefined }, { mode: "0755" })],
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
