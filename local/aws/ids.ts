import { randomBytes } from "node:crypto";

/** A new id of EC2's long form: the prefix and 17 hexadecimal digits. */
export function newId(prefix: string): string {
  return `${prefix}-${randomBytes(9).toString("hex").slice(0, 17)}`;
}
