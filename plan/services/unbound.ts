import type { Settings } from "../../settings/types.ts";
import { bundle, file, plainFile, textFile, unit } from "../bundle.ts";
import type { Bundle, HostFile } from "../types.ts";

const config = "/etc/unbound/unbound.conf";
const dropIn = "/etc/systemd/system/unbound.service.d/mailhost.conf";
const hints = "/etc/unbound/root.hints";
const anchor = "/etc/unbound/root.anchor";

/** The host's own resolver, which validates. */
export function unbound(settings: Settings): Bundle {
  const { rootHints, trustAnchor } = settings.resolver;
  const own: readonly HostFile[] = [
    ...(rootHints === undefined ? [] : [textFile(hints, rootHints)]),
    ...(trustAnchor === undefined ? [] : [textFile(anchor, trustAnchor)]),
  ];
  return bundle({
    name: "unbound",
    why: "Resolves names from the root down, validates DNSSEC, and serves this host alone.",
    packages: ["dns-root-data", "unbound"],
    files: [
      file(config, {
        rootHints: rootHints === undefined ? "/usr/share/dns/root.hints" : hints,
        trustAnchor: trustAnchor !== undefined && anchor,
      }),
      ...own,
      plainFile("/etc/resolv.conf"),
      plainFile(dropIn),
    ],
    validate: [
      // unbound's own unit makes the file of the public root's key just before it starts; the checker wants it now.
      ...(trustAnchor === undefined ? ["/usr/libexec/unbound-helper root_trust_anchor_update"] : []),
      "unbound-checkconf",
    ],
    units: [unit("unbound.service", { restart: ["/etc/unbound/", dropIn] })],
    // The first would write its own address into resolv.conf, the second would tell the first of this one.
    disabledUnits: ["systemd-resolved.service", "unbound-resolvconf.service"],
  });
}
