import type { Settings } from "../../settings/types.ts";
import { mailhostCommand, pulumiCommand } from "../engineWords.ts";

/** What is to be done to leave a host behind, in this order. */
export function leaveSteps(stack: string, { hostname, domains }: Settings): readonly string[] {
  const names = domains.map(({ name }) => name).join(", ");
  return [
    `How to leave ${hostname} (${names})`,
    "",
    "1. Make the mailboxes (mailboxes.csv) and aliases (aliases.csv) at the new host, and bring the mail there: each",
    "   mail/DOMAIN/NAME.tar has a Maildir, and the owner's Sieve scripts in sieve/. With IMAP alone: imapsync from this host.",
    "   Passwords and the keys of DKIM do not go along: the new host has its own.",
    `2. A day before the move, set the TTL of the MX ${domains.length === 1 ? "record" : "records"} to 300. dns/ has every record as it is now.`,
    "3. Move the DNS at who keeps it, and run no `pulumi up` from here on: add the new host's MX, SPF, DKIM and DMARC records, delete",
    "   this one's MX, SPF and DMARC. Leave its DKIM records (…._domainkey) for a week: what it has sent may still be on its way.",
    `4. Two days later take the mail once more, for what came in between: ${mailhostCommand(stack, "leave --to ANOTHER-FOLDER")}`,
    "5. A week later take the host down. The volume with the mail stays; the last line deletes the stack file: keep a copy.",
    ...["refresh", "state unprotect --all", "destroy"].map((words) => `     ${pulumiCommand(stack, words)}`),
    `     ${pulumiCommand(stack, "stack rm")}`,
    '6. When you are sure, delete the volume at AWS, then the Cloudflare token and the IAM user (README, "How to leave").',
    "",
    "Nothing was taken away by this command.",
  ];
}
