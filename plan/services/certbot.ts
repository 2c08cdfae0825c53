import type { Settings } from "../../settings/types.ts";
import { bundle, file, plainFile, unit } from "../bundle.ts";
import type { Bundle } from "../types.ts";
import { webmail } from "../webmail.ts";

const program = "/usr/local/lib/mailhost/certificate";
const account = "/usr/local/lib/mailhost/account";
const request = "/etc/mailhost/certificate.conf";
const ca = "/etc/mailhost/acme-ca.pem";

/** Gets and renews the certificate, by http-01 (RFC 8555 section 8.3). */
export function certbot(settings: Settings): Bundle {
  const { directory, caCertificate } = settings.acme;
  const trusted = caCertificate === undefined ? undefined : ca;
  const certificate = caCertificate?.trimEnd();
  const web = webmail(settings);
  return bundle({
    name: "certbot",
    why: "Gets the host's certificate and renews it.",
    packages: ["certbot", "openssl"],
    files: [
      file(request, {
        names: quoted([settings.hostname, ...(web?.names ?? [])].join(" ")),
        directory: quoted(directory),
        contact: quoted(settings.owner),
        ca: trusted ?? false,
      }),
      ...(certificate === undefined
        ? []
        : [{ path: ca, owner: "root", group: "root", mode: "0644", content: `${certificate}\n` }]),
      plainFile(program, { mode: "0755" }),
      plainFile(account, { mode: "0755" }),
      plainFile("/etc/systemd/system/certbot.service.d/mailhost.conf"),
      plainFile("/etc/systemd/system/mailhost-certificate.service"),
      plainFile("/etc/systemd/system/mailhost-certificate.timer"),
    ],
    derivations: [
      {
        // A deployment does not fail because a name is not known everywhere yet: the timer tries again.
        command: `${program} || true`,
        on: [request, ...(trusted === undefined ? [] : [trusted])],
        makes: ["/etc/letsencrypt/live/mail/fullchain.pem"],
      },
    ],
    units: [unit("mailhost-certificate.timer"), unit("certbot.timer")],
    ports: [
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

/** One word of a shell script, whatever is in it. Root's shell reads this file, and owner and URL may have `'` and `&`. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
