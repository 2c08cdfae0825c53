import type { Settings } from "../../settings/types.ts";
import { bundle, directory, file, plainFile, secretFile, textFile, unit } from "../bundle.ts";
import { nameserver, transferSecret, zoneApex } from "../nameserver.ts";
import { render } from "../template.ts";
import type { Bundle } from "../types.ts";

const config = "/etc/knot/knot.conf";
const keysFile = "/etc/knot/keys.conf";
const apexes = "/etc/knot/zones";
const program = "/usr/local/lib/mailhost/zones";
const dropIn = "/etc/systemd/system/knot.service.d/mailhost.conf";

/**
 * The nameserver of the zones that the host serves by itself, where there are some. What a zone says of itself is in this bundle;
 * the records come one after the other, when they are due (`components/nameserver.ts`).
 */
export function knot(settings: Settings): readonly Bundle[] {
  const own = nameserver(settings);
  if (own === undefined) return [];
  const { zones, secondaries } = own;
  // Two servers of one provider may have one key.
  const keys = [...new Map(secondaries.flatMap(({ key }) => (key ? [[key.name, key]] : []))).values()];
  return [
    bundle({
      name: "knot",
      why: "Serves the zones that this host is the nameserver of, signs them, and gives copies to the secondaries.",
      packages: ["knot", "knot-dnssecutils"],
      directories: [
        directory("/etc/knot", { group: "knot" }),
        directory(apexes),
        directory("/srv/knot", { owner: "knot", mode: "0700" }),
        directory("/srv/zones"),
        directory("/srv/zones/parts"),
      ],
      files: [
        file(config, {
          keys: keys.length > 0,
          names: secondaries.map(({ name }) => name).join(", "),
          secondaries: secondaries.map(({ name, addresses, key }) => ({
            name,
            addresses: addresses.join(", "),
            key: key?.name ?? false,
          })),
          zones,
        }),
        ...zones.map((zone) => textFile(`${apexes}/${zone}.zone`, zoneApex(settings, own, zone))),
        plainFile(program, { mode: "0755" }),
        plainFile(dropIn),
      ],
      secretFiles:
        keys.length === 0
          ? []
          : [
              secretFile(
                keysFile,
                ["generated"],
                ({ generated }) =>
                  render(keysFile.slice(1), {
                    keys: keys.map((key) => ({ ...key, secret: transferSecret(key, generated) })),
                  }),
                { group: "knot", mode: "0640" },
              ),
            ],
      generates: keys.flatMap(({ secret, generatedAs }) => (secret === undefined ? [generatedAs] : [])),
      derivations: [{ command: `${program} assemble`, on: [`${apexes}/`, program] }],
      // Where it listens is written down when it starts.
      validate: ["touch /run/mailhost-knot.conf && knotc conf-check"],
      units: [
        unit("knot.service", {
          reload: [config, `${apexes}/`, ...(keys.length > 0 ? [keysFile] : [])],
          restart: [dropIn],
        }),
      ],
      ports: (["tcp", "udp"] as const).map((protocol) => ({
        name: protocol === "tcp" ? "domain" : "domain-udp",
        number: 53,
        protocol,
        from: "anywhere" as const,
        why: "This host is a nameserver of its own domains.",
      })),
      after: ["storage", "base"],
    }),
  ];
}
