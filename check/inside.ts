import type { HostUnderCheck, Item } from "./host.ts";
import type { Finding } from "./types.ts";

type Judge = (output: string, host: HostUnderCheck) => readonly Finding[];

export interface InsideItem extends Item {
  readonly judge: Judge;
}

/**
 * An item that looks inside: one command as root in the session that all such items share, and a judgement of
 * what it printed. Where nobody has one, it has nothing to say.
 * @param command for `sh -c`
 * @param judge pure: from the command's standard output
 */
export function insideItem(
  name: string,
  command: string | ((host: HostUnderCheck) => string),
  judge: Judge,
): InsideItem {
  return {
    name,
    judge,
    group: "Inside the host",
    async look(host) {
      if (host.from.inside === undefined) {
        return [];
      }
      const session = await host.session();
      const text = typeof command === "string" ? command : command(host);
      const { code, stdout, stderr } = await session.run(text, { root: true });
      if (code !== 0) {
        throw new Error(stderr.trim().split("\n").at(-1) || `a command on the host ended with code ${code}`);
      }
      return judge(stdout, host);
    },
  };
}
