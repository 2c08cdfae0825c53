import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Resolver } from "node:dns/promises";
import { join } from "node:path";
import { SMTPServer, type SMTPServerSession } from "smtp-server";
import { reverseName } from "../../check/dns.ts";
import type { PublishedRecord } from "../types.ts";
import { passOn } from "./deliver.ts";
import { type Identity, keptText, quoted, serverKeys } from "./identity.ts";
import { Refusal } from "./manner.ts";

/** What a customer of the relay is told: all that a stack file needs. */
export interface SmarthostAccess {
  readonly host: string;
  /** STARTTLS. */
  readonly port: number;
  /** TLS from the first byte. */
  readonly tlsPort: number;
  readonly username: string;
  readonly password: string;
  /** PEM: who signed the server's certificate. */
  readonly caCertificate: string;
  /** What the customer puts into its SPF records. */
  readonly spf: string;
  /** Where its mail comes from. */
  readonly address: string;
}

/** A relay that one customer pays for: it takes mail after a login over TLS alone, and sends it on from its own address. */
export class Smarthost {
  readonly access: SmarthostAccess;
  readonly #servers: readonly SMTPServer[];
  readonly #identity: Identity;

  /**
   * @param ports for STARTTLS, and for TLS from the first byte; 0 is any free one
   * @param onwards port of the servers that mail goes on to
   */
  constructor(
    state: string,
    place: { readonly address: string; readonly domain: string },
    resolver: Resolver,
    ports: readonly [number, number],
    onwards = 25,
  ) {
    const { address, domain } = place;
    const hostname = `relay.${domain}`;
    const tls = serverKeys(join(state, "keys"), hostname);
    this.#identity = { domain, hostname, address, tls, dkim: [] };
    this.access = {
      host: hostname,
      port: ports[0],
      tlsPort: ports[1],
      username: "customer",
      password: keptText(join(state, "keys", "relay-password"), () => randomBytes(18).toString("base64url")),
      caCertificate: tls.cert,
      spf: `include:_spf.${domain}`,
      address,
    };
    this.#servers = [false, true].map((secure) => this.#server(secure, resolver, onwards));
  }

  /** What the world has to publish for it. */
  records(): PublishedRecord[] {
    const { host, address, spf } = this.access;
    const ttl = 300;
    return [
      { name: host, type: "A", ttl, rdata: address },
      { name: reverseName(address), type: "PTR", ttl, rdata: `${host}.` },
      { name: host, type: "TXT", ttl, rdata: quoted("v=spf1 a -all") },
      { name: spf.replace("include:", ""), type: "TXT", ttl, rdata: quoted(`v=spf1 ip4:${address} -all`) },
    ];
  }

  async open(): Promise<void> {
    const { address, port, tlsPort } = this.access;
    await Promise.all(
      this.#servers.map(
        (server, index) =>
          new Promise<void>((resolve, reject) => {
            server.server.once("error", reject);
            server.listen(index === 0 ? port : tlsPort, address, () => resolve());
          }),
      ),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => server.close(resolve))));
  }

  #server(secure: boolean, resolver: Resolver, onwards: number): SMTPServer {
    const { username, password } = this.access;
    const { hostname, tls } = this.#identity;
    const server = new SMTPServer({
      name: hostname,
      banner: "for customers",
      secure,
      ...tls,
      minVersion: "TLSv1.2",
      size: 50 * 1024 * 1024,
      // AUTH is neither offered nor taken before TLS, and nothing is taken before AUTH.
      allowInsecureAuth: false,
      authMethods: ["PLAIN", "LOGIN"],
      disableReverseLookup: true,
      socketTimeout: 120_000,
      closeTimeout: 500,
      onAuth(auth, _session, done) {
        const fits = auth.username === username && same(auth.password ?? "", password);
        if (fits) done(null, { user: username });
        else done(new Refusal(535, "5.7.8 Who are you?"));
      },
      onData(stream, session, done) {
        const parts: Buffer[] = [];
        stream.on("data", (part: Buffer) => parts.push(part));
        stream.on("end", () => {
          relay(Buffer.concat(parts), session).then(
            (answer) => done(null, answer),
            (error: Error) => done(error),
          );
        });
      },
    });
    server.on("error", (error) => console.error(`smarthost: ${error.message}`));
    const identity = this.#identity;
    return server;

    /** Takes a message only when it has passed it on: nothing waits here, so nothing is lost here. */
    async function relay(message: Buffer, session: SMTPServerSession): Promise<string> {
      const { mailFrom, rcptTo } = session.envelope;
      const trace = `Received: from ${session.hostNameAppearsAs} ([${session.remoteAddress}]) by ${hostname} with ESMTPSA;\r\n ${new Date().toUTCString().replace("GMT", "+0000")}\r\n`;
      const raw = Buffer.concat([Buffer.from(trace), message]);
      for (const { address: to } of rcptTo) {
        const order = { from: mailFrom ? mailFrom.address : "", to, port: onwards };
        const outcome = await passOn(raw, order, identity, resolver);
        if (!outcome.accepted)
          throw new Refusal(outcome.code || 451, outcome.response.replace(/^\d{3} /, ""));
      }
      return "2.0.0 Passed on";
    }
  }
}

function same(given: string, right: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}
