/** `mailhost`: what a person does with a stack, the local cloud's or any other. */
import { enableCompileCache } from "node:module";
import { delimiter, join, resolve } from "node:path";
import { Command, CommanderError, Option } from "commander";
import { checkout, cloudPaths } from "../local/paths.ts";
import { addSystemFolders } from "../local/prerequisites.ts";
import { exits, wholeNumber } from "../local/terminal.ts";
import { exitCodes, Failure } from "./failure.ts";
import { calledFrom, placeOf, type StackOption, withExamples, withJson, withStack } from "./options.ts";
import type { PreviewCommandOptions } from "./preview.ts";

addSystemFolders();
// Pulumi, and the Node that it starts, are those that came with `npm ci`, as for npm's own scripts.
process.env.PATH = [join(checkout, "node_modules", ".bin"), process.env.PATH].join(delimiter);

const program = new Command("mailhost")
  .description("Your own mail host, by its stack file.")
  .enablePositionalOptions()
  .exitOverride();

type Adds = (program: Command, paths: typeof cloudPaths) => void;

/** Commands that load more than their names say: only the one that is called is filled. */
const filled: Readonly<Record<string, readonly [description: string, load: () => Promise<Adds>]>> = {
  init: [
    "writes a first stack file for a host of your own",
    async () => (await import("./init.ts")).addInitCommand,
  ],
  mailbox: [
    "the mailboxes of the stack file: add, remove, passwd, suspend, resume, list",
    async () => (await import("./mailbox.ts")).addMailboxCommands,
  ],
  alias: [
    "the addresses of the stack file whose mail is passed on: add, remove, list",
    async () => (await import("./alias.ts")).addAliasCommands,
  ],
  domain: [
    "the mail domains of the stack file: add, remove, list",
    async () => (await import("./domain.ts")).addDomainCommands,
  ],
  password: [
    "what a mail program has to know of one mailbox, its password too",
    async () => (await import("./password.ts")).addPasswordCommand,
  ],
  logs: [
    "what became of mail: one line a message, from SMTP to the mailbox",
    async () => (await import("./logs.ts")).addLogsCommand,
  ],
  trace: [
    "everything about one message, and why rspamd judged it so",
    async () => (await import("./trace.ts")).addTraceCommand,
  ],
  queue: [
    "what waits on the host to be brought on: list, retry, remove",
    async () => (await import("./queue.ts")).addQueueCommands,
  ],
  leave: [
    "takes out all that a new host wants to have, and says how this one is taken down",
    async () => (await import("./leave/leave.ts")).addLeaveCommand,
  ],
  completion: [
    "a script by which a shell completes these commands",
    async () => (await import("./completion.ts")).addCompletionCommand,
  ],
};
/** A path as the person means it: the engine works in the checkout. */
const fromHere = (path: string) => resolve(calledFrom, path);
/** Completion has to know them all. */
const isFilled = (name: string) => process.argv[2] === name || process.argv[2] === "completion";
for (const [name, [description]] of Object.entries(filled)) {
  if (!isFilled(name)) program.command(name).description(description);
}

withExamples(
  program
    .command("check")
    .description("is my mail all right? Before there is a host: is there all that it needs?")
    .argument("[args...]", "see mailhost check --help")
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false),
  "mailhost check --stack home",
).action(exits(async (args: string[]) => (await import("./check.ts")).check(cloudPaths(), args)));

withExamples(
  withStack(program.command("preview"))
    .description("what pulumi up would do: in plain words first, what is dangerous on top, then line by line")
    .addOption(new Option("--markdown", "as the comment on a pull request").default(false).conflicts("json"))
    .option("--json", "for programs", false)
    .option("--expect-no-changes", "exit code 1 where something would change", false)
    .option("--policy-pack <folder>", "holds it to these policies: policy has this program's own", fromHere)
    .option("--policy-pack-config <file>", "the owner's words to them, in JSON", fromHere)
    .addHelpText(
      "after",
      "\nExit code: 0 there is a preview; 1 it is refused, or has a change that is not expected; 2 there is none.",
    ),
  "mailhost preview --stack home --markdown --policy-pack policy",
).action(
  exits(async (wanted: PreviewCommandOptions) => {
    const { noPreview, preview } = await import("./preview.ts");
    return await preview(cloudPaths(), wanted).catch((error: Error) => {
      throw new Failure(error.message, noPreview);
    });
  }),
);

withExamples(
  withJson(withStack(program.command("reports")))
    .description("what other servers report about the stack's domains")
    .option("--days <number>", "of so many days", wholeNumber(3650), 30),
  "mailhost reports --days 7",
).action(
  exits(async (wanted: StackOption & { readonly days: number; readonly json: boolean }) =>
    (await import("./reports.ts")).reports(placeOf(cloudPaths, wanted.stack), wanted),
  ),
);

withExamples(
  withStack(program.command("host"))
    .description("a shell on the host, or one command there")
    .argument("[command...]")
    .allowUnknownOption()
    .passThroughOptions(),
  "mailhost host",
  "mailhost host --stack home sudo postqueue -p",
).action(
  exits(async (command: string[], { stack }: StackOption) =>
    (await import("./host.ts")).host(placeOf(cloudPaths, stack), command),
  ),
);

withExamples(
  withStack(program.command("unlock"))
    .description("opens the host's locked store after a boot (mailhost:lockedStore)")
    .addOption(new Option("--change", "changes its passphrase").conflicts(["recover", "recoveryKey"]))
    .addOption(
      new Option("--recover", "sets a new passphrase, with the recovery key").conflicts("recoveryKey"),
    )
    .option("--recovery-key", "makes a new recovery key and shows it"),
  "mailhost unlock --stack home",
).action(
  exits(
    async (
      wanted: StackOption & { readonly change?: true; readonly recover?: true; readonly recoveryKey?: true },
    ) =>
      (await import("./unlock.ts")).unlock(
        cloudPaths(),
        wanted.change ? "change" : wanted.recover ? "recover" : wanted.recoveryKey ? "recovery-key" : "open",
        wanted.stack,
      ),
  ),
);

withExamples(
  withStack(program.command("rspamd"))
    .description("rspamd's own page on the host, through SSH, while it runs")
    .option("--port <number>", "port of this machine", wholeNumber(65535), 11334),
  "mailhost rspamd --port 8080",
).action(
  exits(async ({ port, stack }: StackOption & { readonly port: number }) =>
    (await import("./rspamd.ts")).rspamd(placeOf(cloudPaths, stack), port),
  ),
);

/** Below a mistake stands whose help says more. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`(${path} --help says more)`);
  for (const inner of command.commands) pointToHelp(inner, `${path} ${inner.name()}`);
}

/** How it ends; programs are told why (docs/cli.md). */
function fail(message: string, exitCode: number): void {
  process.exitCode = exitCode;
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify({ error: message.replace(/^error: /, ""), exitCode }, undefined, 2));
  }
}

try {
  // Each command loads what it needs, compiled by the last one: half a second less each time.
  process.env.NODE_COMPILE_CACHE ||= cloudPaths().compileCache;
  enableCompileCache(process.env.NODE_COMPILE_CACHE);
  // The engine looks for its project here, from wherever the command was called.
  process.chdir(checkout);
  for (const [name, [, load]] of Object.entries(filled)) {
    if (isFilled(name)) (await load())(program, cloudPaths);
  }
  pointToHelp(program, program.name());
  await program.parseAsync();
} catch (error) {
  const { message } = error as Error;
  if (error instanceof CommanderError) {
    // It has told people what there is to say.
    if (error.exitCode === 0) process.exitCode = exitCodes.done;
    else fail(error.code === "commander.help" ? "The command is not whole." : message, exitCodes.usage);
  } else {
    console.error(message);
    fail(message, error instanceof Failure ? error.exitCode : exitCodes.refused);
  }
}
