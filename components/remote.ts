import { Command } from "@pulumi/command/remote/command.js";
import * as pulumi from "@pulumi/pulumi";
import { LOGIN_USER } from "../plan/users.ts";

/** How to log in to a machine. */
export interface Login {
  readonly address: pulumi.Input<string>;
  readonly privateKey: pulumi.Input<string>;
  /** The host key it has to show, OpenSSH public form. */
  readonly hostKey: pulumi.Input<string>;
  /** A new machine behind the same address is provisioned again: its id is here. */
  readonly instanceId: pulumi.Input<string>;
  /** Runs before a connection: says in words why there is none, before minutes of dialling say nothing. */
  readonly answers: pulumi.ResourceHook;
}

export interface RemoteArgs {
  readonly login: Login;
  /** A short line: a failure prints it whole. Content goes by `stdin`. */
  readonly command: string;
  readonly stdin: pulumi.Input<string>;
  /**
   * There are secrets in `stdin`: what the command says is kept as a secret, and goes to no log. A failure prints it
   * all the same, so that the program at the other end must not repeat what it reads.
   * @default false
   */
  readonly confidential?: boolean;
}

/**
 * One step on the host, and the only way to it: nothing else opens a connection. It runs when it is new, when
 * its text or its standard input changed, and on a new machine.
 */
export function remote(name: string, args: RemoteArgs, opts: pulumi.CustomResourceOptions): Command {
  return new Command(
    name,
    {
      connection: {
        host: args.login.address,
        user: LOGIN_USER,
        privateKey: args.login.privateKey,
        hostKey: pulumi.output(args.login.hostKey).apply((key) => key.trim()),
        // A machine boots in a minute; one that is busy refuses some of the connections that come at once.
        dialErrorLimit: 60,
        perDialTimeout: 15,
      },
      create: args.command,
      stdin: args.stdin,
      // The environment would need AcceptEnv in sshd's configuration.
      addPreviousOutputInEnv: false,
      triggers: [args.login.instanceId],
      ...(args.confidential && { logging: "none" }),
    },
    {
      ...opts,
      hooks: { ...opts.hooks, beforeCreate: [args.login.answers], beforeUpdate: [args.login.answers] },
      // On a new machine the old step is forgotten; there is nothing of it to undo.
      deleteBeforeReplace: true,
      ...(args.confidential && { additionalSecretOutputs: ["stdout", "stderr"] }),
    },
  );
}
