import { getWorkersScripts } from "@pulumi/cloudflare/getWorkersScripts.js";
import { WorkersCustomDomain } from "@pulumi/cloudflare/workersCustomDomain.js";
import { WorkersScript } from "@pulumi/cloudflare/workersScript.js";
import * as pulumi from "@pulumi/pulumi";
import { freeTheName, leadingElsewhere, nameTaken } from "../plan/conflicts.ts";
import { untouchedText, workersRefused } from "../plan/refusals.ts";
import type { WebPage } from "../plan/types.ts";
import type { CloudflareZones } from "./dns/cloudflare.ts";
import { reasonOf } from "./reason.ts";

/** The day whose behaviour of the runtime the script is written for. */
const COMPATIBILITY_DATE = "2026-09-01";

export interface WorkerArgs {
  readonly zones: CloudflareZones;
  /** The script's name in the account. */
  readonly name: string;
  /** Module syntax. */
  readonly script: string;
  /** Names that lead to it; without one there is no Worker at all. */
  readonly hosts: readonly Pick<WebPage, "host" | "zone">[];
}

/**
 * Asked before anything is made: the Worker is made last, beside a host that would be there already.
 *
 * @throws pulumi.RunError with the rights that Cloudflare's token lacks
 */
export async function mayRunWorkers({ zones, hosts }: Pick<WorkerArgs, "zones" | "hosts">): Promise<void> {
  const accounts = new Set(hosts.flatMap(({ zone }) => zones.get(zone)?.accountId ?? []));
  for (const accountId of accounts) {
    await getWorkersScripts({ accountId }).catch((error: Error) => {
      throw new pulumi.RunError(untouchedText(workersRefused(accountId, reasonOf(error))));
    });
  }
}

/**
 * One Cloudflare Worker that answers at all the stack's web addresses. Its custom domains bring their own DNS records
 * and certificates; so nothing listens on the host for it, and it answers when the host is down.
 */
export class Worker extends pulumi.ComponentResource {
  readonly #domains = new Map<string, pulumi.Resource>();

  constructor(name: string, args: WorkerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mailhost:web:Worker", name, {}, opts);
    const [first] = args.hosts;
    if (first !== undefined) {
      const zoneOf = (zone: string) => {
        const found = args.zones.get(zone);
        if (found === undefined) throw new pulumi.ResourceError(`No zone ${zone}`, this);
        return found;
      };
      const script = new WorkersScript(
        `${name}-script`,
        {
          accountId: zoneOf(first.zone).accountId,
          scriptName: args.name,
          content: args.script,
          mainModule: "worker.js",
          compatibilityDate: COMPATIBILITY_DATE,
        },
        { parent: this },
      );
      const refuseForeign = refusal(`${name}-refuse-foreign`, args.zones);
      for (const { host, zone } of args.hosts) {
        const { id: zoneId, accountId } = zoneOf(zone);
        const domain = new WorkersCustomDomain(
          `${name}-${host}`,
          { accountId, zoneId, hostname: host, service: script.scriptName },
          { parent: this, dependsOn: [script], hooks: { beforeCreate: [refuseForeign] } },
        );
        this.#domains.set(host, domain);
      }
    }
    this.registerOutputs({});
  }

  /** What leads a host name to the Worker as it is planned, for what has to wait for its pages; nothing where none does. */
  serving(host: string): readonly pulumi.Resource[] {
    const domain = this.#domains.get(host);
    return domain === undefined ? [] : [domain];
  }
}

/** Runs before a custom domain is made, in previews too: Cloudflare takes none where the name leads elsewhere already. */
function refusal(hookName: string, zones: CloudflareZones): pulumi.ResourceHook {
  return new pulumi.ResourceHook(
    hookName,
    (args) => {
      const { zoneId, hostname } = args.newInputs as Record<"zoneId" | "hostname", string>;
      const { records = [] } = [...zones.values()].find(({ id }) => id === zoneId) ?? {};
      const leading = leadingElsewhere(records.filter(({ name }) => name === hostname));
      if (leading.length === 0) return;
      throw new Error(
        [
          `${nameTaken(hostname)}; nothing was overwritten.`,
          ...leading.map((other) => `  ${other.name} ${other.type} ${other.content}`),
          ...freeTheName.map((way) => `    ${way}`),
        ].join("\n"),
      );
    },
    { onDryRun: true },
  );
}
