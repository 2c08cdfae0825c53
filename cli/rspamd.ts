import { say } from "../local/terminal.ts";
import { openSsh } from "../ssh/client.ts";
import { pulumiCommand } from "./engineWords.ts";
import { Failure } from "./failure.ts";
import { outputsOfHost } from "./outputs.ts";
import type { Place } from "./stackFile/change.ts";

/** Where rspamd's page listens on the host (files/etc/rspamd/override.d/worker-controller.inc). */
const there = { host: "127.0.0.1", port: 11334 };

/**
 * Leads a port of this machine to rspamd's page on a stack's host, until it is interrupted.
 * @returns exit code 0: interrupted; 1: the connection ended by itself
 * @throws Failure where the page is off, or there is no host
 */
export async function rspamd(place: Place, port: number): Promise<number> {
  const { stack } = place;
  const { ssh, rspamdPassword } = await outputsOfHost(place);
  if (rspamdPassword === undefined) {
    throw new Failure(
      `rspamd's page is off. Write \`mailhost:rspamdPage: true\` into Pulumi.${stack}.yaml, then run: ${pulumiCommand(stack, "up")}`,
    );
  }
  const session = await openSsh(ssh);
  const door = await session.forward(port, there);
  say(`http://127.0.0.1:${port}/ is rspamd's page, until you press Ctrl-C.`);
  say(`Its password:  ${pulumiCommand(stack, "stack output rspamdPassword --show-secrets")}`);
  const interrupted = new Promise<number>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(0));
  });
  const code = await Promise.race([interrupted, session.closed.then(() => 1)]);
  if (code !== 0) say("The host has closed the connection.");
  door.close();
  session.close();
  return code;
}
