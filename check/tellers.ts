import { randomUUID } from "node:crypto";
import { ask, valuesOf } from "../dns/client.ts";
import { addressParts } from "../settings/names.ts";
import type { Session } from "../ssh/session.ts";
import type { Teller } from "./daily.ts";
import { asked, said } from "./http.ts";
import { openSmtp } from "./smtp.ts";
import { type Changes, changeLines } from "./watch.ts";

/** Who tells it, and what of. */
export interface Sender {
  /** The host's name. */
  readonly host: string;
  readonly stack: string;
}

/** A mail to an address, by Postfix's queue: it comes when Postfix runs, also later. */
export function byMail(name: string, from: Sender, to: string, session: Session): Teller {
  return {
    name,
    async tell(news) {
      const { code, stderr } = await session.run(`/usr/sbin/sendmail -f root@${from.host} -- ${to}`, {
        root: true,
        input: message(news, from, to),
      });
      if (code !== 0) throw new Error(stderr.trim() || `sendmail ended with code ${code}`);
    },
  };
}

/**
 * A mail to an address of another provider, brought to its server at once: the host's own Postfix may be what is wrong. Where
 * no server there takes it, it goes the other way.
 */
export function straight(
  name: string,
  from: Sender,
  to: string,
  around: { readonly resolver: string; readonly roots: readonly string[]; readonly otherwise: Teller },
): Teller {
  return {
    name,
    async tell(news) {
      const raw = message(news, from, to);
      for (const server of await serversOf(addressParts(to).domain, around.resolver).catch(() => [])) {
        if (await brought(server, from, to, raw, around.roots).catch(() => false)) return;
      }
      await around.otherwise.tell(news);
    },
  };
}

interface MailServer {
  readonly name: string;
  readonly address: string;
}

/** The servers that take a domain's mail, in the order of their preference (RFC 5321 section 5.1). */
async function serversOf(domain: string, resolver: string): Promise<readonly MailServer[]> {
  const exchanges = valuesOf((await ask(resolver, domain, "MX")).answers).map((value) => value.split(" "));
  const names = exchanges
    .toSorted(([one], [other]) => Number(one) - Number(other))
    .map(([, name = ""]) => name);
  const found = await Promise.all(
    (names.length > 0 ? names : [domain]).map(async (name) =>
      valuesOf((await ask(resolver, name, "A")).answers).map((address) => ({ name, address })),
    ),
  );
  return found.flat();
}

/** Encrypted where the server can, to whoever that is, as Postfix sends: @returns whether it has taken it */
async function brought(
  { name, address }: MailServer,
  { host }: Sender,
  to: string,
  raw: string,
  roots: readonly string[],
): Promise<boolean> {
  const smtp = await openSmtp({
    address,
    port: 25,
    servername: name,
    roots,
    implicitTls: false,
    client: host,
  });
  try {
    if ((await smtp.ehlo()).extensions.has("STARTTLS")) {
      await smtp.startTls();
      await smtp.ehlo();
    }
    const { at, reply } = await smtp.deliver(`root@${host}`, to, raw);
    return at === "message" && reply.code === 250;
  } finally {
    await smtp.quit();
  }
}

/** JSON by POST to an https URL. `text` is what incoming webhooks of chats show. */
export function byWebhook(name: string, from: Sender, url: string, roots: readonly string[]): Teller {
  return {
    name,
    async tell({ wrong, over }) {
      const { hostname, port, pathname, search } = new URL(url);
      const answer = await asked({
        scheme: "https",
        address: hostname,
        ...(port !== "" && { port: Number(port) }),
        name: hostname,
        path: `${pathname}${search}`,
        body: JSON.stringify({
          host: from.host,
          at: new Date().toISOString(),
          text: [subject({ wrong, over }, from), ...changeLines({ wrong, over }, false)].join("\n"),
          wrong: wrong.map(({ about, text, remedy }) => ({ about, text, remedy })),
          over: over.map(({ about, text }) => ({ about, text })),
        }),
        type: "application/json",
        roots,
      });
      // Its address is a secret, and no part of what is complained of.
      if (Math.trunc((answer.status ?? 0) / 100) !== 2)
        throw new Error(said(answer).replaceAll(hostname, "…"));
    },
  };
}

function subject({ wrong, over }: Changes, { host }: Sender): string {
  const parts = [
    ...(wrong.length > 0 ? [`${wrong.length} newly wrong`] : []),
    ...(over.length > 0 ? [`${over.length} no longer wrong`] : []),
  ];
  return `${host}: ${parts.join(", ")}`;
}

function message(news: Changes, from: Sender, to: string): string {
  const lines = [
    `What changed at ${from.host} since it was last told:`,
    "",
    ...changeLines(news, false),
    "",
    `All of it, also as it is seen from outside: npm run check -- --stack ${from.stack}`,
    "The host looks by itself each day (mailhost:dailyCheck).",
    "",
  ];
  const body = Buffer.from(lines.join("\n")).toString("base64").replaceAll(/.{76}/g, "$&\n");
  const header = [
    `From: <root@${from.host}>`,
    `To: <${to}>`,
    `Subject: ${subject(news, from)}`,
    `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${randomUUID()}@${from.host}>`,
    // Nobody's absence note is for it (RFC 3834 section 5).
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: base64",
  ];
  return `${header.join("\n")}\n\n${body}\n`;
}
