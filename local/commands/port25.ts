import { callDaemon } from "../api.ts";
import { needCloud, worldState } from "../cloud.ts";
import type { CloudPaths } from "../paths.ts";
import { say } from "../terminal.ts";

/** Blocks or opens the machines' way out to port 25, as AWS does, and says how it is. */
export async function port25(paths: CloudPaths, wanted: "blocked" | "open" | undefined): Promise<number> {
  await needCloud(paths);
  if (wanted !== undefined) {
    await callDaemon(paths, "PATCH", "/aws/switches", { port25Blocked: wanted === "blocked" });
  }
  const { port25Blocked } = await worldState(paths);
  say(
    port25Blocked
      ? "Outgoing port 25 is blocked, as on a new AWS account: what the host sends waits in its queue. Open it: npm run cloud -- port25 open"
      : "Outgoing port 25 is open. Block it, as on a new AWS account: npm run cloud -- port25 blocked",
  );
  return 0;
}
