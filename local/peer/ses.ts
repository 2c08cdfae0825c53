import { createPrivateKey, generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import type { Resolver } from "node:dns/promises";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { dkimSign } from "mailauth/lib/dkim/sign.js";
import { simpleParser } from "mailparser";
import type { SMTPServerSession } from "smtp-server";
import { reverseName } from "../../dns/client.ts";
import { openStore, type Store } from "../store.ts";
import type { PublishedRecord, SesAccount } from "../types.ts";
import { CustomerServers, same, traceOf } from "./customers.ts";
import { passOn } from "./deliver.ts";
import { dkimRecord, type Identity, keptText, privatePem, quoted, serverKeys } from "./identity.ts";
import { Refusal } from "./manner.ts";

type SesIdentity = SesAccount["identities"][number];

/** Fields that SES takes once at most, as far as a mail host writes them ("Amazon SES header fields"). */
const onceOnly = [
  ...["auto-submitted", "content-type", "content-transfer-encoding", "date", "dkim-signature", "from"],
  ...["in-reply-to", "list-id", "list-unsubscribe", "message-id", "mime-version", "references"],
  ...["reply-to", "return-path", "sender", "subject", "user-agent"],
];
/** Fields that are SES's own to write, or that stay with it. */
const replaced = ["bcc", "date", "message-id", "return-path"];
/** Octets ("Service quotas in Amazon SES"). */
const largest = 40 * 1024 * 1024;

export interface SesAccess {
  /** Name that customers come to. */
  readonly host: string;
  /** Where its mail comes from. */
  readonly address: string;
  /** PEM of what signed its certificate. The one of Amazon's is known to every machine. */
  readonly authority: string;
}

/**
 * Amazon SES's SMTP interface: who logs in with a key's derived password may send as what the key's user may, where the
 * domain is verified; SES signs it, gives it an envelope sender of its own, and sends it on from its own address. What
 * it says is as in "SMTP response codes returned by Amazon SES" and "Amazon SES email sending errors".
 */
export class Ses {
  readonly access: SesAccess;
  readonly #region: string;
  readonly #identity: Identity;
  readonly #resolver: Resolver;
  readonly #onwards: number;
  readonly #servers: CustomerServers;
  /** What it was told last: it forgets nothing when it is started again. */
  readonly #store: Store<{ account: SesAccount }>;

  /**
   * @param ports for STARTTLS, and for TLS from the first byte
   * @param onwards port of the servers that mail goes on to
   */
  constructor(
    state: string,
    { address, region }: { readonly address: string; readonly region: string },
    resolver: Resolver,
    ports: readonly [number, number],
    onwards = 25,
  ) {
    const folder = join(state, "ses");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const host = `email-smtp.${region}.amazonaws.com`;
    this.#region = region;
    this.#resolver = resolver;
    this.#onwards = onwards;
    const key = keptText(join(folder, "dkim.pem"), () =>
      privatePem(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey),
    );
    const tls = serverKeys(folder, host);
    this.access = { host, address, authority: tls.cert };
    this.#identity = {
      domain: "amazonses.com",
      hostname: `a1-1.smtp-out.${region}.amazonses.com`,
      address,
      tls,
      dkim: [{ selector: "local", privateKey: createPrivateKey(key) }],
    };
    const nobody: SesAccount = { region, sandbox: false, identities: [], logins: [] };
    this.#store = openStore(folder, "account.json", () => ({ account: nobody }));
    this.#servers = new CustomerServers({ hostname: host, tls, address }, ports, {
      largest,
      notKnown: [535, "Authentication Credentials Invalid"],
      isCustomer: (name, word) => {
        const login = this.#login(name);
        return login !== undefined && same(word, login.password);
      },
      checkSender(sender) {
        // What is no address, the null sender of bounces among them.
        if (!sender.includes("@")) throw new Refusal(501, "Invalid MAIL FROM address provided");
      },
      take: (message, session, name) => this.#take(message, session, name),
    });
  }

  /** What the world has to publish for it. */
  records(): PublishedRecord[] {
    const { domain, hostname, address, dkim } = this.#identity;
    const ttl = 300;
    const feedback = `feedback-smtp.${this.#region}.amazonses.com`;
    const senders = quoted(`v=spf1 ip4:${address} -all`);
    return [
      ...[this.access.host, hostname, feedback].map((name) => ({ name, type: "A", ttl, rdata: address })),
      { name: reverseName(address), type: "PTR", ttl, rdata: `${hostname}.` },
      { name: domain, type: "TXT", ttl, rdata: senders },
      { name: hostname, type: "TXT", ttl, rdata: senders },
      { name: `${this.#region}.${domain}`, type: "TXT", ttl, rdata: senders },
      { name: `${this.#region}.${domain}`, type: "MX", ttl, rdata: `10 ${feedback}.` },
      ...dkim.map((key) => ({
        name: `${key.selector}._domainkey.${domain}`,
        type: "TXT",
        ttl,
        rdata: quoted(dkimRecord(key.privateKey)),
      })),
    ];
  }

  /** From now on this is all that it knows. */
  tell(account: SesAccount): void {
    if (account.region !== this.#region) throw new Error(`This is SES in ${this.#region}`);
    this.#store.data.account = account;
    this.#store.save();
  }

  open(): Promise<void> {
    return this.#servers.open();
  }

  close(): Promise<void> {
    return this.#servers.close();
  }

  get #account(): SesAccount {
    return this.#store.data.account;
  }

  #login(name: string): SesAccount["logins"][number] | undefined {
    return this.#account.logins.find(({ username }) => username === name);
  }

  /**
   * Nothing waits here, so nothing is lost here: what the receiver puts off is put off, and of what it refuses the sender
   * hears by a bounce, as SES forwards it.
   */
  async #take(message: Buffer, session: SMTPServerSession, login: string): Promise<string> {
    const { mailFrom, rcptTo } = session.envelope;
    const sender = mailFrom ? mailFrom.address : "";
    const recipients = rcptTo.map(({ address }) => address);
    const { fields, body } = parted(message);
    const duplicate = duplicated(fields, this.#signs(sender));
    if (duplicate !== undefined)
      throw new Refusal(554, `Transaction failed: Duplicate header '${duplicate}'.`);
    const from = await authors(message);
    const identity = this.#allowed(login, [...from, sender], recipients);
    const id = `0107${randomBytes(6).toString("hex")}-${randomUUID()}-000000`;
    const wire = await this.#signed(
      Buffer.concat([
        Buffer.from(
          [
            traceOf(session, "email-smtp.amazonaws.com", "SMTP"),
            ...fields.filter(({ name }) => !replaced.includes(name)).map(({ text }) => `${text}\r\n`),
            `Date: ${new Date().toUTCString().replace("GMT", "+0000")}\r\n`,
            `Message-ID: <${id}@${this.#region}.amazonses.com>\r\n`,
            `Feedback-ID: ::1.${this.#region}.local:AmazonSES\r\n`,
            `X-SES-Outgoing: ${new Date().toISOString().slice(0, 10).replaceAll("-", ".")}-${this.#identity.address}\r\n`,
            "\r\n",
          ].join(""),
          "latin1",
        ),
        body,
      ]),
      identity,
    );
    const envelopeFrom = `${id}@${identity.mailFrom ?? `${this.#region}.amazonses.com`}`;
    for (const to of recipients) {
      const order = { from: sender, envelopeFrom, to, port: this.#onwards };
      const { accepted, code, response } = await passOn(wire, order, this.#identity, this.#resolver);
      if (accepted) continue;
      if (code < 500) throw new Refusal(451, `Temporary service failure: ${response}`);
      await this.#bounce(sender, to, response);
    }
    return `Ok ${id}`;
  }

  /** Whether SES puts a signature of the sender's domain on it. */
  #signs(sender: string): boolean {
    return this.#identityOf(sender)?.verified ?? false;
  }

  /** A domain stands for all that is below it; the closest counts. */
  #identityOf(address: string): SesIdentity | undefined {
    const domain = address.slice(address.lastIndexOf("@") + 1).toLowerCase();
    return this.#account.identities
      .filter(({ name }) => domain === name || domain.endsWith(`.${name}`))
      .toSorted((one, other) => other.name.length - one.name.length)[0];
  }

  /** The identity that signs. @throws Refusal in SES's words */
  #allowed(login: string, senders: readonly string[], recipients: readonly string[]): SesIdentity {
    const { sandbox } = this.#account;
    const asked = [...new Set([...senders, ...(sandbox ? recipients : [])])];
    const failed = asked.filter((address) => this.#identityOf(address)?.verified !== true);
    const identity = this.#identityOf(senders[0] ?? "");
    if (failed.length > 0 || identity === undefined) {
      throw new Refusal(
        554,
        `Message rejected: Email address is not verified. The following identities failed the check in region ${this.#region.toUpperCase()}: ${failed.join(", ")}`,
      );
    }
    const { userArn = "", maySendAs = [] } = this.#login(login) ?? {};
    for (const { arn } of senders.flatMap((address) => this.#identityOf(address) ?? [])) {
      if (!maySendAs.includes(arn))
        throw new Refusal(
          554,
          `Access denied: User \`${userArn}' is not authorized to perform \`ses:SendRawEmail' on resource \`${arn}'`,
        );
    }
    if (identity.mailFrom === undefined && identity.withoutMailFrom === "refuse")
      throw new Refusal(554, "Message rejected: MAIL FROM domain is not verified.");
    return identity;
  }

  /** Amazon's signature, and in front of it the domain's. */
  async #signed(message: Buffer, identity?: SesIdentity): Promise<Buffer> {
    const own = this.#identity.dkim.map(({ selector, privateKey }) => ({
      signingDomain: this.#identity.domain,
      selector,
      privateKey: privatePem(privateKey),
    }));
    const domains =
      identity === undefined
        ? []
        : [
            {
              signingDomain: identity.name,
              selector: identity.selector,
              privateKey: privatePem(given(identity.privateKey)),
            },
          ];
    const { signatures, errors } = await dkimSign(message, {
      canonicalization: "relaxed/simple",
      signingDomain: this.#identity.domain,
      selector: "",
      privateKey: "",
      signatureData: [...domains, ...own],
    });
    if (errors?.[0] !== undefined) throw new Error(`SES could not sign: ${JSON.stringify(errors[0])}`);
    return Buffer.concat([Buffer.from(signatures), message]);
  }

  async #bounce(to: string, recipient: string, response: string): Promise<void> {
    const text = [
      `From: MAILER-DAEMON@${this.#identity.domain}`,
      `To: ${to}`,
      "Subject: Delivery Status Notification (Failure)",
      `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
      `Message-ID: <${randomUUID()}@${this.#region}.amazonses.com>`,
      "Auto-Submitted: auto-replied",
      "",
      "An error occurred while trying to deliver the mail to the following recipients:",
      `${recipient}: ${response}`,
      "",
    ].join("\r\n");
    const order = {
      from: `MAILER-DAEMON@${this.#identity.domain}`,
      envelopeFrom: "",
      to,
      port: this.#onwards,
    };
    const { accepted, response: said } = await passOn(
      await this.#signed(Buffer.from(text)),
      order,
      this.#identity,
      this.#resolver,
    );
    if (!accepted) console.error(`SES: a bounce to ${to} was not taken: ${said}`);
  }
}

interface Field {
  /** Lower case. */
  readonly name: string;
  /** As it came, without its last line break. */
  readonly text: string;
}

/** A message's header fields and its body. */
function parted(message: Buffer): { readonly fields: readonly Field[]; readonly body: Buffer } {
  const end = message.indexOf("\r\n\r\n");
  const header = message.subarray(0, end < 0 ? message.length : end).toString("latin1");
  const fields = header.split(/\r\n(?![ \t])/).map((text) => ({
    name: text.slice(0, Math.max(0, text.indexOf(":"))).toLowerCase(),
    text,
  }));
  return { fields, body: end < 0 ? Buffer.alloc(0) : message.subarray(end + 4) };
}

/** Name, as it was written, of a field that stands twice; a signature does, where SES is to put one on. */
function duplicated(fields: readonly Field[], signs: boolean): string | undefined {
  const seen = new Set(signs ? ["dkim-signature"] : []);
  for (const { name, text } of fields.filter((field) => onceOnly.includes(field.name))) {
    if (seen.has(name)) return text.slice(0, text.indexOf(":"));
    seen.add(name);
  }
  return undefined;
}

/** Addresses of From, and of Sender. */
async function authors(message: Buffer): Promise<readonly string[]> {
  const mail = await simpleParser(message);
  const sender = mail.headers.get("sender") as typeof mail.from;
  const found = [mail.from, sender].flatMap((field) => field?.value ?? []);
  const addresses = found.flatMap(({ address }) => address ?? []);
  if (addresses.length === 0) throw new Refusal(554, "Transaction failed: Missing final '@domain'");
  return addresses;
}

/** A key as the customer gave it. */
function given(base64: string) {
  const der = { key: Buffer.from(base64, "base64"), format: "der" } as const;
  try {
    return createPrivateKey({ ...der, type: "pkcs8" });
  } catch {
    return createPrivateKey({ ...der, type: "pkcs1" });
  }
}
