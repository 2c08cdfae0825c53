import { randomBytes } from "node:crypto";
import type { Resolver } from "node:dns/promises";
import { join } from "node:path";
import type { SMTPServerSession } from "smtp-server";
import { reverseName } from "../../dns/client.ts";
import type { PublishedRecord } from "../types.ts";
import { CustomerServers, same, traceOf } from "./customers.ts";
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
  readonly #servers: CustomerServers;

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
    const identity = { domain, hostname, address, tls, dkim: [] };
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
    const { username, password } = this.access;
    this.#servers = new CustomerServers(identity, ports, {
      largest: 50 * 1024 * 1024,
      notKnown: [535, "5.7.8 Who are you?"],
      isCustomer: (name, word) => name === username && same(word, password),
      take: (message, session) => relay(message, session, identity, resolver, onwards),
    });
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

  open(): Promise<void> {
    return this.#servers.open();
  }

  close(): Promise<void> {
    return this.#servers.close();
  }
}

/** Takes a message only when it has passed it on: nothing waits here, so nothing is lost here. */
async function relay(
  message: Buffer,
  session: SMTPServerSession,
  identity: Identity,
  resolver: Resolver,
  port: number,
): Promise<string> {
  const { mailFrom, rcptTo } = session.envelope;
  const raw = Buffer.concat([Buffer.from(traceOf(session, identity.hostname, "ESMTPSA")), message]);
  for (const { address: to } of rcptTo) {
    const order = { from: mailFrom ? mailFrom.address : "", to, port };
    const outcome = await passOn(raw, order, identity, resolver);
    if (!outcome.accepted) throw new Refusal(outcome.code || 451, outcome.response.replace(/^\d{3} /, ""));
  }
  return "2.0.0 Passed on";
}
