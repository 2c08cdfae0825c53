import { Resolver } from "node:dns/promises";
import { setTimeout as pause } from "node:timers/promises";

export interface PublishedArgs {
  readonly hostname: string;
  /** Zone that holds the name. */
  readonly zone: string;
  /** IPv4 address that the name has to lead to. */
  readonly address: string;
  /** Address of the resolver that knows the zone's nameservers. @default that of this machine */
  readonly resolver?: string;
  /** The record as a zone-file line, where somebody has to put it in by hand. @default its provider publishes it */
  readonly toPutIn?: string;
  /** What the registrar has to be told, where the host itself serves the zone. @default somebody else does */
  readonly atRegistrar?: readonly string[];
  /**
   * Milliseconds. @default 3 minutes: providers publish within seconds; by hand 5 seconds, for nobody is at it now; of the host's
   * own zones 30, in which the secondaries get their copies
   */
  readonly deadline?: number;
  /** Milliseconds between two rounds. @default 1000 */
  readonly interval?: number;
}

/**
 * Waits until every nameserver of the zone serves the host's A record. They alone are asked: a resolver that is asked
 * too early remembers for half an hour that there is nothing (RFC 2308), and AWS asks one.
 *
 * @throws Error naming the servers that do not, when the deadline has passed
 */
export async function published(args: PublishedArgs): Promise<void> {
  const { hostname, zone, address, toPutIn, atRegistrar, interval = 1000 } = args;
  const patience = atRegistrar === undefined ? 180_000 : 30_000;
  const { deadline = toPutIn === undefined ? patience : 5000 } = args;
  const end = Date.now() + deadline;
  for (;;) {
    const late = await notServing(args).catch((error: Error) => [error.message]);
    if (late.length === 0) return;
    if (Date.now() >= end) {
      throw new Error(
        [
          `${hostname} does not lead to ${address} at the nameservers of ${zone} after ${deadline / 1000} seconds; AWS would refuse the reverse name.`,
          ...late.map((line) => `  ${line}`),
          ...remedy(args),
        ].join("\n"),
      );
    }
    await pause(interval);
  }
}

function remedy({ zone, toPutIn, atRegistrar }: PublishedArgs): readonly string[] {
  if (toPutIn !== undefined)
    return [
      `Put this record into the zone ${zone}, which is kept by hand (mailhost:dns), and run again when its nameservers show it:`,
      `  ${toPutIn}`,
    ];
  if (atRegistrar !== undefined)
    return [
      `The host serves ${zone} itself (mailhost:dns). Tell the registrar of ${zone} this and nothing else, let each secondary copy the zone, and run again when the registry has it, in some minutes or hours:`,
      ...atRegistrar.map((line) => `  ${line}`),
    ];
  return [
    `Does the registrar name the servers that keep ${zone}, has each of them the zone as it is now (NOTIFY), and may this machine ask DNS servers (port 53)? Then run again.`,
  ];
}

/**
 * What is not right yet, a line for each nameserver; the delegated ones, which are those that AWS will come to. Where the host
 * serves the zone itself, its copies may come later: a resolver that gets no answer from one of them asks another one.
 */
async function notServing(args: PublishedArgs): Promise<readonly string[]> {
  const { hostname, zone, address, atRegistrar } = args;
  const resolver = asking(args.resolver);
  const names = await resolver.resolveNs(zone);
  const lines = await Promise.all(
    names.map(async (name) => {
      let asked = false;
      try {
        const server = asking(...(await resolver.resolve4(name)));
        asked = true;
        const answers = await server.resolve4(hostname);
        return answers.includes(address)
          ? { served: true }
          : { line: `${name} answers ${answers.join(", ")}`, denied: true };
      } catch (error) {
        const { message, code = "" } = error as NodeJS.ErrnoException;
        // That a nameserver's own name has no address says nothing of the host's.
        return { line: `${name}: ${message}`, denied: asked && (code === "ENOTFOUND" || code === "ENODATA") };
      }
    }),
  );
  const isEnough = atRegistrar !== undefined && lines.some(({ served }) => served);
  return lines.flatMap(({ line, denied }) => (line === undefined || (isEnough && !denied) ? [] : [line]));
}

function asking(...servers: readonly (string | undefined)[]): Resolver {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  const given = servers.filter((server) => server !== undefined);
  if (given.length > 0) resolver.setServers(given);
  return resolver;
}
