/**
 * `node components/dns/changeSet.ts publish|withdraw`, run by the engine for each record set that is kept by dynamic updates
 * (rfc2136.ts): also by a `destroy`, which does not run the program. So its path, its
 * arguments and what it reads are in the states of stacks: a contract. The wanted set comes by standard input; standard output,
 * which the engine keeps, is the values that are published.
 */
import { readFileSync } from "node:fs";
import { publishSet, type WantedSet, withdrawSet } from "./recordSet.ts";

/** Where the secret of the key is: neither in the process list nor in a log. */
const { MAILHOST_TSIG_SECRET: secret = "", PULUMI_COMMAND_STDOUT: output } = process.env;

const [action] = process.argv.slice(2);
const wanted = JSON.parse(readFileSync(0, "utf8")) as WantedSet;
const before = JSON.parse(output || "[]") as readonly string[];
try {
  if (action === "publish") {
    await publishSet(wanted, before, secret);
    process.stdout.write(JSON.stringify(wanted.values));
  } else if (action === "withdraw") await withdrawSet(wanted, before, secret);
  else throw new Error(`changeSet.ts: ${action} is neither publish nor withdraw`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
