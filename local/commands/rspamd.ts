import { spawn } from "node:child_process";
import { needCloud } from "../cloud.ts";
import type { CloudPaths } from "../paths.ts";
import { Stack, sshOptions } from "../stack.ts";
import { say } from "../terminal.ts";

/** Where rspamd's page listens on the host (files/etc/rspamd/override.d/worker-controller.inc). */
const there = "127.0.0.1:11334";

/** Leads a port of this machine to rspamd's page on the host, until it is interrupted. @returns ssh's exit code */
export async function rspamd(paths: CloudPaths, port: number): Promise<number> {
  const stack = await Stack.open(paths, await needCloud(paths), say);
  const { ssh, rspamdPassword } = await stack.outputs();
  if (rspamdPassword === undefined) {
    console.error(
      "rspamd's page is off. Write `mailhost:rspamdPage: true` into Pulumi.dev.yaml, then run: npm run pulumi -- up",
    );
    return 1;
  }
  say(`http://127.0.0.1:${port}/ is rspamd's page, until you press Ctrl-C.`);
  say("Its password:  npm run pulumi -- stack output rspamdPassword --show-secrets");
  const child = spawn(
    "ssh",
    ["-N", "-L", `127.0.0.1:${port}:${there}`, "-o", "ExitOnForwardFailure=yes", ...sshOptions(paths, ssh)],
    { stdio: "inherit" },
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill());
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 0));
  });
}
