/** Machines that send through the host: known by their network, their certificate or their login. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { networkOf, runInside } from "../../local/world/network.ts";
import { cloudFolder, cloudInfo } from "./mailhost.ts";

/** Last octets in the cloud's range: the printer, and a machine that nobody knows. */
export const octets = { printer: 247, stranger: 248 } as const;

/** A certificate that a machine has made for itself, with its key in the same file. Made once for each cloud. */
export function certificateOf(name: string): { readonly file: string; readonly pem: string } {
  const file = join(cloudFolder, `${name}.pem`);
  if (!existsSync(file)) {
    const made = ["-keyout", file, "-out", `${file}.crt`, "-subj", `/CN=${name}`, "-nodes", "-days", "30"];
    execFileSync("openssl", ["req", "-x509", "-newkey", "ed25519", ...made], { stdio: "ignore" });
    execFileSync("sh", ["-c", 'cat "$1.crt" >>"$1"', "sh", file]);
  }
  return { file, pem: readFileSync(`${file}.crt`, "utf8") };
}

/** What the stack file says of them. */
export const trusted = () => ({
  printer: {
    networks: [`198.18.${cloudInfo().slot}.${octets.printer}/32`],
    senders: ["scanner@example.org"],
    limit: 3,
  },
  nas: { certificate: certificateOf("nas").pem, senders: ["nas@example.org"] },
  shop: { login: true, senders: ["@example.com"] },
});

export interface MachineLetter {
  /** The machine's own address, of the cloud's range. */
  readonly at: string;
  /** The host's. */
  readonly host: string;
  /** @default 465 */
  readonly port?: 25 | 465 | 587;
  /** Envelope sender, and header From where that is not another. */
  readonly from: string;
  readonly headerFrom?: string;
  readonly to: string;
  readonly subject?: string;
  readonly login?: { readonly login: string; readonly password: string };
  /** File with certificate and key. */
  readonly certificate?: string;
}

// As on a printer's or a shop's own machine: Python's smtplib.
const program = `
import json, smtplib, ssl, sys
letter = json.load(sys.stdin)
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
if letter.get("certificate"):
    context.load_cert_chain(letter["certificate"])
port = letter.get("port", 465)
options = dict(local_hostname="machine.invalid", timeout=30, source_address=(letter["at"], 0))
try:
    if port == 465:
        smtp = smtplib.SMTP_SSL(letter["host"], port, context=context, **options)
    else:
        smtp = smtplib.SMTP(letter["host"], port, **options)
        smtp.starttls(context=context)
    if letter.get("login"):
        smtp.login(letter["login"]["login"], letter["login"]["password"])
    head = "From: %s\\r\\nTo: %s\\r\\nSubject: %s\\r\\n\\r\\n" % (
        letter.get("headerFrom", letter["from"]), letter["to"], letter.get("subject", "From a machine"))
    smtp.sendmail(letter["from"], [letter["to"]], head + "Words.\\r\\n")
    smtp.quit()
    print("250 sent")
except smtplib.SMTPRecipientsRefused as refused:
    code, text = list(refused.recipients.values())[0]
    print(code, text.decode())
except smtplib.SMTPResponseException as refused:
    print(refused.smtp_code, refused.smtp_error.decode())
`;

/** Sends from inside the host's network. @returns the host's answer: `250 sent`, or the first refusal */
export async function fromMachine(letter: MachineLetter): Promise<string> {
  const { router } = networkOf(cloudInfo().slot);
  return (await runInside(router, ["python3", "-c", program], JSON.stringify(letter))).trim();
}
