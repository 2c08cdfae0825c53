import { rootCertificates } from "node:tls";
import { hasLockedStore } from "../plan/lockedStore.ts";
import { ownPasswordsProgram } from "../plan/ownPasswords.ts";
import type { Port } from "../plan/types.ts";
import type { Domain } from "../settings/types.ts";
import { openSsh, type SshSession } from "../ssh/client.ts";
import { type Credentials, type Mailbox, openMailbox } from "./imap.ts";
import { openSmtp, type SmtpDialogue } from "./smtp.ts";
import type { CheckTarget, Finding, groups } from "./types.ts";

/** One concern of the check. */
export interface Look<Subject> {
  readonly name: string;
  readonly group: (typeof groups)[number];
  /** Says what it finds; what it throws becomes a wrong line. Looks run side by side. */
  look(subject: Subject): Promise<readonly Finding[]>;
  /** What to do where that could not be looked at. @default about the host */
  readonly silent?: string;
}

/** One concern about the host: one module of `check/items/`. */
export type Item = Look<HostUnderCheck>;

export type MailPort = "smtp" | "submissions" | "submission" | "imaps" | "https";

/** The host as items see it: the target and the connections they share. */
export class HostUnderCheck {
  readonly target: CheckTarget;
  readonly name: string;
  readonly address: string;
  /** PEM of every root a certificate may chain to. */
  readonly roots: readonly string[];
  #ssh: Promise<SshSession> | undefined;
  /** Mailboxes whose users have a password of their own, which nobody else knows. */
  #private: ReadonlySet<string> = new Set();

  constructor(target: CheckTarget) {
    this.target = target;
    this.name = target.settings.hostname;
    this.address = target.facts.publicIpv4;
    this.roots = [...rootCertificates, ...(target.trustedCas ?? [])];
  }

  /** Seconds that a test message may take. */
  get patience(): number {
    return this.target.patience ?? 20;
  }

  /** Every port of the plan. */
  get ports(): readonly Port[] {
    return this.target.bundles.flatMap(({ ports }) => ports);
  }

  /** The plan's port of this name; undefined where the plan has none. */
  port(name: MailPort): Port | undefined {
    return this.ports.find((port) => port.name === name);
  }

  /** The domains to look at. */
  get domains(): readonly Domain[] {
    const { settings, only } = this.target;
    return settings.domains.filter(({ name }) => only === undefined || name === only);
  }

  /** Mailboxes whose password is known and opens them. */
  get logins(): readonly Login[] {
    return this.domains.flatMap((domain) =>
      domain.mailboxes.flatMap(({ address, suspended }) => {
        const password = this.target.credentials[address];
        const known = password !== undefined && !this.#private.has(address);
        return !known || suspended ? [] : [{ domain: domain.name, address, password }];
      }),
    );
  }

  /** Whether its store waits for a passphrase. Where that cannot be asked, it does not. */
  async isLocked(): Promise<boolean> {
    if (!hasLockedStore(this.target.settings)) return false;
    const state = await this.#asked("/usr/local/lib/mailhost/store state", { root: true });
    return state !== undefined && ["locked", "new"].includes(state.trim());
  }

  /**
   * Waits until a machine that boots has started everything, for a minute at most: what is not there yet is no fault.
   */
  async untilBooted(): Promise<void> {
    // It answers at once where nothing starts any more; a unit that has failed is told by an item.
    await this.#asked("timeout 60 systemctl is-system-running --wait", { root: false });
  }

  /** Learns whose password is no longer the stack's. Where that cannot be asked, each counts as the stack's. */
  async learnPasswords(): Promise<void> {
    if (!this.target.bundles.some(({ name }) => name === "own-passwords")) return;
    const list = await this.#asked(`${ownPasswordsProgram} list`, { root: true });
    if (list !== undefined) this.#private = new Set(list.split("\n"));
  }

  /**
   * What a command inside prints, before any item looks. Undefined where nobody can log in: that is told by whatever looks
   * inside.
   */
  async #asked(command: string, options: { readonly root: boolean }): Promise<string | undefined> {
    if (this.target.ssh === undefined) return undefined;
    try {
      return (await (await this.ssh()).run(command, options)).stdout;
    } catch {
      return undefined;
    }
  }

  /** A new SMTP conversation; on `submissions` inside TLS from the start. @throws when nobody answers */
  smtp(name: "smtp" | "submissions" | "submission"): Promise<SmtpDialogue> {
    const port = this.port(name);
    if (port === undefined) {
      throw new Error(`The plan has no port ${name}`);
    }
    return openSmtp({
      address: this.address,
      port: port.number,
      servername: this.name,
      roots: this.roots,
      implicitTls: name === "submissions",
    });
  }

  /** A mailbox, opened as its owner would. @throws when it does not open */
  mailbox(login: Login): Promise<Mailbox> {
    const port = this.port("imaps")?.number ?? 993;
    return openMailbox({ address: this.address, port, name: this.name, roots: this.roots }, login);
  }

  /** The one login on the host that all items share. @throws when there is none, or it does not work */
  ssh(): Promise<SshSession> {
    const access = this.target.ssh;
    if (access === undefined) {
      throw new Error("no SSH access is known");
    }
    this.#ssh ??= openSsh(access);
    return this.#ssh;
  }

  async close(): Promise<void> {
    const session = await this.#ssh?.catch(() => undefined);
    session?.close();
  }
}

export interface Login extends Credentials {
  readonly domain: string;
}
