import { readFileSync } from "node:fs";
import { cloudPaths } from "../paths.ts";
import type { CloudInfo } from "../types.ts";

/** What is said when nothing answers. */
const notRunning = "no local cloud is running: npm start";

/** The running cloud of this environment (`MAILHOST_CLOUD`, the folder of cloud.json). Throws where there is none. */
export function runningCloud(): CloudInfo {
  let text: string;
  try {
    text = readFileSync(cloudPaths().info, "utf8");
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "ENOENT" ? new Error(notRunning) : error;
  }
  return JSON.parse(text) as CloudInfo;
}

/** A connection that nobody takes means the same as no cloud.json: what a killed daemon leaves behind. */
export function connectionError(error: Error): Error {
  const { code } = ((error.cause as Error | undefined) ?? error) as NodeJS.ErrnoException;
  return code === "ECONNREFUSED" || code === "ENOENT" ? new Error(notRunning) : error;
}
