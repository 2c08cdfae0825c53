/** What programs that are not ours make of a stack's records: as other servers would that look at them. */
import { dirname, join } from "node:path";
import { ensurePackages } from "../../local/prerequisites.ts";
import { run } from "../../local/run.ts";
import { recordKey } from "../../plan/recordKey.ts";
import { valueText, type ZoneRecord } from "../../plan/zoneFile.ts";
import { cloudFolder, cloudInfo, onHost, stackOutput } from "./mailhost.ts";
import { scratchFiles, seeing } from "./scratch.ts";

const needs = [
  {
    what: "mta-sts-query",
    package: "postfix-mta-sts-resolver",
    why: "reads MTA-STS policies as a sending server does",
  },
  { what: "delv", package: "bind9-dnsutils", why: "validates records from the root down, by itself" },
  { what: "ldns-verify-zone", package: "ldnsutils", why: "verifies a signed zone as a whole" },
] as const;

/** Installs them where they are missing. */
export function ensureVerifiers(): Promise<void> {
  return ensurePackages(needs);
}

/**
 * Runs programs that find the world's DNS and authorities where a machine has them. To be called once, outside of the tests: its
 * files go when the test file ends.
 */
export function verifiers() {
  const path = scratchFiles();
  return {
    /** What a sender that knows MTA-STS says of a domain's policy. */
    stsOf: (domain: string): Promise<string> => {
      const { resolver, issuerCa } = cloudInfo();
      const conf = path("resolv.conf", `nameserver ${resolver}\n`);
      const env = { ...process.env, SSL_CERT_FILE: path("roots.pem", issuerCa) };
      return seeing({ "/etc/resolv.conf": conf }, ["mta-sts-query", domain], { env });
    },

    /**
     * What BIND's validator finds under each name and type, whatever the resolver thinks of it.
     * @param questions `name type`
     * @returns by `recordKey`: values as `valuesOf` (dns/client.ts) writes them; nothing where they are not fully validated
     */
    validated: async (
      questions: readonly Pick<ZoneRecord, "name" | "type">[],
    ): Promise<ReadonlyMap<string, readonly string[]>> => {
      const { resolver, trustAnchor } = cloudInfo();
      const [, rdata = ""] = /\sDS\s+(.*)$/m.exec(trustAnchor) ?? [];
      const anchor = path("anchor", `trust-anchors { . static-ds ${rdata.replace(/(\S+)$/, '"$1"')}; };\n`);
      // Their words are short enough to be written at once, so four of them do not mix.
      const one = `printf '> %s %s\\n%s\\n' "$1" "$2" "$(delv @${resolver} -a ${anchor} +nosplit "$1" "$2" 2>&1)"`;
      const said = await run("xargs", ["-P", "4", "-n", "2", "sh", "-c", one, "sh"], {
        input: questions.map(({ name, type }) => `${name} ${type}\n`).join(""),
      });
      return new Map(
        said
          .split(/^> /m)
          .slice(1)
          .flatMap((block): [string, readonly string[]][] => {
            const [question = "", verdict, ...answers] = block.trimEnd().split("\n");
            const [name = "", type = ""] = question.split(" ");
            if (verdict !== "; fully validated") return [];
            const values = answers.flatMap((line) => {
              const [, found, text = ""] = /^\S+\s+\d+\s+IN\s+(\S+)\s+(.*)$/.exec(line) ?? [];
              return found === type ? [plain(type, text)] : [];
            });
            return [[recordKey({ type: type as ZoneRecord["type"], name }), values.toSorted()]];
          }),
      );
    },

    /** What ldns says of a zone as its nameserver serves it: `OK`, or what is wrong. */
    zoneVerdict: async (zone: string): Promise<string> => {
      const file = path(zone, "");
      const socket = join(cloudFolder, "dns/knot.sock");
      await run("knotc", ["-b", "-s", socket, "zone-flush", zone, "+outdir", dirname(file)]);
      return (await run("sh", ["-c", 'ldns-verify-zone -V 2 "$1" 2>&1 || true', "sh", file])).trim();
    },
  };
}

/** Every record that the stack says it has, by name and type, with its values as `valuesOf` writes them. */
export async function plannedSets(): Promise<ReadonlyMap<string, readonly string[]>> {
  const { dnsRecords } = (await stackOutput()) as {
    readonly dnsRecords: Readonly<Record<string, ZoneRecord>>;
  };
  const sets = Map.groupBy(Object.values(dnsRecords), recordKey);
  return new Map([...sets].map(([key, records]) => [key, records.map(valueText).toSorted()]));
}

/**
 * What Postfix says of the connection to each domain's mail server where it may deliver by DANE alone: `Verified`,
 * `Untrusted`…, or its own words where there is none.
 */
export async function daneVerdicts(domains: readonly string[]): Promise<readonly string[]> {
  const said = await onHost(
    `for domain in ${domains.join(" ")}; do echo "> $domain"; posttls-finger -t 20 -c -l dane-only -L summary $domain 2>&1; done`,
  );
  return said
    .split(/^> .*\n/m)
    .slice(1)
    .map((block) => /^posttls-finger: (\w+) TLS connection established/m.exec(block)?.[1] ?? block);
}

/** Of these, the keys that a table of Postfix's has. */
export async function inTable(table: string, keys: readonly string[]): Promise<readonly string[]> {
  const said = await onHost(`postmap -q - lmdb:/etc/postfix/${table}`, `${keys.join("\n")}\n`);
  return said.split("\n").flatMap((line) => line.split("\t")[0] || []);
}

/** TXT as one text, names without their last dot, digests in capitals. */
function plain(type: string, text: string): string {
  switch (type) {
    case "TXT":
      return [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
        .map(([, part = ""]) => part.replace(/\\(.)/g, "$1"))
        .join("");
    case "TLSA":
      return text.toUpperCase();
    default:
      return text.replace(/(?<=\S)\.$/, "");
  }
}
