/** The commands of package.json that have to do with the local cloud. */
import { enableCompileCache } from "node:module";
import { Argument, Command, Option } from "commander";
import { cloudPaths } from "./paths.ts";
import { addSystemFolders } from "./prerequisites.ts";
import { say, wholeNumber } from "./terminal.ts";

addSystemFolders();

const program = new Command("mailhost")
  .description("A whole mail host on a local cloud.")
  .enablePositionalOptions();

/** The command's exit code becomes the process's. */
function exits<Args extends readonly unknown[]>(work: (...args: Args) => Promise<number>) {
  return async (...args: Args): Promise<void> => {
    process.exitCode = await work(...args);
  };
}

program
  .command("start")
  .description("local cloud, pulumi up of the stack dev, check")
  .option("--preview", "brings up the cloud alone, and shows what pulumi up would do there", false)
  .action(
    exits(async ({ preview }: { preview: boolean }) =>
      (await import("./commands/start.ts")).start(cloudPaths(), preview),
    ),
  );

program
  .command("stop")
  .description("stops the local cloud; disks and state stay for the next start")
  .action(async () => {
    const { stopCloud } = await import("./cloud.ts");
    say((await stopCloud(cloudPaths())) ? "Stopped. npm start brings it back." : "It was not running.");
  });

program
  .command("destroy")
  .description("pulumi destroy, and the end of the local cloud")
  .option("--everything", "also what is protected: address, mail, the cloud's whole folder", false)
  .option("--yes", "without asking, as where there is no terminal", false)
  .action(
    exits(async ({ everything, yes }: { everything: boolean; yes: boolean }) =>
      (await import("./commands/destroy.ts")).destroy(cloudPaths(), everything, yes),
    ),
  );

program
  .command("pulumi")
  .description("the engine with the local cloud's providers and state")
  .argument("[args...]", "as for pulumi")
  .allowUnknownOption()
  .passThroughOptions()
  .helpOption(false)
  .action(
    exits(async (args: string[]) => {
      const [{ Stack }, { needCloud }] = await Promise.all([import("./stack.ts"), import("./cloud.ts")]);
      const paths = cloudPaths();
      const stack = await Stack.open(paths, await needCloud(paths), (text) => console.error(text));
      return await stack.run(args);
    }),
  );

program
  .command("host")
  .description("a shell on the host, or one command there")
  .argument("[command...]")
  .allowUnknownOption()
  .passThroughOptions()
  .action(
    exits(async (command: string[]) => (await import("./commands/host.ts")).host(cloudPaths(), command)),
  );

program
  .command("unlock")
  .description("opens the host's locked store after a boot (mailhost:lockedStore)")
  .option("--stack <name>", "another stack than the local cloud's")
  .addOption(new Option("--change", "changes its passphrase").conflicts(["recover", "recoveryKey"]))
  .addOption(new Option("--recover", "sets a new passphrase, with the recovery key").conflicts("recoveryKey"))
  .option("--recovery-key", "makes a new recovery key and shows it")
  .action(
    exits(async (wanted: { stack?: string; change?: true; recover?: true; recoveryKey?: true }) =>
      (await import("./commands/unlock.ts")).unlock(
        cloudPaths(),
        wanted.change ? "change" : wanted.recover ? "recover" : wanted.recoveryKey ? "recovery-key" : "open",
        wanted.stack,
      ),
    ),
  );

program
  .command("rspamd")
  .description("rspamd's own page on the host, through SSH, while it runs")
  .option("--stack <name>", "another stack than the local cloud's")
  .option("--port <number>", "port of this machine", wholeNumber(65535), 11334)
  .action(
    exits(async ({ port, stack }: { port: number; stack?: string }) =>
      (await import("./commands/rspamd.ts")).rspamd(cloudPaths(), port, stack),
    ),
  );

program
  .command("reports")
  .description("what other servers report about the stack's domains")
  .option("--stack <name>", "another stack than the local cloud's")
  .option("--days <number>", "of so many days", wholeNumber(3650), 30)
  .option("--json", "for programs", false)
  .action(
    exits(async (wanted: { days: number; json: boolean; stack?: string }) =>
      (await import("./commands/reports.ts")).reports(cloudPaths(), wanted),
    ),
  );

program
  .command("check")
  .description("is my mail all right?")
  .argument("[args...]", "see --help")
  .allowUnknownOption()
  .passThroughOptions()
  .helpOption(false)
  .action(exits(async (args: string[]) => (await import("./commands/check.ts")).check(cloudPaths(), args)));

program
  .command("status")
  .description("what runs")
  .option("--json", "for programs", false)
  .action(
    exits(async ({ json }: { json: boolean }) =>
      (await import("./commands/status.ts")).status(cloudPaths(), json),
    ),
  );

program
  .command("cloud")
  .description("what the simulated accounts do that a real one does by itself")
  .command("port25")
  .description("outgoing port 25: blocked, as on every new AWS account, or open; without a word, how it is")
  .addArgument(new Argument("[state]").choices(["blocked", "open"]))
  .action(
    exits(async (wanted?: "blocked" | "open") =>
      (await import("./commands/port25.ts")).port25(cloudPaths(), wanted),
    ),
  );

const mail = program.command("mail").description("tries a mailbox from the command line");
try {
  // Each command, and each program that it starts, loads what it needs, compiled by the last one: half a second less
  // each time, and another half for each provider.
  process.env.NODE_COMPILE_CACHE ||= cloudPaths().compileCache;
  enableCompileCache(process.env.NODE_COMPILE_CACHE);
  // The libraries of mail cost every other command a third of a second.
  if (process.argv[2] === "mail") {
    const [{ addMailCommands }, { mailContext }] = await Promise.all([
      import("./mail.ts"),
      import("./commands/mail.ts"),
    ]);
    addMailCommands(mail, mailContext(cloudPaths));
  }
  await program.parseAsync();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
