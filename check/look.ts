import { NoLogin } from "../ssh/session.ts";
import { runnable } from "./commands.ts";
import { withCauses } from "./consequences.ts";
import type { HostUnderCheck, Item, Look } from "./host.ts";
import { notLookedAt } from "./sidebyside.ts";
import { type CheckResult, type CheckTarget, type Finding, groups, wrong } from "./types.ts";

/** Seconds after which an item that hangs is given up; one that goes through many domains takes longer. */
const patience = 30;
const patiencePerDomain = 0.5;

/**
 * Looks at everything of a host at once, and closes what it opened.
 * @returns lines in the order people read them in; never throws for what is wrong
 */
export async function lookAtHost(host: HostUnderCheck, list: readonly Item[]): Promise<CheckResult[]> {
  const { target } = host;
  try {
    if (await host.isLocked()) return [locked(target)];
    await host.untilBooted();
    await host.learnPasswords();
    const isolated = list.map(
      (item): Look<HostUnderCheck> => ({
        ...item,
        look: async () => {
          try {
            return await item.look(host);
          } catch (error) {
            if (error instanceof NoLogin) return [noLogin(error, target)];
            throw error;
          }
        },
      }),
    );
    const seconds = patience + Math.ceil(patiencePerDomain * host.domains.length);
    return withCauses(await lookAt(isolated, host, target, seconds));
  } finally {
    await host.close();
  }
}

/**
 * Looks at one subject in every way at once.
 * @param seconds after which a look that hangs is given up
 * @returns lines by their groups; what a look throws is a wrong line
 */
export async function lookAt<Subject>(
  looks: readonly Look<Subject>[],
  subject: Subject,
  stack: Pick<CheckTarget, "stack" | "isLocal">,
  seconds = patience,
): Promise<CheckResult[]> {
  const found = await Promise.all(
    looks.map(async (one) => {
      const findings = await inTime(one, subject, seconds);
      return findings.map(({ remedy, part, ...finding }) => ({
        group: one.group,
        item: one.name,
        about: part === undefined ? one.name : `${one.name}.${part}`,
        ...finding,
        ...(remedy === undefined ? {} : { remedy: runnable(remedy, stack) }),
      }));
    }),
  );
  return oncePerGroup(groups.flatMap((group) => found.flat().filter((result) => result.group === group)));
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

async function inTime<Subject>(
  one: Look<Subject>,
  subject: Subject,
  seconds: number,
): Promise<readonly Finding[]> {
  const notLooked = (error: unknown) => [notLookedAt(one.name, error, one.silent)];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Finding[]>((resolve) => {
    timer = setTimeout(
      () => resolve(notLooked(new Error(`no result after ${seconds} seconds`))),
      seconds * 1000,
    );
  });
  try {
    return await Promise.race([one.look(subject), late]);
  } catch (error) {
    return notLooked(error);
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
