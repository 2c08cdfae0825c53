import { storeAccess } from "../check/stack.ts";
import { type CloudPaths, defaultStack } from "../local/paths.ts";
import { openSsh } from "../ssh/client.ts";
import type { Output, Session } from "../ssh/session.ts";
import { engineOf } from "./engine.ts";
import { mailhostCommand } from "./engineWords.ts";
import { type Person, terminal } from "./person.ts";

/** What is done with the locked store, beside opening it. */
export type StoreOrder = "open" | "change" | "recover" | "recovery-key";

/** The program on the host (files/usr/local/lib/mailhost/store), and its word for a wrong passphrase. */
const program = "/usr/local/lib/mailhost/store";
const WRONG = 3;
const notTheStores = "The passphrase that the stack has is not the store's.";

/**
 * `npm run unlock`: opens the host's locked store, from this cloud's stack or any other. Passphrases go to the host on
 * standard input, and are nowhere else.
 * @returns exit code 0: done; 3: that was not the passphrase, or not the recovery key; 1: anything else
 */
export async function unlock(
  paths: CloudPaths,
  order: StoreOrder,
  stack: string = defaultStack,
): Promise<number> {
  const access = await storeAccess(stack, await engineOf(paths, stack));
  const session = await openSsh(access.ssh);
  try {
    return await tellStore(session, order, terminal, access.passphrase, stack);
  } finally {
    session.close();
  }
}

/**
 * The conversation with the host.
 * @param known the passphrase, where the stack has it
 */
export async function tellStore(
  session: Session,
  order: StoreOrder,
  person: Person,
  known: string | undefined,
  stack: string,
): Promise<number> {
  const store = (word: string, ...lines: readonly string[]) =>
    session.run(`${program} ${word}`, { root: true, input: lines.map((line) => `${line}\n`).join("") });
  const askForPassphrase = () => person.ask("Passphrase of the store");
  /** The order with the stack's passphrase; where there is none, or it is an old one, the person's. */
  const withPassphrase = async (word: string) => {
    if (known !== undefined) {
      const done = await store(word, known);
      if (done.code !== WRONG) return done;
      person.say(notTheStores);
    }
    return await store(word, await askForPassphrase());
  };
  const failed = ({ code, stderr }: Output) => {
    person.say(stderr.trim() || `The host's answer was exit code ${code}.`);
    return code === WRONG ? WRONG : 1;
  };

  const found = await store("state");
  if (found.code === 127) {
    person.say("This host has no locked store: the stack file does not have mailhost:lockedStore.");
    return 1;
  }
  if (found.code !== 0) return failed(found);
  const state = found.stdout.trim();

  if (state === "new") {
    if (order !== "open") {
      person.say("The volume has no store yet. Without a further word, this command makes it.");
      return 1;
    }
    const passphrase = known ?? (await person.choose("A passphrase for the new store"));
    for (const made of [await store("make", passphrase), await store("key", passphrase)]) {
      if (made.code !== 0) return failed(made);
      if (made.stdout !== "") sayRecoveryKey(made.stdout, person, stack);
    }
    person.say("The store is made, and open. Now bring the host up: run the deployment again.");
    return 0;
  }
  if (order === "recovery-key") {
    const made = await withPassphrase("key");
    if (made.code !== 0) return failed(made);
    sayRecoveryKey(made.stdout, person, stack);
    return 0;
  }
  if (order === "change") {
    const present = known ?? (await askForPassphrase());
    const chosen = await person.choose("The new passphrase");
    let changed = await store("change", present, chosen);
    if (changed.code === WRONG && known !== undefined) {
      person.say(notTheStores);
      changed = await store("change", await askForPassphrase(), chosen);
    }
    if (changed.code !== 0) return failed(changed);
    person.say(
      "The passphrase is changed; the old one opens nothing any more. Where the stack has it, write the new one there, too.",
    );
    return 0;
  }
  let opened: Output;
  if (order === "recover") {
    const key = await person.ask("Recovery key");
    const chosen = await person.choose("The new passphrase");
    const changed = await store("recover", key, chosen);
    if (changed.code !== 0) return failed(changed);
    person.say("The new passphrase is set. Where the stack has it, write the new one there, too.");
    opened = await store("open", chosen);
  } else {
    opened = state === "open" ? await store("open") : await withPassphrase("open");
  }
  if (opened.code !== 0) return failed(opened);
  person.say(
    state === "open"
      ? "The store was open already, and what needs it runs."
      : "The store is open, and what waited for it runs.",
  );
  return 0;
}

function sayRecoveryKey(key: string, person: Person, stack: string): void {
  person.say(
    `The recovery key, which is shown this once:\n\n    ${key.trim()}\n\nWrite it down, and keep it where neither the stack nor its passphrase is: with it \`${mailhostCommand(stack, "unlock --recover")}\`\nsets a new passphrase. Without both, nobody reads this mail again. An older recovery key is worth nothing now.`,
  );
}
