import { insideItem } from "../inside.ts";
import { type Finding, right, wrong } from "../types.ts";

/** The plan's units run and come back after a reboot; none of the machine's has failed. */
export const services = insideItem(
  "services",
  ({ target }) => {
    const names = target.bundles.flatMap(({ units }) => units.map(({ name }) => name));
    // show, not is-active: it ends with 0 whatever the state is.
    return `systemctl show -p Id,ActiveState,UnitFileState -- ${names.join(" ")}; echo; echo =failed=; systemctl list-units --failed --plain --no-legend --no-pager`;
  },
  (output, { target }) => {
    const [shown = "", failed = ""] = output.split("=failed=\n");
    const states = new Map(shown.split(/\n\n+/).map((block) => [property(block, "Id"), block]));
    const names = target.bundles.flatMap(({ units }) => units.map(({ name }) => name));
    const down = names.flatMap((name): Finding[] => {
      const active = property(states.get(name) ?? "", "ActiveState") || "unknown";
      const enabled = property(states.get(name) ?? "", "UnitFileState");
      if (active !== "active" && active !== "reloading") {
        return [
          wrong(
            `${name} is ${active}`,
            `See why: \`npm run host -- journalctl -u ${name} -n 50\`, then \`pulumi up\`.`,
          ),
        ];
      }
      return enabled === "disabled"
        ? [
            wrong(
              `${name} runs, but is not started at boot`,
              `Run \`npm run host -- sudo systemctl enable ${name}\`.`,
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
            wrong(`${name} has failed`, `See why: \`npm run host -- journalctl -u ${name} -n 50\`.`),
          )),
    ];
  },
);

function property(block: string, name: string): string {
  return new RegExp(`^${name}=(.*)$`, "m").exec(block)?.[1] ?? "";
}
