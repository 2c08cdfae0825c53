import { runnable } from "../check/commands.ts";
import { deliveriesCommand } from "../check/complaints.ts";
import { stackSettings } from "../check/stack.ts";
import { type CloudPaths, defaultStack } from "../local/paths.ts";
import type { StackOutputs } from "../local/stack.ts";
import { say } from "../local/terminal.ts";
import type { Ramps } from "../plan/ramp.ts";
import { ramped, type Weighed, weighCommand } from "../plan/ramps.ts";
import { openSsh } from "../ssh/client.ts";
import type { Session } from "../ssh/session.ts";
import { complaintLines } from "./complaintLines.ts";
import { type DeliverySums, deliveryLines } from "./deliveryLines.ts";
import { type Engine, engineOf } from "./engine.ts";
import { type ReportSums, reportLines } from "./reportLines.ts";
import { answered, cannotSay } from "./session.ts";

export interface ReportsOptions {
  readonly days: number;
  readonly json: boolean;
  /** @default the local cloud's */
  readonly stack?: string;
}

/**
 * `npm run reports`: what became of what a stack's domains sent, and what other servers have reported about them.
 * @returns exit code 0; 1: the host reads none, or could not be asked
 */
export async function reports(
  paths: CloudPaths,
  { days, json, stack = defaultStack }: ReportsOptions,
): Promise<number> {
  const engine = await engineOf(paths, stack);
  const {
    ssh,
    publicIp = "",
    publicIpv6,
    policyRamps,
  } = JSON.parse(
    await engine.pulumi(["stack", "output", "--json", "--show-secrets", "--stack", stack]),
  ) as Partial<StackOutputs>;
  if (ssh === undefined) throw new Error(`The stack ${stack} has no host yet: bring it up first.`);
  const session = await openSsh(ssh);
  try {
    const { code, stdout, stderr } = await session.run(
      `[ -x /usr/local/lib/mailhost/reports ] || exit 9; runuser -u reports -- /usr/local/lib/mailhost/reports show ${days}`,
      { root: true },
    );
    if (code === 9) {
      console.error(
        `The host reads no reports. Write \`mailhost:reports: {}\` into Pulumi.${stack}.yaml, and run \`up\`.`,
      );
      return 1;
    }
    if (code !== 0) throw cannotSay(code, stderr);
    const sums = JSON.parse(stdout) as ReportSums;
    const deliveries = await deliverySums(session, days);
    if (json) {
      say(JSON.stringify({ ...sums, deliveries }));
      return 0;
    }
    const own = [publicIp, ...(publicIpv6 ? [publicIpv6] : [])];
    for (const line of deliveryLines(deliveries, days)) say(line);
    for (const line of complaintLines(sums.complaints, deliveries)) say(line);
    for (const line of reportLines(sums, own))
      say(runnable(line, { stack, isLocal: stack === defaultStack }));
    if (policyRamps !== undefined)
      for (const line of await rampLines(session, stack, engine, policyRamps, own)) say(line);
    return 0;
  } finally {
    session.close();
  }
}

/** What became of what was sent: the log says it, as far back as it goes. */
async function deliverySums(session: Session, days: number): Promise<DeliverySums> {
  return JSON.parse(await answered(session, deliveriesCommand(days))) as DeliverySums;
}

/** What an `up` would do now with the policies that ramp. */
async function rampLines(
  session: Session,
  stack: string,
  engine: Engine,
  before: Ramps,
  own: readonly string[],
): Promise<readonly string[]> {
  const settings = await stackSettings(stack, engine);
  const now = new Date();
  const command = weighCommand(settings, before, now, own);
  if (command === undefined) return [];
  const { code, stdout, stderr } = await session.run(command, { root: true });
  const evidence =
    code === 0 ? (JSON.parse(stdout) as Weighed) : { silence: stderr.trim() || `exit code ${code}` };
  return [
    "Policies that ramp, as the next `up` after one that ended well would have them",
    ...ramped(settings, before, new Map(), now, evidence).map(({ line }) => `  ${line}`),
  ];
}
