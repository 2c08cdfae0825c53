import { X509Certificate } from "node:crypto";
import { connect, type SecureContextOptions, type TLSSocket } from "node:tls";
import { recordContent } from "../../plan/facts.ts";
import { publicKeyDigest, tlsaText } from "../../plan/tlsKey.ts";
import { changedByHand } from "../again.ts";
import type { HostUnderCheck, Item, MailPort } from "../host.ts";
import { sideBySide } from "../sidebyside.ts";
import { connected, happens } from "../smtp.ts";
import { type Finding, right, wrong } from "../types.ts";

const mailPorts: readonly MailPort[] = ["smtp", "submissions", "submission", "imaps", "https"];

/** TLS 1.0 and 1.1 as an old client would offer them (RFC 8996 forbids both). */
const outdated: SecureContextOptions = {
  minVersion: "TLSv1",
  maxVersion: "TLSv1.1",
  ciphers: "ALL:@SECLEVEL=0",
};

/** The bundles of those ports that are not Postfix's. */
const owners: Partial<Record<MailPort, string>> = { imaps: "dovecot", https: "web" };

/** The share of a certificate's life after which a renewal must have happened; certbot renews when a third is left. */
const leastLeft = 0.25;

/** Versions, chain, name and days left on every port that speaks TLS. */
export const tls: Item = {
  name: "tls",
  group: "Encryption",
  async look(host) {
    const present = mailPorts.filter((name) => host.port(name) !== undefined);
    return await sideBySide("tls", Object.fromEntries(present.map((name) => [name, onePort(host, name)])));
  },
};

async function onePort(host: HostUnderCheck, name: MailPort): Promise<Finding[]> {
  const label = `port ${host.port(name)?.number} (${name})`;
  let socket: TLSSocket;
  try {
    socket = await handshake(host, name);
  } catch (error) {
    return [
      wrong(
        `${label}: no encryption: ${(error as Error).message}`,
        `See what the service says: \`npm run host -- journalctl -u ${name === "https" ? "nginx" : "postfix -u dovecot"} -n 50\`.`,
        { unanswered: true },
      ),
    ];
  }
  const version = socket.getProtocol() ?? "no TLS";
  const trouble = [
    ...certificateTrouble(host, socket, name, label),
    ...(name === "smtp" ? keyTrouble(host, socket, label) : []),
    ...(await versionTrouble(host, name, label)),
  ];
  const left = daysLeft(socket);
  const issuer = [socket.getPeerCertificate().issuer?.CN].flat()[0] ?? "an unnamed issuer";
  socket.destroy();
  return trouble.length > 0
    ? trouble
    : [
        right(
          `${label}: ${version.replace("v", " ")}, nothing older than TLS 1.2; certificate for ${host.name} from ${issuer}, ${left} days left`,
        ),
      ];
}

function certificateTrouble(
  host: HostUnderCheck,
  socket: TLSSocket,
  name: MailPort,
  label: string,
): Finding[] {
  const certificate = socket.getPeerCertificate();
  const renew =
    "See why it was not made or renewed: `npm run host -- journalctl -u mailhost-certificate -n 50`.";
  if (!socket.authorized) {
    const code = String(
      (socket.authorizationError as { code?: string } | undefined)?.code ?? socket.authorizationError,
    );
    return [
      wrong(
        `${label}: ${chainWords[code] ?? `the certificate is not trusted (${code})`}${code === "ERR_TLS_CERT_ALTNAME_INVALID" ? ` ${host.name}` : ""}`,
        renew,
      ),
    ];
  }
  const life = Date.parse(certificate.valid_to) - Date.parse(certificate.valid_from);
  const left = Date.parse(certificate.valid_to) - Date.now();
  return left < life * leastLeft
    ? [
        // A name of its own: nobody is turned away yet.
        wrong(`${label}: the certificate has only ${daysLeft(socket)} days left`, renew, {
          part: `${name}.days`,
        }),
      ]
    : [];
}

/** DANE: whether a TLSA record names the key, whatever the certificate says (RFC 7672 section 3.1.1). */
function keyTrouble({ target }: HostUnderCheck, socket: TLSSocket, label: string): Finding[] {
  const named = target.records
    .filter(({ type }) => type === "TLSA")
    .map((record) => recordContent(record, target.facts));
  const { publicKey } = new X509Certificate(socket.getPeerCertificate().raw);
  if (named.length === 0 || named.includes(tlsaText(publicKeyDigest(publicKey)))) return [];
  return [
    wrong(
      `${label}: its key is named by no TLSA record: who sends by DANE is turned away`,
      "Let the host ask for a certificate for the stack's key: `npm run host -- sudo /usr/local/lib/mailhost/certificate now`.",
    ),
  ];
}

const chainWords: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is self-signed, as before the first real one",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate comes from an authority that is not known here",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the certificate comes from an authority that is not known here",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "the certificate comes without its intermediate one, or from an unknown authority",
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is not for",
};

async function versionTrouble(host: HostUnderCheck, name: MailPort, label: string): Promise<Finding[]> {
  try {
    const socket = await handshake(host, name, outdated);
    const version = socket.getProtocol() ?? "an old version";
    socket.destroy();
    return [
      wrong(
        `${label}: accepts ${version.replace("v", " ")}, which is broken`,
        changedByHand("the host's TLS settings", host.target, owners[name] ?? "postfix"),
        { part: `${name}.versions` },
      ),
    ];
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    // The server's own no, by an alert or by hanging up; anything else says nothing about versions.
    if (/ALERT|ECONNRESET/.test(code) || /disconnected before secure|closed the connection/.test(message)) {
      return [];
    }
    throw error;
  }
}

/** A finished handshake, after STARTTLS where the port begins in the clear. @throws what the handshake failed with */
async function handshake(
  host: HostUnderCheck,
  name: MailPort,
  versions: SecureContextOptions = {},
): Promise<TLSSocket> {
  const options = { ...versions, ...host.trust };
  if (name === "smtp" || name === "submission") {
    const smtp = await host.smtp(name);
    try {
      await smtp.ehlo();
      await smtp.startTls(options);
    } catch (error) {
      smtp.close();
      throw error;
    }
    return smtp.tls as TLSSocket;
  }
  const socket = connect({
    socket: await connected(host.from.at, host.port(name)?.number ?? 0, 8000),
    servername: host.name,
    ca: [...host.roots],
    rejectUnauthorized: false,
    ...options,
  });
  await happens(socket, "secureConnect", 8000);
  return socket;
}

function daysLeft(socket: TLSSocket): number {
  const end = Date.parse(socket.getPeerCertificate().valid_to);
  return Math.floor((end - Date.now()) / 86_400_000);
}
