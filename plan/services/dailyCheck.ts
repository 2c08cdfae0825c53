import { secretKeys } from "../../settings/plainSecrets.ts";
import type { Settings } from "../../settings/types.ts";
import { bundle, directory, plainFile, secretFile, unit } from "../bundle.ts";
import { ACME_ACCOUNT, type DailyCheck, dailyCheckFile, dailyWays } from "../dailyCheck.ts";
import { recordContent } from "../facts.ts";
import type { Plan } from "../plan.ts";
import { program } from "../program.ts";
import type { Bundle, Secrets } from "../types.ts";

const code = "/usr/local/lib/mailhost/check.cjs";
const service = "/etc/systemd/system/mailhost-check.service";
const timer = "/etc/systemd/system/mailhost-check.timer";

/**
 * The check itself, run on the host each day (`mailhost:dailyCheck`): the same code as `npm run check`, and the plan as it
 * wants the world to be.
 * @returns nothing where the stack does not want it
 */
export function dailyCheck(
  settings: Settings,
  plan: Pick<Plan, "bundles" | "records" | "dkim">,
): readonly Bundle[] {
  const ways = dailyWays(settings);
  if (ways === undefined) return [];
  const made: Bundle = bundle({
    name: "daily-check",
    why: "Looks each day whether all is right, and tells the owner what changed.",
    packages: ["nodejs"],
    directories: [directory("/srv/check", { mode: "0700" })],
    files: [plainFile(service), plainFile(timer)],
    // Neither is for reading: beside the secrets, a preview says of them no more than that they change.
    secretFiles: [
      secretFile(code, [], () => program("check/onHost.ts")),
      secretFile(dailyCheckFile, ["known"], ({ known }) => {
        const told: DailyCheck = { ...target(settings, known, [...plan.bundles, made], plan), ...ways };
        return `${JSON.stringify(told, undefined, 1)}\n`;
      }),
    ],
    units: [unit("mailhost-check.timer", { restart: [timer] })],
    after: ["storage"],
  });
  return [made];
}

function target(
  settings: Settings,
  { stack, facts, ds }: Secrets["known"],
  bundles: readonly Bundle[],
  { records, dkim }: Pick<Plan, "records" | "dkim">,
): DailyCheck {
  const written = { ...facts, acmeAccount: ACME_ACCOUNT };
  const path = ({ path }: { readonly path: string }) => ({ path });
  return {
    stack,
    settings: withoutSecrets(settings),
    facts,
    records: records.map(({ why: _why, ...record }) => ({
      ...record,
      content: recordContent(record, written),
    })),
    bundles: bundles.map(({ name, units, ports, confirm, files, secretFiles }) => ({
      name,
      ports,
      confirm,
      units: units.map(({ name }) => ({ name })),
      files: files.map(path),
      secretFiles: secretFiles.map(path),
    })),
    dkim,
    ds,
  };
}

/** The settings, without the values of keys that are secret wherever they stand. */
function withoutSecrets(settings: Settings): Settings {
  const text = JSON.stringify(settings, (key, value) => (secretKeys.includes(key) ? undefined : value));
  return JSON.parse(text) as Settings;
}
