import { request } from "node:http";

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

/** Where an API listens: a Unix socket's path or an http:// address. */
export interface Call {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly body?: unknown;
  /** Seconds. @default 30 */
  readonly timeout?: number;
}

/**
 * One call of a JSON API over HTTP.
 * @param api a Unix socket's path (with or without `unix:` in front) or `http://host:port`
 * @throws when nothing answers, or the answer is an error (its text is the message)
 */
export function callApi(api: string, path: string, call: Call = {}): Promise<unknown> {
  const url = /^https?:/.test(api) ? new URL(api) : undefined;
  const base = url?.pathname.replace(/\/$/, "") ?? "";
  const address = url
    ? { host: url.hostname, port: url.port }
    : { socketPath: api.replace(/^unix:(\/\/)?/, "") };
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        ...address,
        path: base + path,
        method: call.method ?? "GET",
        headers: body === undefined ? {} : { "content-type": "application/json" },
        // A connection of its own: a kept one may be closed by the other end just as it is used again.
        agent: false,
        signal: AbortSignal.timeout((call.timeout ?? 30) * 1000),
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(parts).toString();
          const value: unknown = text === "" ? undefined : JSON.parse(text);
          if ((answer.statusCode ?? 500) < 400) {
            resolve(value);
          } else {
            reject(new Error(`The other side refused ${path}: ${(value as { error?: string })?.error}`));
          }
        });
      },
    );
    asked.on("error", (error) =>
      reject(new Error(`The other side's API does not answer at ${api}: ${error.message}`)),
    );
    asked.end(body);
  });
}

/** The other side behind an API as `local/peer` serves it. @throws when nothing answers there */
export async function otherSideAt(api: string): Promise<OtherSide> {
  const { domain } = (await callApi(api, "/")) as { domain: string };
  return {
    domain,
    async waitFor(messageId, seconds) {
      const query = new URLSearchParams({ messageId, timeout: String(seconds) });
      const found = await callApi(api, `/wait?${query}`, { timeout: seconds + 10 });
      return (found ?? undefined) as ReceivedMessage | undefined;
    },
    async messages(filter = {}) {
      return (await callApi(api, `/messages?${new URLSearchParams({ ...filter })}`)) as ReceivedMessage[];
    },
    async send(order) {
      const timeout = (order.timeout ?? 60) + 10;
      return (await callApi(api, "/send", { method: "POST", body: order, timeout })) as SendOutcome;
    },
  };
}
