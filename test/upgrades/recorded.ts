/** Hosts of versions from before, as they were recorded: what the engine knew of them, and the clouds that they were in. */
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";

export interface Recorded {
  /** The stack file of that version's local cloud. */
  readonly stackFile: string;
  /** What the file's `${…}` stood for. */
  readonly environment: Readonly<Record<string, string>>;
  /** `pulumi stack export`. Its keys and passwords were those of a machine that is gone. */
  readonly state: object;
  /** What the simulated services had written down. */
  readonly aws: string;
  readonly cloudflare: string;
}

const ending = ".json.gz";

/** Their names, oldest first. */
export const versions: readonly string[] = globSync(`*${ending}`, { cwd: import.meta.dirname })
  .map((path) => basename(path, ending))
  .toSorted();

export function pathOf(version: string): string {
  return join(import.meta.dirname, `${version}${ending}`);
}

export function recorded(version: string): Recorded {
  return JSON.parse(gunzipSync(readFileSync(pathOf(version))).toString()) as Recorded;
}
