import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:https";
import { join } from "node:path";
import { run } from "../run.ts";
import type { Network } from "./network.ts";
import type { Service } from "./supervisor.ts";

const hostname = "acme.example.net";
const port = 14_000;
const managementPort = 15_000;

/** openssl-req(1): a new P-256 key, in plain. */
const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Where a client finds the authority, the same in every cloud. */
export const acmeDirectory = `https://${hostname}:${port}/dir`;

/**
 * The certificate authority: Pebble, which validates over the small internet's DNS and port 80. It keeps nothing, and
 * has no option to, so its root is another one after every start, and it knows no account from before (the
 * host's /usr/local/lib/mailhost/certificate registers again). All roots that it ever had here stay trusted.
 */
export class Acme {
  readonly #network: Network;
  readonly #folder: string;
  readonly #issuers: string;
  /** Told when there is another root: its server died, and was started again. */
  onNewRoot: () => void = () => {};

  constructor(network: Network, folder: string, issuers: string) {
    this.#network = network;
    this.#folder = folder;
    this.#issuers = issuers;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  async prepare(): Promise<Service> {
    const folder = this.#folder;
    await this.#ensureOwnCertificate();
    const { acme, resolver } = this.#network.addresses;
    const configuration = {
      pebble: {
        listenAddress: `${acme}:${port}`,
        managementListenAddress: `${acme}:${managementPort}`,
        certificate: this.#file("server.pem"),
        privateKey: this.#file("server.key"),
        httpPort: 80,
        tlsPort: 443,
        ocspResponderURL: "",
        externalAccountBindingRequired: false,
        // As the best known authority issues them: 90 days, in seconds.
        certificateValidityPeriod: 90 * 86_400,
      },
    };
    writeFileSync(this.#file("pebble.json"), JSON.stringify(configuration, undefined, 2));
    return {
      name: "pebble",
      namespace: this.#network.internet,
      command: ["pebble", "-config", this.#file("pebble.json"), "-dnsserver", `${resolver}:53`],
      // It would wait for seconds before it validates, and refuse one good nonce in twenty, to vex clients in tests.
      // Each certificate is validated anew: of itself Pebble does without for every second account that it knows.
      env: { PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0", PEBBLE_AUTHZREUSE: "0" },
      cwd: folder,
      log: join(folder, "pebble.log"),
      ready: async () => {
        const root = await this.#fetch("/roots/0").catch(() => undefined);
        if (root === undefined) return false;
        this.#remember(root);
        return true;
      },
    };
  }

  /** PEM of the CA behind the authority's own HTTPS. */
  get ca(): string {
    return readFileSync(this.#file("ca.pem"), "utf8");
  }

  /** PEM of all roots that certificates may chain to, the newest first. */
  get issuers(): string {
    return readFileSync(this.#issuers, "utf8");
  }

  /**
   * A certificate of this authority for somebody who proved a name by other means, as Cloudflare does for names of its
   * customers: the files `<hostname>.pem` (with its chain) and `<hostname>.key` in a folder.
   */
  async issue(hostname: string, folder: string): Promise<void> {
    const own = (name: string) => join(folder, `${hostname}.${name}`);
    const issuer = { pem: own("issuer.pem"), key: own("issuer.key") };
    const [certificate, key] = await Promise.all([
      this.#fetch("/intermediates/0"),
      this.#fetch("/intermediate-keys/0"),
    ]);
    writeFileSync(issuer.pem, certificate);
    writeFileSync(issuer.key, key, { mode: 0o600 });
    await run("openssl", [
      ...["req", "-x509", ...curve, "-days", "3650", "-subj", "/"],
      ...["-CA", issuer.pem, "-CAkey", issuer.key, "-keyout", own("key"), "-out", own("leaf.pem")],
      ...[
        "-addext",
        `subjectAltName=critical,DNS:${hostname}`,
        "-addext",
        "basicConstraints=critical,CA:FALSE",
      ],
      ...["-addext", "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=serverAuth"],
    ]);
    writeFileSync(own("pem"), `${readFileSync(own("leaf.pem"), "utf8").trim()}\n${certificate.trim()}\n`);
    for (const path of [issuer.pem, issuer.key, own("leaf.pem")]) rmSync(path);
  }

  #remember(root: string): void {
    const known = existsSync(this.#issuers) ? this.issuers : "";
    if (known.includes(root.trim())) return;
    writeFileSync(this.#issuers, `${root.trim()}\n${known}`);
    this.onNewRoot();
  }

  #fetch(path: string): Promise<string> {
    const { acme } = this.#network.addresses;
    const agent = new Agent({ ca: this.ca });
    return new Promise((resolve, reject) => {
      const options = { host: acme, servername: hostname, port: managementPort, path, agent, timeout: 2000 };
      const request = get(options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("end", () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
      });
      request.on("timeout", () => request.destroy(new Error("no answer")));
      request.on("error", reject);
    });
  }

  async #ensureOwnCertificate(): Promise<void> {
    if (existsSync(this.#file("server.pem"))) return;
    await run("openssl", [
      ...["req", "-x509", ...curve, "-days", "7300", "-subj", "/CN=Local cloud, ACME server's own CA"],
      ...["-keyout", this.#file("ca.key"), "-out", this.#file("ca.pem")],
      ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
    ]);
    await run("openssl", [
      ...["req", "-x509", ...curve, "-days", "7300", "-subj", `/CN=${hostname}`],
      ...["-CA", this.#file("ca.pem"), "-CAkey", this.#file("ca.key")],
      ...["-keyout", this.#file("server.key"), "-out", this.#file("server.pem")],
      ...["-addext", `subjectAltName=DNS:${hostname}`, "-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-addext", "extendedKeyUsage=serverAuth"],
    ]);
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}
