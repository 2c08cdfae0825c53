/** How a command ends, for scripts (docs/cli.md). */
export const exitCodes = {
  done: 0,
  /** It was not done, for the reason that it says. */
  refused: 1,
  /** The command was not written as `--help` says. */
  usage: 2,
  /** The stack file is open in an editor, or was changed meanwhile. */
  busy: 3,
  /** The stack file is changed, and the `up` after it has failed. */
  notUp: 4,
} as const;

/** Why a command was not done, in words for the person, and its exit code. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.refused) {
    super(message);
    this.exitCode = exitCode;
  }
}
