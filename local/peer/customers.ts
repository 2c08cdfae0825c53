import { timingSafeEqual } from "node:crypto";
import { SMTPServer, type SMTPServerSession } from "smtp-server";
import type { Identity } from "./identity.ts";
import { Refusal } from "./manner.ts";

/** What a server for customers does with them. */
export interface CustomerService {
  /** Whether it is a customer's login. */
  isCustomer(username: string, password: string): boolean;
  /** Said to who is none: code and text. */
  readonly notKnown: readonly [code: number, text: string];
  /** Takes a message of a customer's. @returns what is said with 250 @throws Refusal */
  take(message: Buffer, session: SMTPServerSession, username: string): Promise<string>;
  /** @throws Refusal where a sender is none. @default any is right */
  checkSender?(address: string): void;
  /** Octets. */
  readonly largest: number;
}

/** Servers that take mail after a login over TLS alone: one with STARTTLS, and one that begins with TLS. */
export class CustomerServers {
  readonly #address: string;
  readonly #servers: readonly [port: number, server: SMTPServer][];

  /** @param ports for STARTTLS, and for TLS from the first byte; 0 is any free one */
  constructor(
    { hostname, tls, address }: Pick<Identity, "hostname" | "tls" | "address">,
    ports: readonly [number, number],
    service: CustomerService,
  ) {
    this.#address = address;
    this.#servers = ports.map((port, index) => [port, customerServer(hostname, tls, index === 1, service)]);
  }

  async open(): Promise<void> {
    await Promise.all(
      this.#servers.map(
        ([port, server]) =>
          new Promise<void>((resolve, reject) => {
            server.server.once("error", reject);
            server.listen(port, this.#address, () => resolve());
          }),
      ),
    );
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#servers.map(([, server]) => new Promise<void>((resolve) => server.close(resolve))),
    );
  }
}

function customerServer(
  hostname: string,
  tls: Identity["tls"],
  secure: boolean,
  service: CustomerService,
): SMTPServer {
  const server = new SMTPServer({
    name: hostname,
    banner: "for customers",
    secure,
    ...tls,
    minVersion: "TLSv1.2",
    size: service.largest,
    // AUTH is neither offered nor taken before TLS, and nothing is taken before AUTH.
    allowInsecureAuth: false,
    authMethods: ["PLAIN", "LOGIN"],
    disableReverseLookup: true,
    socketTimeout: 120_000,
    closeTimeout: 500,
    onAuth({ username, password }, _session, done) {
      if (service.isCustomer(username ?? "", password ?? "")) done(null, { user: username ?? "" });
      else done(new Refusal(...service.notKnown));
    },
    onMailFrom({ address }, _session, done) {
      try {
        service.checkSender?.(address ?? "");
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        if (stream.sizeExceeded) {
          done(new Refusal(552, "Message is too long."));
          return;
        }
        service.take(Buffer.concat(parts), session, String(session.user)).then(
          (answer) => done(null, answer),
          (error: Error) => done(error),
        );
      });
    },
  });
  server.on("error", (error) => console.error(`${hostname}: ${error.message}`));
  return server;
}

/** Compares without telling by its time how much was right. */
export function same(given: string, right: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** The first header of a message that a server takes from somebody. */
export function traceOf(session: SMTPServerSession, by: string, protocol: string): string {
  const day = new Date().toUTCString().replace("GMT", "+0000");
  return `Received: from ${session.hostNameAppearsAs} ([${session.remoteAddress}]) by ${by} with ${protocol};\r\n ${day}\r\n`;
}
