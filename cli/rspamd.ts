import { type CloudPaths, defaultStack } from "../local/paths.ts";
import type { StackOutputs } from "../local/stack.ts";
import { say } from "../local/terminal.ts";
import { openSsh } from "../ssh/client.ts";
import { engineOf } from "./engine.ts";
import { pulumiCommand } from "./engineWords.ts";

/** Where rspamd's page listens on the host (files/etc/rspamd/override.d/worker-controller.inc). */
const there = { host: "127.0.0.1", port: 11334 };

/**
 * Leads a port of this machine to rspamd's page on a stack's host, until it is interrupted.
 * @returns exit code 0: interrupted; 1: the page is off, or the connection ended by itself
 */
export async function rspamd(paths: CloudPaths, port: number, stack: string = defaultStack): Promise<number> {
  const engine = await engineOf(paths, stack);
  const outputs = JSON.parse(
    await engine.pulumi(["stack", "output", "--json", "--show-secrets", "--stack", stack]),
  ) as Partial<StackOutputs>;
  if (outputs.ssh === undefined) throw new Error(`The stack ${stack} has no host yet: bring it up first.`);
  if (outputs.rspamdPassword === undefined) {
    console.error(
      `rspamd's page is off. Write \`mailhost:rspamdPage: true\` into Pulumi.${stack}.yaml, then run: ${pulumiCommand(stack, "up")}`,
    );
    return 1;
  }
  const session = await openSsh(outputs.ssh);
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
