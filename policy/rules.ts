import type { Rule } from "./rule.ts";
import { encryptedDisks, encryptedVolume, protectedAddress, protectedVolume } from "./rules/disks.ts";
import { dkimKeys, dkimRecords } from "./rules/dkim.ts";
import { dmarcNeverBack, dmarcPresent } from "./rules/dmarc.ts";
import { helo } from "./rules/helo.ts";
import { metadata } from "./rules/metadata.ts";
import { mx } from "./rules/mx.ts";
import { openSsh } from "./rules/openSsh.ts";
import { plainSecret } from "./rules/plainSecret.ts";
import { proxied, workerPlace } from "./rules/proxied.ts";
import { spf } from "./rules/spf.ts";
import { costTags } from "./rules/tags.ts";
import { ttl } from "./rules/ttl.ts";

/** All policies, in the order of docs/policies.md. */
export const rules: readonly Rule[] = [
  plainSecret,
  openSsh,
  encryptedVolume,
  encryptedDisks,
  protectedVolume,
  protectedAddress,
  metadata,
  helo,
  mx,
  spf,
  dmarcPresent,
  dmarcNeverBack,
  dkimKeys,
  dkimRecords,
  ttl,
  proxied,
  workerPlace,
  costTags,
];
