import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type SecureContextOptions, type TLSSocket } from "node:tls";
import { trusting } from "./trust.ts";

/** A server's reply to one command (RFC 5321 section 4.2). */
export interface SmtpReply {
  readonly code: number;
  /** Enhanced status code of the last line (RFC 3463), as `5.1.1`. */
  readonly enhanced?: string;
  /** Lines without code and separator. */
  readonly lines: readonly string[];
  /** All of it in one line, code in front, for people. */
  readonly text: string;
}

/** Not now, perhaps later: it is no answer to the question whether (RFC 5321 section 4.2.1). */
export function isPutOff({ code }: SmtpReply): boolean {
  return code >= 400 && code < 500;
}

export interface SmtpAddress {
  readonly address: string;
  readonly port: number;
  /** Name that the certificate has to be for. */
  readonly servername: string;
  /** PEM of trusted roots. */
  readonly roots: readonly string[];
  readonly implicitTls: boolean;
  /** What the client calls itself. @default its address */
  readonly client?: string;
  /** Milliseconds for each answer. @default 8000 */
  readonly timeout?: number;
}

/** Connects and reads the greeting. @throws when nothing answers, or not with SMTP */
export async function openSmtp(where: SmtpAddress): Promise<SmtpDialogue> {
  const timeout = where.timeout ?? 8000;
  const socket = await connected(where.address, where.port, timeout);
  const dialogue = new SmtpDialogue(where, socket, timeout);
  try {
    if (where.implicitTls) {
      await dialogue.secure();
    }
    await dialogue.greet();
  } catch (error) {
    dialogue.close();
    throw error;
  }
  return dialogue;
}

/** A TCP connection within the time. @throws in words: refused, or no answer */
export async function connected(address: string, port: number, timeout: number): Promise<Socket> {
  const socket = connectTcp({ host: address, port });
  try {
    await happens(socket, "connect", timeout);
    return socket;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`${address} port ${port}: ${code === "ECONNREFUSED" ? "refused" : message}`);
  }
}

/** Waits for a socket's event; on its error, or too late, the socket is gone. @throws the error, or "no answer" */
export async function happens(socket: Socket, event: string, timeout: number): Promise<void> {
  try {
    await once(socket, event, { signal: AbortSignal.timeout(timeout) });
  } catch (error) {
    socket.destroy();
    throw (error as Error).name === "AbortError" ? new Error("no answer") : error;
  }
}

/**
 * One conversation, a command at a time, saying exactly what it is told to. It is for finding out how a server
 * answers; nothing here is clever.
 */
export class SmtpDialogue {
  readonly #where: SmtpAddress;
  readonly #timeout: number;
  #socket: Socket | TLSSocket;
  #received = "";
  #ended: Error | undefined;
  #wake: (() => void) | undefined;
  #greeting: SmtpReply = { code: 0, lines: [], text: "" };

  constructor(where: SmtpAddress, socket: Socket, timeout: number) {
    this.#where = where;
    this.#socket = socket;
    this.#timeout = timeout;
    this.#listen();
  }

  get greeting(): SmtpReply {
    return this.#greeting;
  }

  /** Present once the conversation is encrypted. */
  get tls(): TLSSocket | undefined {
    return "encrypted" in this.#socket ? this.#socket : undefined;
  }

  async greet(): Promise<void> {
    this.#greeting = await this.#reply();
  }

  /** Sends one line and reads the reply to it. */
  async command(line: string): Promise<SmtpReply> {
    this.#socket.write(`${line}\r\n`);
    return await this.#reply();
  }

  /** @returns the extensions offered, keyword to parameters, upper case; and the name the server gives itself */
  async ehlo(): Promise<{ readonly name: string; readonly extensions: ReadonlyMap<string, string> }> {
    const reply = await this.command(`EHLO ${this.#ownName()}`);
    if (reply.code !== 250) {
      throw new Error(`EHLO was answered "${reply.text}"`);
    }
    const [first = "", ...rest] = reply.lines;
    const extensions = rest.map((line): [string, string] => {
      const [keyword = "", ...parameters] = line.toUpperCase().split(/[ =]/);
      return [keyword, parameters.join(" ")];
    });
    return { name: first.split(" ")[0] ?? "", extensions: new Map(extensions) };
  }

  /** STARTTLS and the handshake; whether the certificate is trusted stays to be asked of `tls`. */
  async startTls(options?: SecureContextOptions): Promise<void> {
    const reply = await this.command("STARTTLS");
    if (reply.code !== 220) {
      throw new Error(`STARTTLS was answered "${reply.text}"`);
    }
    await this.secure(options);
  }

  /** The TLS handshake on the connection as it is. @param options versions and ciphers to offer, instead of the usual */
  async secure(options?: SecureContextOptions): Promise<void> {
    const plain = this.#socket;
    plain.removeAllListeners();
    const { servername, roots } = this.#where;
    const socket = connectTls({
      socket: plain,
      servername,
      // A server with a bad certificate is still one whose answers have to be looked at; `login` is stricter.
      rejectUnauthorized: false,
      ...(options === undefined ? { secureContext: trusting(roots) } : { ca: [...roots], ...options }),
    });
    await happens(socket, "secureConnect", this.#timeout);
    this.#socket = socket;
    this.#listen();
  }

  /** AUTH PLAIN. @throws before anything secret is sent when the certificate is not trusted */
  async login(address: string, password: string): Promise<SmtpReply> {
    const tls = this.tls;
    if (!tls?.authorized) {
      throw new Error(
        `the certificate is not trusted (${tls?.authorizationError ?? "no TLS"}): no password was sent`,
      );
    }
    return await this.command(`AUTH PLAIN ${Buffer.from(`\0${address}\0${password}`).toString("base64")}`);
  }

  /** MAIL, RCPT, DATA and the message; stops at the first refusal. @returns the last reply, and where it came */
  async deliver(
    from: string,
    to: string,
    message: string,
  ): Promise<{ readonly at: "MAIL" | "RCPT" | "DATA" | "message"; readonly reply: SmtpReply }> {
    const mail = await this.command(`MAIL FROM:<${from}>`);
    if (mail.code !== 250) {
      return { at: "MAIL", reply: mail };
    }
    const rcpt = await this.command(`RCPT TO:<${to}>`);
    if (rcpt.code >= 300) {
      return { at: "RCPT", reply: rcpt };
    }
    const data = await this.command("DATA");
    if (data.code !== 354) {
      return { at: "DATA", reply: data };
    }
    const stuffed = message.replace(/\r?\n/g, "\r\n").replace(/^\./gm, "..");
    return { at: "message", reply: await this.command(`${stuffed}\r\n.`) };
  }

  async quit(): Promise<void> {
    await this.command("QUIT").catch(() => undefined);
    this.close();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** An address literal is the one name a client anywhere may rightly call itself (RFC 5321 section 4.1.4). */
  #ownName(): string {
    if (this.#where.client !== undefined) return this.#where.client;
    const address = this.#socket.localAddress ?? "127.0.0.1";
    return isIP(address) === 6 ? `[IPv6:${address}]` : `[${address}]`;
  }

  #listen(): void {
    this.#socket.setEncoding("utf8");
    this.#socket.on("data", (text: string) => {
      this.#received += text;
      this.#wake?.();
    });
    const end = (error?: Error) => {
      this.#ended ??= error ?? new Error("the server closed the connection");
      this.#wake?.();
    };
    this.#socket.on("error", end);
    this.#socket.on("close", () => end());
  }

  async #reply(): Promise<SmtpReply> {
    const deadline = Date.now() + this.#timeout;
    for (;;) {
      const whole = /^(?:\d{3}-.*\r?\n)*\d{3}(?: .*)?\r?\n/.exec(this.#received);
      if (whole !== null) {
        this.#received = this.#received.slice(whole[0].length);
        return parseReply(whole[0]);
      }
      const left = deadline - Date.now();
      if (this.#ended !== undefined || left <= 0) {
        throw this.#ended ?? new Error(`${this.#where.address} port ${this.#where.port}: no answer`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

function parseReply(text: string): SmtpReply {
  const raw = text.trimEnd().split(/\r?\n/);
  const lines = raw.map((line) => line.slice(4));
  const enhanced = /^([245]\.\d{1,3}\.\d{1,3})\b/.exec(lines.at(-1) ?? "")?.[1];
  const code = Number(text.slice(0, 3));
  return {
    code,
    ...(enhanced === undefined ? {} : { enhanced }),
    lines,
    text: `${code} ${lines.join(" ")}`.trim(),
  };
}
