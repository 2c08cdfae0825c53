import { generateKeyPairSync } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import sshpk from "sshpk";
import type { Complaint } from "../../check/complaints.ts";
import type { Item } from "../../check/host.ts";
import { fromOutside } from "../../check/outside.ts";
import type { CheckTarget, Finding } from "../../check/types.ts";
import { dkimSelectors } from "../../plan/dkim.ts";
import type { Port } from "../../plan/types.ts";
import { parseSettings } from "../../settings/parse.ts";

export const hostname = "mail.example.org";

/** That somebody at example.net has called a message of ann's spam. */
export const complaint = (more: Partial<Complaint> & Pick<Complaint, "taken">): Complaint => ({
  domain: "example.org",
  mailbox: "ann@example.org",
  type: "abuse",
  sender: "Example FBL/1",
  verified: "example.net",
  name: "<m1@example.org>",
  incidents: 1,
  ...more,
});

/** What the fixtures' stack says: two mailboxes, an alias, one domain. */
export const settings = parseSettings(
  {
    hostname,
    owner: "ann@example.org",
    ssh: { from: ["127.0.0.0/8"] },
    server: { architecture: "amd64", dataSize: 8 },
    acme: { directory: "https://acme.example.net/dir" },
    domains: {
      "example.org": {
        since: "2026-11-21",
        mailboxes: { ann: {}, bob: {} },
        aliases: { info: ["ann", "bob"] },
      },
    },
  },
  {},
);

export function target(changes: Partial<CheckTarget> = {}): CheckTarget {
  return {
    stack: "dev",
    settings,
    facts: { publicIpv4: "127.0.0.1", publicKeys: {} },
    records: [],
    bundles: [],
    dkim: dkimSelectors(settings, {}),
    ds: {},
    resolver: "127.0.0.1:1",
    credentials: { "ann@example.org": "ann's own", "bob@example.org": "bob's own" },
    ...changes,
  };
}

/** A bundle that has these ports alone. */
export function withPorts(ports: Readonly<Record<string, number>>): CheckTarget["bundles"] {
  return [
    { name: "test", units: [], ports: Object.entries(ports).map(([name, number]) => port(name, number)) },
  ];
}

export function port(name: string, number: number, from: Port["from"] = "anywhere"): Port {
  return { name, number, protocol: "tcp", from, why: "A test's." };
}

/** Runs one item; every line as `right: …`, `wrong: …` or `not looked at: …`. */
export async function lines(item: Item, where: CheckTarget): Promise<string[]> {
  const host = fromOutside(where);
  try {
    return texts(await item.look(host));
  } finally {
    await host.close();
  }
}

export function texts(findings: readonly Finding[]): string[] {
  return findings.map(
    ({ right, leftOut, text }) => `${leftOut ? "not looked at" : right ? "right" : "wrong"}: ${text}`,
  );
}

/** A small authority and what it signs. */
export interface Authority {
  /** PEM. */
  readonly ca: string;
  issue(subject: string, days?: { readonly past: number; readonly future: number }): ServerCertificate;
}

export interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
}

export function authority(name = "authority.test"): Authority {
  const caKey = newKey();
  const caName = sshpk.identityForHost(name);
  const ca = sshpk.createSelfSignedCertificate(caName, sshpk.parsePrivateKey(caKey));
  return {
    ca: ca.toString("pem"),
    issue(subject, days = { past: 1, future: 89 }) {
      const key = newKey();
      const parsed = sshpk.parsePrivateKey(key);
      const day = 24 * 3600 * 1000;
      const cert = sshpk.createCertificate(
        sshpk.identityForHost(subject),
        parsed.toPublic(),
        caName,
        sshpk.parsePrivateKey(caKey),
        {
          purposes: ["serverAuth"],
          validFrom: new Date(Date.now() - days.past * day),
          validUntil: new Date(Date.now() + days.future * day),
        } as sshpk.CertificateCreateOptions,
      );
      return { key, cert: cert.toString("pem") };
    },
  };
}

function newKey(): string {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  }) as string;
}

/** A real SMTP server on loopback with the manners of a good host; faults are put in by `options`. */
export interface TestServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function smtp(options: SMTPServerOptions): Promise<TestServer> {
  const server = new SMTPServer({
    name: hostname,
    disableReverseLookup: true,
    disabledCommands: ["VRFY", "AUTH"],
    logger: false,
    ...options,
  });
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A server that says what it is told to, command by command: for faults that no SMTP server has a switch for. */
export async function parrot(answers: Readonly<Record<string, string>>): Promise<TestServer> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write(`220 ${hostname} ESMTP\r\n`);
    socket.setEncoding("utf8").on("data", (line: string) => {
      const command = line.split(/[ :\r]/)[0]?.toUpperCase() ?? "";
      socket.write(`${answers[command] ?? "250 2.0.0 Fine"}\r\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** For smtp-server's callbacks. */
export function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}
