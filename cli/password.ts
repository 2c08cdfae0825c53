/** `mailhost password`: what a mail program has to know of one mailbox. */
import { type Command, Option } from "commander";
import type { CloudPaths } from "../local/paths.ts";
import type { StackOutputs } from "../local/stack.ts";
import { exits, say } from "../local/terminal.ts";
import { mailhostCommand } from "./engineWords.ts";
import { exitCodes, Failure } from "./failure.ts";
import { placeOf, type StackOption, withExamples, withJson, withStack } from "./options.ts";
import { outputsOfHost } from "./outputs.ts";
import { settingsAt } from "./stackFile/change.ts";
import { tableLines } from "./table.ts";

interface PasswordOptions extends StackOption {
  readonly device?: string;
  readonly qr?: "account" | "password";
  readonly show: boolean;
  readonly json: boolean;
}

/** A login, and the servers that it is for. */
export interface Login {
  readonly address: string;
  readonly login: string;
  /** Undefined where it is not to be shown. */
  readonly password: string | undefined;
  readonly incoming: StackOutputs["clientSettings"]["incoming"];
  readonly outgoing: StackOutputs["clientSettings"]["outgoing"];
  readonly outgoingAlternative: StackOutputs["clientSettings"]["outgoingAlternative"];
  readonly setupPage?: string;
}

export function addPasswordCommand(program: Command, paths: () => CloudPaths): void {
  withExamples(
    withJson(withStack(program.command("password")))
      .description("what a mail program has to know of one mailbox: login, generated password, servers")
      .argument("<address>", "its whole address")
      .option("--device <name>", "with the password of one of its devices, in place of its own")
      .addOption(
        new Option(
          "--qr [what]",
          "as a picture to be scanned: the account, for Thunderbird on a phone, or the password alone",
        )
          .choices(["account", "password"])
          .preset("account")
          .conflicts("json"),
      )
      .option("--show", "shows the password also where this is no terminal", false),
    "mailhost password ann@example.org",
    "mailhost password ann@example.org --device phone --qr",
  ).action(
    exits(async (address: string, options: PasswordOptions) => {
      const { stack, device, qr, show, json } = options;
      const place = placeOf(paths, stack);
      const isShown = show || process.stdout.isTTY;
      if (qr !== undefined && !isShown) {
        throw new Failure(
          "A picture of a password is shown on a terminal alone, or with: --show",
          exitCodes.usage,
        );
      }
      const outputs = await outputsOfHost(place);
      const login = loginOf(outputs, address.toLowerCase(), device, isShown, stack);
      if (qr !== undefined) {
        const { renderUnicodeCompact } = await import("uqr");
        say(renderUnicodeCompact(qr === "password" ? (login.password ?? "") : accountCode(login)));
        return 0;
      }
      const { ownPasswords } = (await settingsAt(place)).options;
      const note =
        ownPasswords && device === undefined
          ? "Users may choose another in webmail (mailhost:ownPasswords): then that holds, and nobody can show it."
          : undefined;
      if (json) say(JSON.stringify({ ...login, ...(note !== undefined && { note }) }, undefined, 2));
      else for (const line of [...loginLines(login), ...(note === undefined ? [] : ["", note])]) say(line);
      return 0;
    }),
  );
}

/**
 * What a mailbox's owner has to know.
 * @param isShown whether its password may be seen
 * @throws Failure where the stack has no such mailbox or device, or does not know its password
 */
export function loginOf(
  { credentials, mailboxes, clientSettings, setupPages }: StackOutputs,
  address: string,
  device: string | undefined,
  isShown: boolean,
  stack: string,
): Login {
  if (!Object.hasOwn(mailboxes, address)) {
    throw new Failure(
      `The host has no mailbox ${address}. It has: ${Object.keys(mailboxes).join(", ")}. One that is in the stack file alone comes with the next up.`,
    );
  }
  const password = credentials[device === undefined ? address : `${address}/${device}`];
  if (password === undefined) {
    const devices = Object.keys(credentials)
      .filter((key) => key.startsWith(`${address}/`))
      .map((key) => key.slice(address.length + 1));
    throw new Failure(
      device === undefined
        ? `${address} has a password of its owner's, of which the stack has the hash alone: nobody can show it. A generated one in its place: ${mailhostCommand(stack, `mailbox passwd ${address}`)}`
        : `${address} has no device ${device}. It has: ${devices.join(", ") || "none"}.`,
    );
  }
  const { incoming, outgoing, outgoingAlternative } = clientSettings;
  const setupPage = setupPages?.[address.slice(address.lastIndexOf("@") + 1)];
  return {
    address,
    login: address,
    password: isShown ? password : undefined,
    incoming,
    outgoing,
    outgoingAlternative,
    ...(setupPage !== undefined && { setupPage }),
  };
}

export function loginLines(login: Login): readonly string[] {
  const { outgoing, outgoingAlternative: other } = login;
  const server = ({ host, port, security }: Login["incoming" | "outgoing"]) =>
    `${host}, port ${port}, ${security}`;
  return [
    ...tableLines([
      ["address", login.address],
      ["login", login.login],
      ["password", login.password ?? "(not shown where this is no terminal; --show does)"],
      ["IMAP", server(login.incoming)],
      ["SMTP", `${server(outgoing)}; or port ${other.port}, ${other.security}`],
    ]),
    ...(login.setupPage === undefined
      ? []
      : ["", `Most programs find the servers by themselves. For people: ${login.setupPage}`]),
  ];
}

/** Numbers of the form below. */
const [formatVersion, imap, smtp, tls, password] = [1, 0, 0, 3, 1];

/**
 * An account as Thunderbird for phones takes it from a QR code (Thunderbird "Export for Mobile" QR code format, version 1):
 * add an account, then "import".
 */
export function accountCode({ address, login, password: secret, incoming, outgoing }: Login): string {
  return JSON.stringify([
    formatVersion,
    [1, 1],
    [imap, incoming.host, incoming.port, tls, password, login, "", secret],
    [
      [
        [smtp, outgoing.host, outgoing.port, tls, password, login, secret],
        [address, address.slice(0, address.lastIndexOf("@"))],
      ],
    ],
  ]);
}
