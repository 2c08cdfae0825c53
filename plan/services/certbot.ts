import type { Settings } from "../../settings/types.ts";
import { bundle, file, plainFile, secretFile, textFile, unit } from "../bundle.ts";
import { dnsChallenge } from "../dnsChallenge.ts";
import type { KeyRotation } from "../rotation.ts";
import { shellWord } from "../shell.ts";
import { tlsKeyInUse } from "../tlsKey.ts";
import type { Bundle } from "../types.ts";
import { webmail } from "../webmail.ts";

const program = "/usr/local/lib/mailhost/certificate";
const account = "/usr/local/lib/mailhost/account";
const request = "/etc/mailhost/certificate.conf";
const ca = "/etc/mailhost/acme-ca.pem";
const challenge = "/usr/local/lib/mailhost/challenge";
const challengeKey = "/etc/mailhost/challenge.json";

/**
 * Gets and renews the certificate, by http-01 (RFC 8555 section 8.3) or with `mailhost:dnsChallenge` by dns-01 (section 8.4), for
 * the key that the stack has: so certbot asks with a request (`--csr`), which it does not renew by itself, and a timer of ours
 * does in place of Debian's.
 */
export function certbot(settings: Settings, rotation: KeyRotation): Bundle {
  const { directory, caCertificate } = settings.acme;
  const trusted = caCertificate === undefined ? undefined : ca;
  const certificate = caCertificate?.trimEnd();
  const web = webmail(settings);
  const byDns = dnsChallenge(settings);
  return bundle({
    name: "certbot",
    why: "Gets the host's certificate and renews it.",
    packages: ["certbot", "openssl", ...(byDns === undefined ? [] : ["python3-dnspython"])],
    files: [
      // Root's shell reads it, and owner and URL may have `'` and `&`.
      file(request, {
        names: shellWord([settings.hostname, ...(web?.names ?? [])].join(" ")),
        directory: shellWord(directory),
        contact: shellWord(settings.owner),
        // The key itself comes apart. That it is another one has to be news here: the certificate is asked for anew then.
        key: tlsKeyInUse(settings, rotation).name,
        ca: trusted ?? false,
        byDns: byDns !== undefined,
      }),
      ...(certificate === undefined ? [] : [textFile(ca, `${certificate}\n`)]),
      plainFile(program, { mode: "0755" }),
      plainFile(account, { mode: "0755" }),
      ...(byDns === undefined ? [] : [plainFile(challenge, { mode: "0755" })]),
      plainFile("/etc/systemd/system/mailhost-certificate.service"),
      plainFile("/etc/systemd/system/mailhost-certificate.timer"),
    ],
    secretFiles:
      byDns === undefined
        ? []
        : [secretFile(challengeKey, [], () => `${JSON.stringify(byDns, undefined, 1)}\n`)],
    derivations: [
      {
        // A deployment does not fail because a name is not known everywhere yet: the timer tries again. It waits for the unit,
        // not longer than `apply` waits for a command (120 seconds); what is at work then goes on.
        command: "timeout 100 systemctl start mailhost-certificate.service || true",
        on: [request, ...(trusted === undefined ? [] : [trusted])],
        makes: ["/etc/letsencrypt/mail/fullchain.pem"],
      },
    ],
    units: [unit("mailhost-certificate.timer")],
    disabledUnits: ["certbot.timer"],
    ports:
      byDns !== undefined
        ? []
        : [
            {
              name: "http",
              number: 80,
              protocol: "tcp",
              from: "anywhere",
              why:
                web !== undefined
                  ? "Sends browsers on to HTTPS; and the ACME server looks at this host here."
                  : "The ACME server looks at this host while a certificate is asked for.",
            },
          ],
    after: ["storage", "tls", "unbound"],
  });
}
