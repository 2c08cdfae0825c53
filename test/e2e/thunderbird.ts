/** A `config-v1.1.xml` as Thunderbird itself reads it: its own modules, from Debian's package. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cloudPaths } from "../../local/paths.ts";
import { run } from "../../local/run.ts";

/** One way in or out, as Thunderbird keeps it. */
export interface Server {
  readonly type: string;
  readonly hostname: string;
  readonly port: number;
  readonly security: "none" | "TLS" | "STARTTLS";
  readonly login: string;
}

/** The first of each kind is what it tries; the others are offered by hand. */
export interface AccountConfig {
  readonly incoming: readonly Server[];
  readonly outgoing: readonly Server[];
}

/** Takes the modules out of the archive that Debian's package carries them in. */
const unpack = `import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
archive.extractall(sys.argv[2], [name for name in archive.namelist() if name.startswith("modules/")])`;

/** Where its modules lie. They are fetched once: 80 MB, of which a few stay. */
async function modules(): Promise<string> {
  const { cache } = cloudPaths();
  const folder = join(cache, "thunderbird");
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const building = mkdtempSync(join(cache, ".thunderbird-"));
  try {
    await run("sh", [
      "-euc",
      'cd "$1"; apt-get -qq update; apt-get -qq -o APT::Sandbox::User=root download thunderbird; dpkg-deb --fsys-tarfile *.deb | tar -x ./usr/share/thunderbird/omni.ja; python3 -c "$2" usr/share/thunderbird/omni.ja out',
      "sh",
      building,
      unpack,
    ]);
    renameSync(join(building, "out/modules"), folder);
  } finally {
    rmSync(building, { recursive: true });
  }
  return folder;
}

/** @throws where it would find no account, with Thunderbird's own word */
export async function readConfig(document: Buffer, address: string): Promise<AccountConfig> {
  const question = { modules: await modules(), document: document.toString(), address };
  const said = await run(process.execPath, [join(import.meta.dirname, "thunderbirdReads.ts")], {
    input: JSON.stringify(question),
  });
  return JSON.parse(said) as AccountConfig;
}
