import { existsSync, readFileSync, rmSync } from "node:fs";
import { ensureCloud, runningCloud, stopCloud } from "../cloud.ts";
import type { CloudPaths } from "../paths.ts";
import { ensurePrerequisites } from "../prerequisites.ts";
import { Stack } from "../stack.ts";
import { confirmed, say, step } from "../terminal.ts";
import { releaseSlot } from "../world/network.ts";

interface ExportedResource {
  readonly urn: string;
  readonly id?: string;
  readonly protect?: boolean;
}

/**
 * `pulumi destroy` of everything that is not protected, then the end of the cloud; what is protected stays in the
 * cloud's folder and is met again by the next start.
 * @param everything also what is protected: the whole folder
 * @param isSure whether a person at a terminal is not asked
 */
export async function destroy(paths: CloudPaths, everything: boolean, isSure: boolean): Promise<number> {
  if (!existsSync(paths.folder)) {
    say("There is nothing to destroy: this checkout has no local cloud.");
    return 0;
  }
  const lost = everything
    ? `This deletes all that is in ${paths.folder}: mail, address, keys and passwords.`
    : "This takes the stack down, with its passwords and keys; address and mail are kept.";
  if (!isSure && !(await confirmed(lost))) {
    say("Nothing was touched.");
    return 1;
  }
  if (everything) {
    await stopCloud(paths, true);
    if (existsSync(paths.slot)) releaseSlot(Number(readFileSync(paths.slot, "utf8")), paths.home);
    rmSync(paths.folder, { recursive: true, force: true });
    say(`Removed ${paths.folder}. What other clouds share is in ${paths.cache}.`);
    return 0;
  }
  await ensurePrerequisites(say);
  const info = (await runningCloud(paths)) ?? (await step("Local cloud", () => ensureCloud(paths)));
  const stack = await Stack.open(paths, info, say);
  await stack.ensureState();
  const code = await step("pulumi destroy", () =>
    stack.run(["destroy", "--yes", "--skip-preview", "--exclude-protected"]),
  );
  if (code !== 0) return code;
  const state = JSON.parse(await stack.capture(["stack", "export"])) as {
    deployment: { resources?: readonly ExportedResource[] };
  };
  const kept = (state.deployment.resources ?? []).filter((resource) => resource.protect === true);
  await step("Stopping", () => stopCloud(paths));
  if (kept.length > 0) {
    say("\nKept, because they are protected (the next npm start meets them again):");
    for (const { urn, id } of kept) say(`  ${urn.split("::").slice(2).join(" ")}  ${id ?? ""}`);
    say(`They are in ${paths.folder}. To remove them too: npm run destroy -- --everything`);
  }
  return 0;
}
