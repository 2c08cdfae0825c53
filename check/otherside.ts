import { type ApiCall, callApi } from "./api.ts";

/**
 * The other side of the internet: a mail server of somebody else's domain that says what it got and what it
 * thinks of it, and that sends us mail. The check only knows this interface; the local cloud has one
 * (`local/peer`), a real cloud may do without.
 */
export interface OtherSide {
  /** Its mail domain: it takes mail for every user there. */
  readonly domain: string;
  /** Waits until a message with this Message-ID (with or without brackets) has come; undefined when it has not. */
  waitFor(messageId: string, seconds: number): Promise<ReceivedMessage | undefined>;
  /** Messages it got, oldest first. */
  messages(filter?: MessageFilter): Promise<readonly ReceivedMessage[]>;
  /** Delivers a message by the MX of the recipient's domain, and says what came back. */
  send(order: SendOrder): Promise<SendOutcome>;
}

export interface MessageFilter {
  /** An envelope recipient. */
  readonly to?: string;
  /** ISO time: only what came after. */
  readonly since?: string;
}

/** A result word of RFC 8601 section 2.7, as `pass`, `fail`, `none`. */
export type ResultWord = string;

export interface DkimVerdict {
  readonly result: ResultWord;
  readonly domain: string;
  readonly selector: string;
  /** `rsa-sha256` or `ed25519-sha256`. */
  readonly algorithm: string;
  /** The signing domain fits the header From (RFC 7489 section 3.1.1). */
  readonly aligned: boolean;
  readonly comment?: string;
}

export interface Verdict {
  readonly spf: { readonly result: ResultWord; readonly domain: string; readonly comment?: string };
  /** One for each signature. */
  readonly dkim: readonly DkimVerdict[];
  readonly dmarc: { readonly result: ResultWord; readonly policy: string; readonly domain: string };
  readonly arc: { readonly result: ResultWord; readonly instance: number };
}

export interface ReceivedMessage {
  readonly id: string;
  /** ISO time at which it was taken. */
  readonly at: string;
  readonly client: {
    readonly address: string;
    /** Names of its PTR records. */
    readonly ptr: readonly string[];
    /** As said in HELO or EHLO. */
    readonly helo: string;
  };
  /** Absent when the message came in the clear. */
  readonly tls?: { readonly version: string; readonly cipher: string };
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  /** Without brackets. */
  readonly messageId: string;
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  /** Octets. */
  readonly size: number;
  readonly verdict: Verdict;
}

export interface SendOrder {
  /** Header From and, unless `envelopeFrom` says otherwise, envelope sender. */
  readonly from: string;
  readonly to: string;
  readonly subject?: string;
  readonly text?: string;
  /** A whole message (header and body) instead of one made from the fields above. */
  readonly raw?: string;
  /** Signed with the other side's own keys. @default true */
  readonly sign?: boolean;
  /** Envelope sender; empty for the null sender of bounces. @default from */
  readonly envelopeFrom?: string;
  /** HELO name. @default the other side's own name */
  readonly helo?: string;
  /** @default "opportunistic" */
  readonly tls?: "opportunistic" | "require" | "none";
  /** Address to deliver to, instead of the MX of the recipient's domain. */
  readonly host?: string;
  /** @default 25 */
  readonly port?: number;
  /** Seconds for the whole delivery. @default 60 */
  readonly timeout?: number;
}

export interface SendOutcome {
  /** Taken: answered 2xx at the end of the message. */
  readonly accepted: boolean;
  /** Of the final answer; 0 where there was none. */
  readonly code: number;
  readonly response: string;
  /** `host [address]` that was spoken to. */
  readonly server: string;
  /** Without brackets. */
  readonly messageId: string;
  readonly tls?: { readonly version: string; readonly cipher: string };
  /** Lines as they went over the wire, `C: ` and `S: ` in front; the message's own lines left out. */
  readonly transcript: readonly string[];
}

/**
 * One call of the other side's API.
 * @param api where it listens: a Unix socket's path (with or without `unix:` in front) or `http://host:port`
 * @param call patience: half a minute by default
 * @throws when nothing answers, or the answer is an error (its text is the message)
 */
export async function callOtherSide(
  api: string,
  path: string,
  call: Omit<ApiCall, "path"> = {},
): Promise<unknown> {
  const { status, value } = await callApi(
    { whom: "The other side", at: api },
    { patience: 30, ...call, path },
  );
  if (status < 400) return value;
  throw new Error(`The other side refused ${path}: ${(value as { error?: string } | null)?.error}`);
}

/** The other side behind an API as `local/peer` serves it. @throws when nothing answers there */
export async function otherSideAt(api: string): Promise<OtherSide> {
  const { domain } = (await callOtherSide(api, "/")) as { domain: string };
  return {
    domain,
    async waitFor(messageId, seconds) {
      const query = new URLSearchParams({ messageId, timeout: String(seconds) });
      const found = await callOtherSide(api, `/wait?${query}`, { patience: seconds + 10 });
      return (found ?? undefined) as ReceivedMessage | undefined;
    },
    async messages(filter = {}) {
      return (await callOtherSide(
        api,
        `/messages?${new URLSearchParams({ ...filter })}`,
      )) as ReceivedMessage[];
    },
    async send(order) {
      const patience = (order.timeout ?? 60) + 10;
      return (await callOtherSide(api, "/send", { method: "POST", body: order, patience })) as SendOutcome;
    },
  };
}
