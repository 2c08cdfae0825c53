/**
 * `node components/dns/joinSpf.ts join|part`, run by the engine for each SPF record that a domain shares with somebody else: also by
 * a `destroy`, which does not run the program. So its path, its arguments and what it reads are in the states of stacks: a
 * contract. What is wanted comes by standard input; standard output, which the engine keeps, is what was done.
 */
import { readFileSync } from "node:fs";
import type { SpfPart } from "../../plan/spf.ts";
import { type SpfPlace, spfKeeper } from "./spfPlace.ts";
import { partRecord, type SpfDone, spfDone, spfStep } from "./spfShare.ts";

/** What the engine hands over. */
export interface WantedSpf extends SpfPart {
  readonly place: SpfPlace;
  readonly name: string;
  /** Seconds, of a record that is new. */
  readonly ttl: number;
  /** The whole, as the preview shows it. */
  readonly record: string;
  /** How often it had to be put in again. */
  readonly mended: number;
}

/** Where logins are: neither in the process list nor in a log. */
const {
  CLOUDFLARE_API_TOKEN: cloudflareToken,
  CLOUDFLARE_BASE_URL: cloudflareUrl,
  MAILHOST_TSIG_SECRET: tsigSecret,
  PULUMI_COMMAND_STDOUT: output,
} = process.env;

const [action] = process.argv.slice(2);
const { place, name, ttl, record, ...part } = JSON.parse(readFileSync(0, "utf8")) as WantedSpf;
const before = output ? spfDone.parse(JSON.parse(output)) : undefined;
try {
  const keeper = spfKeeper(place, name, ttl, { cloudflareToken, cloudflareUrl, tsigSecret });
  if (action === "join") {
    const { from, to, ...done } = spfStep(name, await keeper.look(), part, before);
    if (done.text !== record)
      throw new Error(`The SPF record of ${name} has changed since this run looked at it. Run again.`);
    if (to !== undefined) await keeper.replace(from, to);
    process.stdout.write(JSON.stringify(done satisfies SpfDone));
  } else if (action === "part") {
    if (before !== undefined) await partRecord(keeper, before);
  } else throw new Error(`joinSpf.ts: ${action} is neither join nor part`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
