import { createTransport } from "nodemailer";
import type { MailHost } from "../e2e/mail.ts";

export interface Flood {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly messages: number;
}

const letter = "Some words of a letter.\n".repeat(200);

/** From outside, over 20 connections with STARTTLS, as fast as they are taken; a refusal for now is tried again, as a server does. */
export async function flood(host: MailHost, { from, to, subject, messages }: Flood): Promise<void> {
  const transport = createTransport({
    host: host.publicIp,
    port: 25,
    // As a server does; an address in its place looks like spam.
    name: "deb.debian.org",
    pool: true,
    maxConnections: 20,
    maxMessages: 1000,
    // Whose certificate it is no server asks that sends by opportunistic TLS.
    tls: { servername: host.hostname, rejectUnauthorized: false },
  });
  const send = async (index: number): Promise<void> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await transport.sendMail({ from, to, subject, text: `${index}\n${letter}` });
        return;
      } catch (error) {
        const code = (error as { responseCode?: number }).responseCode ?? 0;
        if (Math.floor(code / 100) !== 4 || attempt > 100) throw error;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: messages }, (_, index) => send(index)));
  } finally {
    transport.close();
  }
}
