/** `mailhost trace`: everything about one message. */
import type { Command } from "commander";
import type { CloudPaths } from "../local/paths.ts";
import { exits, say } from "../local/terminal.ts";
import { mailhostCommand } from "./engineWords.ts";
import { Failure } from "./failure.ts";
import { entries } from "./logs.ts";
import { type Entry, journalSearch } from "./messages/journal.ts";
import { traced } from "./messages/trace.ts";
import { traceLines } from "./messages/words.ts";
import { placeOf, type StackOption, withExamples, withJson, withStack } from "./options.ts";
import { onHost } from "./session.ts";

interface TraceOptions extends StackOption {
  readonly since: string;
  readonly all: boolean;
  readonly json: boolean;
}

export function addTraceCommand(program: Command, paths: () => CloudPaths): void {
  withExamples(
    withJson(withStack(program.command("trace")))
      .description("everything about one message, in the order of time, and why rspamd judged it so")
      .argument("<id>", "its Message-ID, or its queue id")
      .option("--since <time>", "looks no further back than this, as journalctl(1) takes it", "7 days ago")
      .option("--all", "also rspamd's rules that weighed nothing", false),
    "mailhost trace CAF3x…@mail.gmail.com",
    "mailhost trace 4dDKlq2vXVz1Qx --since yesterday",
  ).action(
    exits(async (id: string, { stack, since, all, json }: TraceOptions) =>
      onHost(placeOf(paths, stack), async (session) => {
        const { messages, found } = await traced(id, async (words) => {
          const some: Entry[] = [];
          await entries(session, journalSearch({ since }, words), (entry) => some.push(entry));
          return some;
        });
        if (found.length === 0) {
          const more = id.includes("@")
            ? ` All mail of an address: ${mailhostCommand(stack, `logs --mailbox ${id.replace(/^<|>$/g, "")}`)}`
            : "";
          throw new Failure(`The log has no message ${id} since: ${since}.${more}`);
        }
        if (json) {
          const told = found.map((message) => ({ ...message, events: messages.told(message) }));
          say(JSON.stringify(told, undefined, 2));
        } else
          say(found.map((one) => traceLines(one, messages.told(one), stack, all).join("\n")).join("\n\n"));
        return 0;
      }),
    ),
  );
}
