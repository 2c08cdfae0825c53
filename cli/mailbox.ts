/** `mailhost mailbox`: the mailboxes of the stack file. */
import { type Command, InvalidArgumentError } from "commander";
import type { CloudPaths } from "../local/paths.ts";
import { exits } from "../local/terminal.ts";
import { usualShortest } from "../plan/ownPasswords.ts";
import type { Settings } from "../settings/types.ts";
import { addListCommand, addRemoveCommand } from "./alike.ts";
import { mailhostCommand } from "./engineWords.ts";
import { Failure } from "./failure.ts";
import { placeOf, type ReachOptions, withExamples, withReach } from "./options.ts";
import { terminal } from "./person.ts";
import { changeStack, type Place, stackTextOf } from "./stackFile/change.ts";
import {
  addMailbox,
  hasOwnPassword,
  removeMailbox,
  type StackText,
  setPasswordHash,
  suspendMailbox,
} from "./stackFile/domains.ts";
import type { Value } from "./stackFile/edit.ts";

interface AddOptions extends ReachOptions, PasswordOptions {
  readonly quota?: number;
  readonly device?: readonly string[];
}

interface PasswordOptions {
  readonly ask?: true;
  readonly hashFrom?: string;
}

export function addMailboxCommands(program: Command, paths: () => CloudPaths): void {
  const mailbox = program.command("mailbox").description("the mailboxes of the stack file");

  withExamples(
    withReach(mailbox.command("add"))
      .description("a mailbox more, with a generated password unless you say another")
      .argument("<address>", "its whole address")
      .option("--quota <GiB>", "how much it holds; 0: as much as the disk", gibibytes)
      .option("--device <name...>", "devices that get a password of their own")
      .option("--ask", "asks for its password, and keeps that encrypted")
      .option("--hash-from <variable>", "its password's hash is in this environment variable"),
    "mailhost mailbox add dora@example.org",
    "mailhost mailbox add dora@example.org --quota 20 --device phone laptop --yes",
  ).action(
    exits(async (address: string, options: AddOptions) => {
      const { quota, device, stack } = options;
      const place = placeOf(paths, stack);
      return await changeStack(place, options, async (file, settings) => {
        // Before anybody types a password for it: is there room for the name?
        addMailbox(file, address, {});
        const hash = await chosenHash(place, file, settings, options);
        const text = addMailbox(file, address, {
          ...(quota !== undefined && { quota }),
          ...(device !== undefined && { appPasswords: device }),
          ...(hash !== undefined && { passwordHash: hash }),
        });
        const next = hash === undefined ? [passwordShown(stack, address)] : [];
        return { text, what: `adds the mailbox ${address}`, next };
      });
    }),
  );

  addRemoveCommand(mailbox, paths, {
    description: "takes a mailbox out; its mail stays on the data volume",
    argument: "address",
    means: "its whole address",
    example: "mailhost mailbox remove dora@example.org",
    what: (address) => `removes the mailbox ${address}`,
    remove: removeMailbox,
    mailboxesOf: (_file, address) => [address.toLowerCase()],
  });

  withExamples(
    withReach(mailbox.command("passwd"))
      .description("another password: a newly generated one unless you say which")
      .argument("<address>", "its whole address")
      .option("--device <name>", "the generated password of one of its devices, and not its own")
      .option("--ask", "asks for the new one, and keeps that encrypted")
      .option("--hash-from <variable>", "the new one's hash is in this environment variable"),
    "mailhost mailbox passwd ann@example.org",
    "mailhost mailbox passwd ann@example.org --ask --yes < password.txt",
  ).action(
    exits(async (address: string, options: ReachOptions & PasswordOptions & { readonly device?: string }) => {
      const place = placeOf(paths, options.stack);
      return await changeStack(place, options, (file, settings) =>
        newPassword(place, file, settings, address, options),
      );
    }),
  );

  for (const [name, suspended, description, what] of [
    ["suspend", true, "nobody can log in to it; mail for it is still taken", "suspends"],
    ["resume", false, "ends the suspension", "resumes"],
  ] as const) {
    withExamples(
      withReach(mailbox.command(name)).description(description).argument("<address>", "its whole address"),
      `mailhost mailbox ${name} ann@example.org`,
    ).action(
      exits(async (address: string, options: ReachOptions) =>
        changeStack(placeOf(paths, options.stack), options, async (file) => ({
          text: suspendMailbox(file, address, suspended),
          what: `${what} the mailbox ${address}`,
        })),
      ),
    );
  }

  addListCommand(mailbox, paths, {
    description: "all of them",
    example: "mailhost mailbox list",
    all: (settings, place) => {
      const file = stackTextOf(place);
      return settings.domains
        .flatMap((domain) => domain.mailboxes)
        .map(({ passwordHash: _, ...rest }) => ({
          ...rest,
          // Its hash may be in an environment that is not here.
          password: hasOwnPassword(file, rest.address) ? "of its own" : "generated",
        }));
    },
    row: ({ address, password, appPasswords, quota, suspended }) => [
      address,
      password === "generated" ? "generated password" : "password of its own",
      quota === undefined ? "" : `${quota} GiB`,
      appPasswords === undefined ? "" : `devices: ${appPasswords.join(", ")}`,
      suspended ? "suspended" : "",
    ],
  });
}

async function newPassword(
  place: Place,
  file: StackText,
  settings: Settings,
  address: string,
  options: PasswordOptions & { readonly device?: string },
) {
  const what = `gives ${address} another password`;
  const isOwn = hasOwnPassword(file, address);
  const show = { next: [passwordShown(place.stack, address, options.device)] };
  if (options.device !== undefined) {
    const { device } = options;
    const mailboxes = settings.domains.flatMap((domain) => domain.mailboxes);
    const known = mailboxes.find((mailbox) => mailbox.address === address.toLowerCase())?.appPasswords ?? [];
    if (!known.includes(device)) {
      throw new Failure(`${address} has no device ${device}. It has: ${known.join(", ") || "none"}.`);
    }
    return {
      text: file,
      what: `${what} for ${device}`,
      upArguments: regenerate(`${address}/${device}`),
      ...show,
    };
  }
  const hash = await chosenHash(place, file, settings, options);
  if (hash !== undefined) return { text: setPasswordHash(file, address, hash), what };
  if (isOwn)
    return { text: setPasswordHash(file, address, undefined), what: `${what}, a generated one`, ...show };
  return { text: file, what, upArguments: regenerate(address), ...show };
}

function passwordShown(stack: string, address: string, device?: string): string {
  const words = `password ${address}${device === undefined ? "" : ` --device ${device}`}`;
  return `Its password, and what a mail program has to know: ${mailhostCommand(stack, words)}`;
}

/** What makes the engine generate a password anew. */
function regenerate(key: string): readonly string[] {
  return ["--replace", `**accounts-${key.toLowerCase()}`];
}

/** What the stack file is to have of a password that somebody has chosen; undefined: one is generated. */
async function chosenHash(
  place: Place,
  file: StackText,
  settings: Settings,
  { ask, hashFrom }: PasswordOptions,
): Promise<Value | undefined> {
  if (hashFrom !== undefined) {
    if (!/^[A-Za-z_]\w*$/.test(hashFrom)) {
      throw new Failure(
        "--hash-from takes the name of an environment variable, such as ANN_HASH, and no hash.",
      );
    }
    return `\${${hashFrom}}`;
  }
  if (ask === undefined) return undefined;
  const said = settings.options.ownPasswords;
  const shortest = typeof said === "object" ? said.shortest : usualShortest;
  const { encrypted, passwordHash } = await import("./secrets.ts");
  const hash = await passwordHash(await terminal.choose("The password"), shortest);
  return await encrypted(await place.engine(), place.stack, file, hash);
}

function gibibytes(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text)) return value;
  throw new InvalidArgumentError("Write a number of GiB, such as 20, or 0.");
}
