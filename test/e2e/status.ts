import type { CloudStatus } from "../../local/commands/status.ts";
import { succeed } from "./mailhost.ts";

/** What `npm run status` says of the test's cloud. */
export async function cloudStatus(): Promise<CloudStatus> {
  return JSON.parse((await succeed(["status", "--json"])).stdout) as CloudStatus;
}
