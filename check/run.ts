import { runnable } from "./commands.ts";
import { HostUnderCheck, type Item } from "./host.ts";
import { items } from "./items.ts";
import { notLookedAt } from "./sidebyside.ts";
import { type CheckResult, type CheckTarget, type Finding, groups } from "./types.ts";

/** Seconds after which an item that hangs is given up. */
const patience = 30;

/** Looks at everything at once. @returns lines in the order people read them in; never throws for what is wrong */
export async function runCheck(target: CheckTarget, list: readonly Item[] = items): Promise<CheckResult[]> {
  const host = new HostUnderCheck(target);
  try {
    const found = await Promise.all(
      list.map(async (item) => {
        const findings = await look(item, host);
        return findings.map(({ remedy, ...finding }) => ({
          group: item.group,
          item: item.name,
          ...finding,
          ...(remedy === undefined ? {} : { remedy: runnable(remedy, target) }),
        }));
      }),
    );
    return groups.flatMap((group) => found.flat().filter((result) => result.group === group));
  } finally {
    await host.close();
  }
}

async function look(item: Item, host: HostUnderCheck): Promise<readonly Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Finding[]>((resolve) => {
    timer = setTimeout(
      () => resolve([notLookedAt(item.name, new Error(`no result after ${patience} seconds`))]),
      patience * 1000,
    );
  });
  try {
    return await Promise.race([item.look(host), late]);
  } catch (error) {
    return [notLookedAt(item.name, error)];
  } finally {
    clearTimeout(timer);
  }
}
