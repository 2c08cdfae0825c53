import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { checkCommand } from "../../check/main.ts";
import { ensureCloud } from "../cloud.ts";
import { ensureEngine } from "../engine/engine.ts";
import { ensureImage } from "../image.ts";
import type { CloudPaths } from "../paths.ts";
import { ensurePrerequisites } from "../prerequisites.ts";
import { Stack, type StackOutputs } from "../stack.ts";
import { localSurroundings } from "../surroundings.ts";
import { bold, say, step } from "../terminal.ts";
import type { CloudInfo } from "../types.ts";
import { Mirror } from "../world/mirror.ts";

/**
 * Local cloud, `pulumi up`, check; ends with what to do next.
 * @param isPreview whether only the cloud is brought up, and what `pulumi up` would do there is shown
 * @returns the exit code
 */
export async function start(paths: CloudPaths, isPreview: boolean): Promise<number> {
  const started = performance.now();
  await ensurePrerequisites(say);
  await Promise.all([ensureEngine({ cacheDir: paths.cache, log: say }), image(paths)]);
  const info = await step("Local cloud", () => ensureCloud(paths));
  const stack = await Stack.open(paths, info, say);
  await stack.ensureState();
  if (isPreview) {
    const shown = await step("pulumi preview", () => stack.run(["preview", "--diff", "--show-full-output"]));
    if (shown === 0) say("Nothing is deployed by this. npm start does it; npm stop stops the local cloud.");
    return shown;
  }
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
  nextSteps(paths, info, await stack.outputs(), (performance.now() - started) / 1000);
  if (checked !== 0) say("Not all is right with it: the check above says what is wrong, and what to do.\n");
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

function nextSteps(paths: CloudPaths, info: CloudInfo, outputs: StackOutputs, seconds: number): void {
  const first = Object.keys(outputs.credentials)[0];
  const { incoming, outgoing, login } = outputs.clientSettings;
  // Where each mailbox came with the hash of a password, only its owner knows one.
  const tryIt =
    first === undefined
      ? ""
      : `
  First message    npm run mail -- send --from ${first} --to somebody@${info.peer.domain} --subject Hello
  One comes in     npm run mail -- receive --to ${first}
  Read             npm run mail -- read ${first}`;
  say(`
${bold(`Your mail host ${outputs.hostname} is up`)} at ${outputs.publicIp}, after ${Math.round(seconds)} s.

  Passwords        npm run pulumi -- stack output credentials --show-secrets
  Mail program     IMAP ${incoming.host} port ${incoming.port}, SMTP port ${outgoing.port}, both ${outgoing.security}; login with ${login}
                   From this machine: at ${outputs.publicIp}, with the CA in ${paths.issuers}${tryIt}
  On the host      npm run host
  Change           edit Pulumi.dev.yaml, then: npm run pulumi -- up
  Check            npm run check
  Stop             npm stop (keeps everything); npm run destroy takes it down
`);
}
