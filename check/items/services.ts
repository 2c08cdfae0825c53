import { applyAgain } from "../again.ts";
import { insideItem } from "../inside.ts";
import { type Finding, right, wrong } from "../types.ts";

/** The plan's units run and come back after a reboot; none of the machine's has failed. */
export const services = insideItem(
  "services",
  ({ target }) => {
    const names = target.bundles.flatMap(({ units }) => units.map(({ name }) => name));
    // show, not is-active: it ends with 0 whatever the state is.
    return `systemctl show -p Id,Type,ActiveState,Result,ConditionResult,ConditionTimestampMonotonic,UnitFileState -- ${names.join(" ")}; echo; echo =failed=; systemctl list-units --failed --plain --no-legend --no-pager`;
  },
  (output, { target }) => {
    const [shown = "", failed = ""] = output.split("=failed=\n");
    const states = new Map(shown.split(/\n\n+/).map((block) => [property(block, "Id"), block]));
    const units = target.bundles.flatMap((bundle) =>
      bundle.units.map(({ name }) => ({ name, bundle: bundle.name })),
    );
    const names = units.map(({ name }) => name);
    const down = units.flatMap(({ name, bundle }): Finding[] => {
      const block = states.get(name) ?? "";
      if (!isUp(block)) {
        const active = property(block, "ActiveState") || "unknown";
        const remedy = `See why: \`npm run host -- journalctl -u ${name} -n 50\`, then ${applyAgain(target, bundle)}.`;
        return [wrong(`${name} is ${active}`, remedy, { part: name })];
      }
      return property(block, "UnitFileState") === "disabled"
        ? [
            wrong(
              `${name} runs, but is not started at boot`,
              `Run \`npm run host -- sudo systemctl enable ${name}\`.`,
              { part: `boot.${name}` },
            ),
          ]
        : [];
    });
    const broken = failed
      .split("\n")
      .map((line) => line.trim().split(/\s+/)[0] ?? "")
      .filter((name) => name !== "" && !names.includes(name));
    return [
      ...(down.length === 0 ? [right(`all ${names.length} services of the plan run`)] : down),
      ...(broken.length === 0
        ? [right("no unit of the machine has failed")]
        : broken.map((name) =>
            wrong(`${name} has failed`, `See why: \`npm run host -- journalctl -u ${name} -n 50\`.`, {
              part: `failed.${name}`,
            }),
          )),
    ];
  },
);

/** Running, or rightly not: a program that runs once and went well, or a unit that is not meant for this machine. */
function isUp(block: string): boolean {
  const state = property(block, "ActiveState");
  const ranOnce = property(block, "Type") === "oneshot" && property(block, "Result") === "success";
  // Also of a unit that was never asked to start it says no; only the time tells these apart.
  const asked = !["", "0"].includes(property(block, "ConditionTimestampMonotonic"));
  const notMeant = asked && property(block, "ConditionResult") === "no";
  return ["active", "reloading"].includes(state) || (state === "inactive" && (ranOnce || notMeant));
}

function property(block: string, name: string): string {
  return new RegExp(`^${name}=(.*)$`, "m").exec(block)?.[1] ?? "";
}
