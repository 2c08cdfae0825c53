/** What a command does on a stack's host. */
import type { StackOutputs } from "../local/stack.ts";
import { openSsh, type SshConnection } from "../ssh/client.ts";
import type { Session } from "../ssh/session.ts";
import { Failure } from "./failure.ts";
import { outputsOfHost } from "./outputs.ts";
import type { Place } from "./stackFile/change.ts";

/**
 * Logs in for as long as it works.
 * @param work is told what the stack tells, too
 * @throws where the stack has no host, or nobody gets in
 */
export async function onHost<T>(
  place: Place,
  work: (session: SshConnection, outputs: StackOutputs) => Promise<T>,
): Promise<T> {
  const outputs = await outputsOfHost(place);
  const session = await openSsh(outputs.ssh);
  try {
    return await work(session, outputs);
  } finally {
    session.close();
  }
}

/** What a command on the host prints, as root. @throws Failure with its own words where it fails */
export async function answered(session: Session, command: string): Promise<string> {
  const { code, stdout, stderr } = await session.run(command, { root: true });
  if (code !== 0) throw cannotSay(code, stderr);
  return stdout;
}

export function cannotSay(code: number, stderr: string): Failure {
  return new Failure(`The host cannot say it: ${stderr.trim() || `exit code ${code}`}`);
}
