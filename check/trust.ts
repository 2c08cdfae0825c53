import { createSecureContext, type SecureContext } from "node:tls";

const known = new WeakMap<readonly string[], SecureContext>();

/**
 * What certificates are judged by. It is made once for a list of roots: reading the public ones takes longer than the whole
 * rest of a connection, and a host of many mailboxes gets thousands of these.
 * @param roots PEM
 */
export function trusting(roots: readonly string[]): SecureContext {
  const secureContext = known.get(roots) ?? createSecureContext({ ca: [...roots] });
  known.set(roots, secureContext);
  return secureContext;
}
