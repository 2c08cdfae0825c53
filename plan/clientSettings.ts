import { imaps } from "./services/dovecot.ts";
import { submission, submissions } from "./services/postfix.ts";

/** What a person types into a mail program (RFC 8314: TLS from the first byte); the ports are those that the daemons open. */
export function clientSettings(host: string) {
  return {
    login: "the whole mail address",
    incoming: { protocol: "IMAP", host, port: imaps.number, security: "SSL/TLS" },
    outgoing: { protocol: "SMTP", host, port: submissions.number, security: "SSL/TLS" },
    outgoingAlternative: { protocol: "SMTP", host, port: submission.number, security: "STARTTLS" },
  } as const;
}
