import type { Item } from "./host.ts";
import { items } from "./items.ts";
import { lookAtHost } from "./look.ts";
import { fromOutside } from "./outside.ts";
import type { CheckResult, CheckTarget } from "./types.ts";

/** Looks at everything from outside. @returns lines in the order people read them in; never throws for what is wrong */
export function runCheck(target: CheckTarget, list: readonly Item[] = items): Promise<CheckResult[]> {
  return lookAtHost(fromOutside(target), list);
}
