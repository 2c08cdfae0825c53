/** `mailhost queue`: what waits on the host to be brought on. */
import type { Command } from "commander";
import type { CloudPaths } from "../local/paths.ts";
import { exits, say } from "../local/terminal.ts";
import { shellWord } from "../plan/shell.ts";
import type { Session } from "../ssh/session.ts";
import { mailhostCommand } from "./engineWords.ts";
import { exitCodes, Failure } from "./failure.ts";
import { placeOf, type StackOption, withExamples, withJson, withStack } from "./options.ts";
import { isWatched, question } from "./person.ts";
import { queueLines, readQueue, type Waiting } from "./queueLines.ts";
import { answered, onHost } from "./session.ts";

/**
 * Where Postfix keeps what has failed at least once: a file's time is when it is tried next (qmgr(8)). One may go away
 * meanwhile.
 */
export const look =
  "date +%s && postqueue -j && echo === && find /var/spool/postfix/deferred -ignore_readdir_race -type f -printf '%f %T@\\n'";

interface JsonOption extends StackOption {
  readonly json: boolean;
}

export function addQueueCommands(program: Command, paths: () => CloudPaths): void {
  const queue = program.command("queue").description("what waits on the host to be brought on, and why");

  withExamples(
    withJson(withStack(queue.command("list", { isDefault: true }))).description(
      "what waits, since when, why, and when it is tried again",
    ),
    "mailhost queue list",
    "mailhost queue --json",
  ).action(
    exits(async ({ stack, json }: JsonOption) =>
      onHost(placeOf(paths, stack), async (session) => {
        const { now, waiting } = await waitingOn(session);
        if (json) say(JSON.stringify(waiting, undefined, 2));
        else for (const line of queueLines(waiting, now)) say(line);
        return 0;
      }),
    ),
  );

  withExamples(
    withJson(withStack(queue.command("retry")))
      .description("tries what waits now, without waiting longer")
      .argument("[id]", "its queue id: see mailhost queue")
      .option("--all", "all that waits", false),
    "mailhost queue retry 4dDKlq2vXVz1Qx",
    "mailhost queue retry --all",
  ).action(
    exits(async (id: string | undefined, { stack, all, json }: JsonOption & { readonly all: boolean }) => {
      if (all === (id !== undefined)) {
        throw new Failure(
          "Name one message by its queue id; or --all, alone, tries all that waits.",
          exitCodes.usage,
        );
      }
      return await onHost(placeOf(paths, stack), async (session) => {
        const { waiting } = await waitingOn(session);
        const some = id === undefined ? waiting : chosen(waiting, id, stack);
        if (some.length > 0) {
          await answered(session, id === undefined ? "postqueue -f" : `postqueue -i ${shellWord(id)}`);
        }
        tell(json, "tried", some, stack);
        return 0;
      });
    }),
  );

  withExamples(
    withJson(withStack(queue.command("remove")))
      .description("deletes a message that waits; nobody is told, neither its sender nor whom it was for")
      .argument("<id>", "its queue id: see mailhost queue")
      .option("--yes", "without asking", false),
    "mailhost queue remove 4dDKlq2vXVz1Qx",
  ).action(
    exits(async (id: string, { stack, yes, json }: JsonOption & { readonly yes: boolean }) =>
      onHost(placeOf(paths, stack), async (session) => {
        const { now, waiting } = await waitingOn(session);
        const some = chosen(waiting, id, stack);
        if (!yes) {
          for (const line of queueLines(some, now)) console.error(line);
          if (!isWatched())
            throw new Failure(`It would be deleted for good. To delete it all the same, add: --yes`);
          if (!/^y(es)?$/i.test(await question("Delete it for good? [y/N] ")))
            throw new Failure("Nothing was touched.");
        }
        await answered(session, `postsuper -d ${shellWord(id)}`);
        tell(json, "removed", some, stack);
        return 0;
      }),
    ),
  );
}

async function waitingOn(session: Session) {
  return readQueue(await answered(session, look));
}

/** @throws Failure where it does not wait */
function chosen(waiting: readonly Waiting[], id: string, stack: string): readonly Waiting[] {
  const found = waiting.filter(({ queueId }) => queueId === id);
  if (found.length === 0)
    throw new Failure(`No message ${id} waits. What became of it: ${mailhostCommand(stack, `trace ${id}`)}`);
  return found;
}

function tell(json: boolean, did: "tried" | "removed", some: readonly Waiting[], stack: string): void {
  const ids = some.map(({ queueId }) => queueId);
  if (json) say(JSON.stringify({ [did]: ids }, undefined, 2));
  else if (ids.length === 0) say("Nothing waits.");
  else if (did === "removed") say(`${ids.join(", ")} is removed.`);
  else
    say(
      `${ids.length} ${ids.length === 1 ? "is" : "are"} being tried. What becomes of it: ${mailhostCommand(stack, "logs -f")}`,
    );
}
