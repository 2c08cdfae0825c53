import { NoLogin } from "../ssh/client.ts";
import { runnable } from "./commands.ts";
import { withCauses } from "./consequences.ts";
import { HostUnderCheck, type Item } from "./host.ts";
import { items } from "./items.ts";
import { notLookedAt } from "./sidebyside.ts";
import { type CheckResult, type CheckTarget, type Finding, groups, wrong } from "./types.ts";

/** Seconds after which an item that hangs is given up. */
const patience = 30;

/** Looks at everything at once. @returns lines in the order people read them in; never throws for what is wrong */
export async function runCheck(target: CheckTarget, list: readonly Item[] = items): Promise<CheckResult[]> {
  const host = new HostUnderCheck(target);
  try {
    if (await host.isLocked()) return [locked(target)];
    await host.untilBooted();
    await host.learnPasswords();
    const found = await Promise.all(
      list.map(async (item) => {
        const findings = await look(item, host);
        return findings.map(({ remedy, part, ...finding }) => ({
          group: item.group,
          item: item.name,
          about: part === undefined ? item.name : `${item.name}.${part}`,
          ...finding,
          ...(remedy === undefined ? {} : { remedy: runnable(remedy, target) }),
        }));
      }),
    );
    const results = groups.flatMap((group) => found.flat().filter((result) => result.group === group));
    return withCauses(oncePerGroup(results));
  } finally {
    await host.close();
  }
}

/** Nothing of what waits for the store can be right, and all of it is told by one line. */
function locked(target: CheckTarget): CheckResult {
  return {
    group: "Inside the host",
    item: "locked",
    about: "locked",
    ...wrong(
      "the host is locked, and takes no mail until its store is opened; other servers try again for some days",
      runnable("Open it with its passphrase: `npm run unlock`. Then check again.", target),
    ),
  };
}

/** One trouble that several items run into, such as no login on the host, is told once. */
function oncePerGroup(results: readonly CheckResult[]): CheckResult[] {
  const told = new Set<string>();
  return results.filter(({ group, text }) => {
    const key = `${group}\n${text}`;
    if (told.has(key)) return false;
    told.add(key);
    return true;
  });
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
    return [error instanceof NoLogin ? noLogin(error, host.target) : notLookedAt(item.name, error)];
  } finally {
    clearTimeout(timer);
  }
}

function noLogin({ message }: NoLogin, { settings }: CheckTarget): Finding {
  return wrong(
    `nothing inside the host could be looked at: ${message}`,
    `Does the host run, and is the public address of this machine (\`curl https://checkip.amazonaws.com\`) in mailhost:ssh.from (${settings.ssh.from.join(", ")})? Write it there and run \`pulumi up\`.`,
    { unanswered: true },
  );
}
