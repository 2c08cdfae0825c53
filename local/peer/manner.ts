/** How the other side answers for now; what is kept by `POST /answer`. */
export interface Manner {
  /**
   * `accept`; `reject` (5xx); `defer` (4xx); `greylist` (4xx for the first `seconds` of each sender, recipient
   * and client); `slow` (waits `seconds`, then accepts); `drop` (closes the connection without a word).
   */
  readonly mode: "accept" | "reject" | "defer" | "greylist" | "slow" | "drop";
  /** At which command. @default "rcpt" */
  readonly at?: "connect" | "mail" | "rcpt" | "data";
  /** SMTP reply code. @default 550 for reject, 450 for defer and greylist */
  readonly code?: number;
  /** Text of the reply, enhanced code included. @default "5.7.1 Refused…" or "4.2.0 Try again later" */
  readonly text?: string;
  /** @default 1 for slow, 2 for greylist */
  readonly seconds?: number;
  /** Only for this envelope recipient (at `rcpt` and `data`). */
  readonly to?: string;
  /** After so many times the other side accepts again. @default until told otherwise */
  readonly times?: number;
}

export interface Occasion {
  readonly at: NonNullable<Manner["at"]>;
  readonly client: string;
  readonly from: string;
  readonly to: readonly string[];
}

/** Thrown into smtp-server's callback: it becomes the reply. */
export class Refusal extends Error {
  readonly responseCode: number;

  constructor(responseCode: number, text: string) {
    super(text);
    this.responseCode = responseCode;
  }
}

/** Keeps the present manner, and what greylisting has to remember. */
export class Manners {
  #manner: Manner = { mode: "accept" };
  #left = Number.POSITIVE_INFINITY;
  readonly #firstSeen = new Map<string, number>();

  get current(): Manner {
    return this.#manner;
  }

  set(manner: Manner): void {
    this.#manner = manner;
    this.#left = manner.times ?? Number.POSITIVE_INFINITY;
    this.#firstSeen.clear();
  }

  /** What to do now: nothing, wait and go on, or refuse. @returns "drop" when the connection has to be cut. */
  async meet(occasion: Occasion): Promise<"go on" | "drop"> {
    const manner = this.#manner;
    const at = manner.at ?? "rcpt";
    const concerned =
      manner.mode !== "accept" &&
      at === occasion.at &&
      (manner.to === undefined || occasion.to.some((to) => to.toLowerCase() === manner.to?.toLowerCase()));
    if (!concerned || this.#left <= 0) {
      return "go on";
    }
    if (manner.mode === "greylist" && !this.#tooEarly(occasion, manner.seconds ?? 2)) {
      return "go on";
    }
    this.#left -= 1;
    switch (manner.mode) {
      case "slow":
        await new Promise((resolve) => setTimeout(resolve, (manner.seconds ?? 1) * 1000));
        return "go on";
      case "drop":
        return "drop";
      case "reject":
        throw new Refusal(manner.code ?? 550, manner.text ?? "5.7.1 Refused because a test asked for it");
      case "defer":
      case "greylist":
        throw new Refusal(manner.code ?? 450, manner.text ?? "4.2.0 Try again later");
    }
  }

  #tooEarly(occasion: Occasion, seconds: number): boolean {
    const key = [occasion.client, occasion.from, ...occasion.to].join(" ");
    const first = this.#firstSeen.get(key) ?? Date.now();
    this.#firstSeen.set(key, first);
    return Date.now() - first < seconds * 1000;
  }
}

/** @throws Refusal (as text for the API's caller) when it is no manner */
export function parseManner(value: unknown): Manner {
  const modes = ["accept", "reject", "defer", "greylist", "slow", "drop"];
  const places = ["connect", "mail", "rcpt", "data"];
  const manner = value as Manner;
  if (typeof value !== "object" || value === null || !modes.includes(manner.mode)) {
    throw new Error(`"mode" has to be one of ${modes.join(", ")}`);
  }
  if (manner.at !== undefined && !places.includes(manner.at)) {
    throw new Error(`"at" has to be one of ${places.join(", ")}`);
  }
  return manner;
}
