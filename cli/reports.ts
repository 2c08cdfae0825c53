import { runnable } from "../check/commands.ts";
import { deliveriesCommand } from "../check/complaints.ts";
import { stackSettings } from "../check/stack.ts";
import { defaultStack } from "../local/paths.ts";
import { say } from "../local/terminal.ts";
import type { Ramps } from "../plan/ramp.ts";
import { ramped, type Weighed, weighCommand } from "../plan/ramps.ts";
import type { Session } from "../ssh/session.ts";
import { complaintLines } from "./complaintLines.ts";
import { type DeliverySums, deliveryLines } from "./deliveryLines.ts";
import { pulumiCommand } from "./engineWords.ts";
import { Failure } from "./failure.ts";
import { type ReportSums, reportLines } from "./reportLines.ts";
import { answered, cannotSay, onHost } from "./session.ts";
import type { Place } from "./stackFile/change.ts";

export interface ReportsOptions {
  readonly days: number;
  readonly json: boolean;
}

/**
 * `npm run reports`: what became of what a stack's domains sent, and what other servers have reported about them.
 * @returns exit code 0
 * @throws Failure where the host reads none, or cannot be asked
 */
export async function reports(place: Place, { days, json }: ReportsOptions): Promise<number> {
  const { stack } = place;
  return await onHost(place, async (session, { publicIp, publicIpv6, policyRamps }) => {
    const { code, stdout, stderr } = await session.run(
      `[ -x /usr/local/lib/mailhost/reports ] || exit 9; runuser -u reports -- /usr/local/lib/mailhost/reports show ${days}`,
      { root: true },
    );
    if (code === 9) {
      throw new Failure(
        `The host reads no reports. Write \`mailhost:reports: {}\` into Pulumi.${stack}.yaml, then run: ${pulumiCommand(stack, "up")}`,
      );
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
      for (const line of await rampLines(session, place, policyRamps, own)) say(line);
    return 0;
  });
}

/** What became of what was sent: the log says it, as far back as it goes. */
async function deliverySums(session: Session, days: number): Promise<DeliverySums> {
  return JSON.parse(await answered(session, deliveriesCommand(days))) as DeliverySums;
}

/** What an `up` would do now with the policies that ramp. */
async function rampLines(
  session: Session,
  { stack, engine }: Place,
  before: Ramps,
  own: readonly string[],
): Promise<readonly string[]> {
  const settings = await stackSettings(stack, await engine());
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
