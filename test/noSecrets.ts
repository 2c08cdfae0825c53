import type { Secrets } from "../plan/types.ts";

/** Where a test is not about them. */
export const noSecrets: Secrets = {
  dkimPrivateKeys: {},
  tlsKeys: {},
  passwordHashes: {},
  generated: {},
  ses: {},
};
