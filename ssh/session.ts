/** That nobody gets in, in words. */
export class NoLogin extends Error {}

/** Commands on the host, wherever the check runs. */
export interface Session {
  /**
   * Runs a command with sh, as root where `root` is asked for, with `input` on its standard input.
   * @returns what it printed and its exit code; a code other than 0 is for the caller to judge
   */
  run(command: string, options?: { readonly root?: boolean; readonly input?: string }): Promise<Output>;
  close(): void;
}

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
