import { z } from "zod";
import { clientSettings } from "../plan/clientSettings.ts";
import { hasWorkers } from "../plan/dnsProvider.ts";
import { setupPage } from "../plan/setupPage.ts";
import { render } from "../plan/template.ts";
import type { DnsRecord, WebPage } from "../plan/types.ts";
import type { Domain, Settings } from "../settings/types.ts";
import { option } from "./option.ts";
import { pop3sPort } from "./pop3s.ts";

const profile = "/mail.mobileconfig";

/**
 * Mail programs that set themselves up: they ask the DNS (RFC 6186, RFC 8314 section 5.1) or a web address made of the
 * mail address. A Worker answers the latter, so the host needs no port for it.
 */
export const clientSetup = option({
  key: "clientSetup",
  schema: z
    .boolean()
    .default(true)
    .meta({
      description:
        "Whether mail programs find their settings by themselves: SRV records, autoconfig and autodiscover, a profile for Apple devices and a page for people, for each domain. A Cloudflare Worker serves what wants HTTPS, so domains whose zone is elsewhere (`dns`) have the SRV records alone.",
      examples: [false],
      synonyms: ["autoconfig", "autodiscover"],
    }),
  records: (isOn, settings, ttlOf) =>
    isOn ? settings.domains.flatMap((domain) => serviceRecords(domain, settings, ttlOf(domain))) : [],
  pages: (isOn, settings) => (isOn ? pagesOf(settings) : []),
});

/** A target of `.` says that there is no such service (RFC 2782). */
const none = "0 0 .";

function serviceRecords({ name, zone }: Domain, settings: Settings, ttl: number): DnsRecord[] {
  const { pop3s } = settings.options;
  const { incoming, outgoing, outgoingAlternative } = clientSettings(settings.hostname);
  const at = (port: number) => `1 ${port} ${settings.hostname}`;
  const services: readonly (readonly [service: string, priority: number, content: string, why: string])[] = [
    ["imaps", 0, at(incoming.port), "Mail programs find IMAP here, with TLS from the first byte"],
    ["submissions", 0, at(outgoing.port), "Mail programs send here, with TLS from the first byte"],
    ["submission", 10, at(outgoingAlternative.port), "Mail programs that know only STARTTLS send here"],
    ["imap", 0, none, "There is no IMAP without TLS"],
    ["pop3", 0, none, "There is no POP3 without TLS"],
    [
      "pop3s",
      10,
      pop3s ? at(pop3sPort.number) : none,
      pop3s ? "Programs that know POP3 only" : "There is no POP3",
    ],
  ];
  return services.map(([service, priority, content, why]) => ({
    zone,
    name: `_${service}._tcp.${name}`,
    type: "SRV",
    ttl,
    priority: content === none ? 0 : priority,
    content,
    why: `Mail set-up: ${why.charAt(0).toLowerCase()}${why.slice(1)}`,
  }));
}

function pagesOf(settings: Settings): readonly WebPage[] {
  return settings.domains
    .filter(({ zone }) => hasWorkers(settings.options.dns, zone))
    .flatMap((domain) => domainPages(domain, settings));
}

function domainPages({ name, zone }: Domain, settings: Settings): WebPage[] {
  const model = {
    domain: name,
    hostname: settings.hostname,
    ...clientSettings(settings.hostname),
    pop3s: settings.options.pop3s && { port: pop3sPort.number },
    page: setupPage(name),
    profile,
  };
  const page = (
    host: string,
    path: string,
    file: string,
    type: string,
    more: Partial<WebPage> = {},
  ): WebPage => ({
    zone,
    host: `${host}.${name}`,
    path,
    method: "GET",
    content: { text: render(`cloudflare/${file}`, model) },
    ...more,
    headers: { "content-type": `${type}; charset=utf-8`, ...more.headers },
  });
  return [
    page("autoconfig", "/mail/config-v1.1.xml", "autoconfig.xml", "text/xml"),
    page("autodiscover", "/autodiscover/autodiscover.xml", "autodiscover.xml", "text/xml", {
      method: "POST",
      address: { in: "body", domain: name },
    }),
    page("autoconfig", profile, "mail.mobileconfig", "application/x-apple-aspen-config", {
      address: { in: "query", domain: name },
      headers: { "content-disposition": `attachment; filename="${name}.mobileconfig"` },
    }),
    page("autoconfig", "/", "setup.html", "text/html", {
      headers: {
        "content-security-policy":
          "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      },
    }),
  ];
}
