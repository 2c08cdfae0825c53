/** What the simulated services have in common. */
import type { IncomingMessage } from "node:http";

/** An error as a service's API answers it: its own code, its words, and the HTTP status. */
export abstract class ServiceError<Code extends string | number> extends Error {
  readonly code: Code;
  readonly status: number;

  constructor(code: Code, message: string, status = 400) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.status = status;
  }
}

/**
 * The body of a call.
 * @param limit octets
 * @throws what `tooLarge` makes
 */
export async function readBody(
  request: IncomingMessage,
  limit: number,
  tooLarge: () => Error,
): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > limit) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
