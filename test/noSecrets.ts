import type { Secrets } from "../plan/types.ts";

/** Where a test is not about them. */
export const noSecrets: Secrets = {
  dkimPrivateKeys: {},
  tlsKeys: {},
  passwordHashes: {},
  generated: {},
  ses: {},
  known: { stack: "test", facts: { publicIpv4: "192.0.2.1", publicKeys: {} }, ds: {} },
};
