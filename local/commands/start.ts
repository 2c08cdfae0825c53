import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { checkCommand } from "../../check/main.ts";
import { ensureCloud } from "../cloud.ts";
import { ensureEngine } from "../engine/engine.ts";
import { ensureImage } from "../image.ts";
import type { CloudPaths } from "../paths.ts";
import { ensurePrerequisites } from "../prerequisites.ts";
import { Stack, type StackOutputs } from "../stack.ts";
import { bold, say, step } from "../terminal.ts";
import { Mirror } from "../world/mirror.ts";
import { localSurroundings } from "./check.ts";

/** Local cloud, `pulumi up`, check; ends with what to do next. @returns the exit code */
export async function start(paths: CloudPaths): Promise<number> {
  const started = performance.now();
  await ensurePrerequisites(say);
  await Promise.all([ensureEngine({ cacheDir: paths.cache, log: say }), image(paths)]);
  const info = await step("Local cloud", () => ensureCloud(paths));
  const stack = await Stack.open(paths, info, say);
  await stack.ensureState();
  const code = await step("pulumi up", () =>
    stack.run(["up", "--yes", "--skip-preview", "--suppress-outputs"]),
  );
  if (code !== 0) {
    say(
      "The stack is not up. Mend what is said above, then run npm start again; npm run pulumi -- up is the same.",
    );
    return code;
  }
  const checked = await step(
    "Check",
    async () => await checkCommand([], await localSurroundings(stack, info)),
  );
  if (checked === 0) nextSteps(await stack.outputs(), (performance.now() - started) / 1000);
  return checked;
}

/** Makes the image with packages through the cache that the machines have. */
async function image(paths: CloudPaths): Promise<void> {
  const mirror = new Mirror(join(paths.cache, "archive"), say);
  // Node's HTTP server takes whole URLs as well, as a proxy is asked.
  await new Promise<void>((resolve) => mirror.server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = mirror.server.address() as AddressInfo;
    await ensureImage(paths.cache, { proxy: `http://127.0.0.1:${port}`, progress: say });
  } finally {
    mirror.server.close();
  }
}

function nextSteps(outputs: StackOutputs, seconds: number): void {
  const first = Object.keys(outputs.credentials)[0] ?? "";
  say(`
${bold(`Your mail host ${outputs.hostname} is up`)} at ${outputs.publicIp}, after ${Math.round(seconds)} s.

  Passwords        npm run pulumi -- stack output credentials --show-secrets
  Mail program     IMAP ${outputs.hostname} port 993, SMTP port 465, both SSL/TLS; login with the whole address
  First message    npm run mail -- send --from ${first} --to somebody@example.net --subject Hello
  One comes in     npm run mail -- receive --to ${first}
  Read             npm run mail -- read ${first}
  On the host      npm run host
  Change           edit Pulumi.dev.yaml, then: npm run pulumi -- up
  Check            npm run check
  Stop             npm stop (keeps everything); npm run destroy takes it down
`);
}
