import { rootCertificates, type SecureContextOptions } from "node:tls";
import { hasLockedStore } from "../plan/lockedStore.ts";
import { ownPasswordsProgram } from "../plan/ownPasswords.ts";
import type { Port } from "../plan/types.ts";
import type { Domain } from "../settings/types.ts";
import type { Session } from "../ssh/session.ts";
import type { Credentials, Mailbox, openMailbox } from "./imap.ts";
import { type LoginPort, LoginTurns } from "./loginTurns.ts";
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

/** From where a host is looked at, and what it opens for whoever looks. */
export interface Viewpoint {
  /** Where its ports are asked; on the host itself that is an address of its own, and what stands before it is not seen. */
  readonly at: string;
  /** Whether that is the host itself. @default false */
  readonly isHere?: boolean;
  /** A session inside. @default nobody has one: what is inside is not looked at */
  readonly inside?: () => Promise<Session>;
  /** Opens mailboxes. @default nobody knows a password */
  readonly openMailbox?: typeof openMailbox;
}

/** The host as items see it: the target and the connections they share. */
export class HostUnderCheck {
  readonly target: CheckTarget;
  readonly from: Viewpoint;
  readonly name: string;
  /** The public one. */
  readonly address: string;
  /** PEM of every root a certificate may chain to. */
  readonly roots: readonly string[];
  #session: Promise<Session> | undefined;
  #loginTurns: LoginTurns | undefined;
  /** Mailboxes whose users have a password of their own, which nobody else knows. */
  #private: ReadonlySet<string> = new Set();

  constructor(target: CheckTarget, from: Viewpoint) {
    this.target = target;
    this.from = from;
    this.name = target.settings.hostname;
    this.address = target.facts.publicIpv4;
    this.roots = [...rootCertificates, ...(target.trustedCas ?? [])];
  }

  /** Seconds that a test message may take. */
  get patience(): number {
    return this.target.patience ?? 20;
  }

  /**
   * On the host itself one that is trusted is an anchor, also where somebody stands above it: of an authority that is not
   * public, the host knows the intermediate one alone.
   */
  get trust(): SecureContextOptions {
    return this.from.isHere ? { allowPartialTrustChain: true } : {};
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
    if (this.from.inside === undefined) return undefined;
    try {
      return (await (await this.session()).run(command, options)).stdout;
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
      address: this.from.at,
      port: port.number,
      servername: this.name,
      roots: this.roots,
      implicitTls: name === "submissions",
    });
  }

  /** Where to log in to send, once there is room for one more login. */
  loginTurn(): Promise<LoginPort> {
    const more = this.port("submission") === undefined ? [] : (["submission"] as const);
    this.#loginTurns ??= new LoginTurns(["submissions", ...more]);
    return this.#loginTurns.next();
  }

  /** A mailbox, opened as its owner would. @throws when it does not open */
  mailbox(login: Login): Promise<Mailbox> {
    const port = this.port("imaps")?.number ?? 993;
    if (this.from.openMailbox === undefined) throw new Error("no password of a mailbox is known");
    return this.from.openMailbox({ address: this.from.at, port, name: this.name, roots: this.roots }, login);
  }

  /** The one session on the host that all items share. @throws when there is none, or it does not open */
  session(): Promise<Session> {
    const { inside } = this.from;
    if (inside === undefined) {
      throw new Error("no SSH access is known");
    }
    this.#session ??= inside();
    return this.#session;
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    session?.close();
  }
}

export interface Login extends Credentials {
  readonly domain: string;
}
