import { openSsh } from "../ssh/client.ts";
import { HostUnderCheck } from "./host.ts";
import { openMailbox } from "./imap.ts";
import type { CheckTarget } from "./types.ts";

/** The host as anybody sees it who knows its stack: by its public address, over SSH, with the mailboxes' passwords. */
export function fromOutside(target: CheckTarget): HostUnderCheck {
  const { facts, ssh } = target;
  return new HostUnderCheck(target, {
    at: facts.publicIpv4,
    ...(ssh === undefined ? {} : { inside: () => openSsh(ssh) }),
    openMailbox,
  });
}
