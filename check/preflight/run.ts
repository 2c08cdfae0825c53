import { type Mistake, mistakeText, pathText } from "../../settings/mistakes.ts";
import { runnable } from "../commands.ts";
import type { Look } from "../host.ts";
import { lookAt } from "../look.ts";
import { about, type CheckResult, type CheckTarget, right, wrong } from "../types.ts";
import { account } from "./items/account.ts";
import { outlook } from "./items/outlook.ts";
import { places } from "./items/places.ts";
import { registry } from "./items/registry.ts";
import { token } from "./items/token.ts";
import type { PreflightTarget } from "./target.ts";

const stackFile: Look<PreflightTarget> = {
  name: "settings",
  group: "Stack file",
  look: async ({ plan: { settings } }) => {
    const mailboxes = settings.domains.flatMap((domain) => domain.mailboxes).length;
    const domains = settings.domains.map(({ name }) => name).join(", ");
    return [right(`the stack file is right: ${settings.hostname}, ${mailboxes} mailboxes of ${domains}`)];
  },
};

/** Everything that is looked at before there is a host, in the order of the result. */
const looks: readonly Look<PreflightTarget>[] = [stackFile, account, token, registry, places, outlook];

/** Looks at all that `pulumi up` will need; changes nothing. @returns as `runCheck` */
export function runPreflight(target: PreflightTarget): Promise<CheckResult[]> {
  return lookAt(looks, target, target);
}

/** What is said where the stack file has mistakes: nothing else can be looked at. */
export function mistaken(
  mistakes: readonly Mistake[],
  stack: Pick<CheckTarget, "stack" | "isLocal">,
): CheckResult[] {
  return mistakes.flatMap((mistake) =>
    about(pathText(mistake.path), [
      wrong(
        mistakeText(mistake),
        `Mend it in ${mistake.place === undefined ? "the stack file" : "that file"}, then check again.`,
      ),
    ]).map(({ part, remedy = "", ...finding }) => ({
      group: "Stack file" as const,
      item: "settings",
      about: `settings.${part}`,
      ...finding,
      remedy: runnable(remedy, stack),
    })),
  );
}

/** What stands above the result. */
export function preflightHeading({ stack, isLocal = false }: Pick<CheckTarget, "stack" | "isLocal">): string {
  const up = isLocal ? "npm start" : `npx pulumi up --stack ${stack}`;
  return `The stack ${stack} has no host yet. This is what \`${up}\` will need:`;
}
