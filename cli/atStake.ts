/** What mail there is of mailboxes that are to go. */
import { shellWord } from "../plan/shell.ts";
import { addressParts } from "../settings/names.ts";
import type { Settings } from "../settings/types.ts";
import { Failure } from "./failure.ts";
import { outputsOf } from "./outputs.ts";
import { isWatched, question } from "./person.ts";
import type { Place } from "./stackFile/change.ts";

/** Messages that the host has of some mailboxes; undefined where nobody can say. */
export async function messagesOf(place: Place, addresses: readonly string[]): Promise<number | undefined> {
  try {
    const { ssh } = await outputsOf(place);
    if (ssh === undefined) return 0;
    const { openSsh } = await import("../ssh/client.ts");
    const session = await openSsh(ssh);
    try {
      const folders = addresses.map((address) => {
        const { local, domain } = addressParts(address);
        return shellWord(`/srv/mail/${domain}/${local}`);
      });
      const { code, stdout } = await session.run(
        // A mailbox that nobody has written to yet has no folder.
        `[ -d /srv/mail ] || exit 9; for folder in ${folders.join(" ")}; do
           [ ! -d "$folder" ] || find "$folder" -type f \\( -path '*/cur/*' -o -path '*/new/*' \\); done | wc -l`,
        { root: true },
      );
      return code === 0 ? Number(stdout.trim()) : undefined;
    } finally {
      session.close();
    }
  } catch {
    return undefined;
  }
}

/**
 * Goes on only where no mail is at stake, or where it was asked by name.
 * @param name the address or the domain that goes
 * @param confirmed the name that stood behind `--confirm`
 * @throws Failure where it was not
 */
export async function onlyByName(
  place: Place,
  settings: Settings,
  name: string,
  addresses: readonly string[],
  confirmed: string | undefined,
): Promise<void> {
  if (addresses.length === 0 || confirmed?.toLowerCase() === name.toLowerCase()) return;
  const count = await messagesOf(place, addresses);
  if (count === 0) return;
  const keepDays = settings.options.removed.keepDays;
  const warning = [
    count === undefined
      ? `Whether the host has mail of ${name} could not be asked.`
      : `The host has ${count} ${count === 1 ? "message" : "messages"} of ${name}.`,
    "With the next up nobody can read that mail there, and new mail for it is refused.",
    keepDays
      ? `The host deletes it ${keepDays} days later (mailhost:removed).`
      : "It stays on the data volume, and is there again when the mailbox comes back; the password does not.",
  ].join(" ");
  if (confirmed !== undefined) throw new Failure(`--confirm names ${confirmed}, and not ${name}. ${warning}`);
  if (isWatched()) {
    console.error(warning);
    if ((await question(`To remove it, type ${name}: `)).toLowerCase() === name.toLowerCase()) return;
    throw new Failure("Nothing was touched.");
  }
  throw new Failure(`${warning} To remove it all the same, add: --confirm ${name}`);
}
