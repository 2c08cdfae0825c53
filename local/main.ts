/** The commands of package.json that have to do with the local cloud. */
import { enableCompileCache } from "node:module";
import { Argument, Command } from "commander";
import { cloudPaths } from "./paths.ts";
import { addSystemFolders } from "./prerequisites.ts";
import { exits, say } from "./terminal.ts";

addSystemFolders();

const program = new Command("mailhost")
  .description("A whole mail host on a local cloud.")
  .enablePositionalOptions();

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
