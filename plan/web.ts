/** What the stack's domains show on the web, and the script of the Worker that shows it. */
import { createHash } from "node:crypto";
import { brought } from "../options/list.ts";
import type { Settings } from "../settings/types.ts";
import { bimiHost, bimiRecord } from "./bimi.ts";
import type { Ramps } from "./ramp.ts";
import { verbatim } from "./template.ts";
import type { WebPage } from "./types.ts";

/**
 * A Worker that shows the options' pages: its name, its script, and the host names that lead to it.
 * @param ramps where the policies stand that ramp
 */
export function webWorker(settings: Settings, ramps: Ramps) {
  const pages = webPages(settings, ramps);
  return { name: workerName(settings), script: workerScript(settings, pages), hosts: webHosts(pages) };
}

/**
 * Every page that the options bring.
 * @param ramps where the policies stand that ramp
 */
export function webPages(settings: Settings, ramps: Ramps): readonly WebPage[] {
  return brought(settings, (option, value) => option.pages?.(value, settings, ramps));
}

/** The host names that the pages need, each with its zone. */
export function webHosts(pages: readonly WebPage[]): readonly Pick<WebPage, "host" | "zone">[] {
  return [...new Map(pages.map(({ host, zone }) => [host, { host, zone }])).values()];
}

/**
 * The host name of the page that a record tells of: of MTA-STS's policy (RFC 8461 sections 3.1 and 3.3), or of a logo.
 * @param name the record's
 */
export function pageHost(name: string): string | undefined {
  if (name.startsWith("_mta-sts.")) return name.slice(1);
  return name.startsWith(bimiRecord("")) ? bimiHost(name.slice(bimiRecord("").length)) : undefined;
}

/**
 * The Worker's name in the account: letters, digits and hyphens, 63 at most. The host's name is in it, so that two
 * stacks in one account do not meet.
 */
export function workerName({ hostname }: Pick<Settings, "hostname">): string {
  // A dot and a hyphen look the same in it, and long names are cut: the hash tells them apart.
  const mark = createHash("sha256").update(hostname).digest("hex").slice(0, 6);
  return `${`mailhost-${hostname.replaceAll(".", "-")}`.slice(0, 56)}-${mark}`.replace(/-{2,}/g, "-");
}

/** The Worker's script (module syntax). Texts stand in it line by line, so that a preview shows which one changes. */
export function workerScript(settings: Settings, pages: readonly WebPage[]): string {
  const entries = pages.map(({ host, path, method, headers, content, address }) => ({
    host,
    path,
    method,
    headers,
    ...("text" in content ? { lines: content.text.split("\n") } : { base64: content.base64 }),
    ...(address && { address }),
  }));
  return [
    `// What the domains of ${settings.hostname} show on the web. A change by hand lasts until the next \`up\`.`,
    `const pages = ${JSON.stringify(entries, undefined, 2)};`,
    "",
    verbatim("cloudflare/worker.js"),
  ].join("\n");
}
