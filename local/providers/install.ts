/** Puts the stand-in providers where an engine finds them. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { shellWord } from "../../plan/shell.ts";
import { writeWhole } from "../paths.ts";
import type { ProviderName } from "./names.ts";

/** The clouds are simulated, always: their official plugins would reach for real accounts. */
const ALWAYS_SIMULATED: readonly ProviderName[] = ["aws", "cloudflare"];

export interface InstallOptions {
  /** The local cloud's own home of the engine. */
  readonly pulumiHome: string;
  readonly names: readonly ProviderName[];
  /** Folder of package.json, and of this program. */
  readonly checkout: string;
  /** Home of the user's own Pulumi. @default $PULUMI_HOME or ~/.pulumi */
  readonly userHome?: string;
}

function shim(name: ProviderName, checkout: string): string {
  return `#!/bin/sh
# Runs the local cloud's stand-in of the ${name} provider. Written anew by every start.
exec ${shellWord(process.execPath)} ${shellWord(join(checkout, "local", "providers", "main.ts"))} ${name} "$@"
`;
}

/** The exact version of a package that package.json names: the one that its SDK asks the engine for. */
function sdkVersion(checkout: string, name: ProviderName): string {
  const manifest = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as {
    dependencies?: Record<string, string>;
  };
  const version = manifest.dependencies?.[`@pulumi/${name}`];
  if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`package.json names no exact version of @pulumi/${name}: write one, such as "1.2.1".`);
  }
  return version;
}

/**
 * Writes one executable for each provider into the engine's home, at the SDK's exact version. The user's own
 * official plugin of that version is linked instead, where it is there and no cloud.
 * @returns the names of those that are stand-ins
 * @throws Error where the home is the user's own, which is never written
 */
export async function installPlugins({
  pulumiHome,
  names,
  checkout,
  userHome = process.env.PULUMI_HOME || join(homedir(), ".pulumi"),
}: InstallOptions): Promise<ProviderName[]> {
  const plugins = join(pulumiHome, "plugins");
  if (resolve(pulumiHome) === resolve(userHome)) {
    throw new Error(`${pulumiHome} is your own Pulumi home: the local cloud needs one of its own.`);
  }
  mkdirSync(plugins, { recursive: true });
  const standIns: ProviderName[] = [];
  for (const name of names) {
    const folderName = `resource-${name}-v${sdkVersion(checkout, name)}`;
    const folder = join(plugins, folderName);
    const official = join(userHome, "plugins", folderName);
    const isLink = lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    if (!ALWAYS_SIMULATED.includes(name) && existsSync(join(official, `pulumi-resource-${name}`))) {
      if (!isLink || realpathSync(folder) !== realpathSync(official)) {
        const beside = `${folder}.${process.pid}.new`;
        symlinkSync(official, beside);
        rmSync(folder, { recursive: true, force: true });
        renameSync(beside, folder);
      }
      continue;
    }
    if (isLink) {
      unlinkSync(folder);
    }
    mkdirSync(folder, { recursive: true });
    const executable = join(folder, `pulumi-resource-${name}`);
    const text = shim(name, checkout);
    if (!existsSync(executable) || readFileSync(executable, "utf8") !== text) {
      writeWhole(executable, text, 0o755);
    }
    chmodSync(executable, 0o755);
    standIns.push(name);
  }
  return standIns;
}
