import type { z } from "zod";
import type { Settings } from "../settings/types.ts";
import { backupMx } from "./backupMx.ts";
import { bans } from "./bans.ts";
import { bimi } from "./bimi.ts";
import { caa } from "./caa.ts";
import { clamav } from "./clamav.ts";
import { clientSetup } from "./clientSetup.ts";
import { compression } from "./compression.ts";
import { dailyCheck } from "./dailyCheck.ts";
import { dane } from "./dane.ts";
import { dkim } from "./dkim.ts";
import { dns } from "./dns.ts";
import { dnsChallenge } from "./dnsChallenge.ts";
import { dnssec } from "./dnssec.ts";
import { egress } from "./egress.ts";
import { expiry } from "./expiry.ts";
import { feedback } from "./feedback.ts";
import { feedbackId } from "./feedbackId.ts";
import { hostKey } from "./hostKey.ts";
import { incomingLimit } from "./incomingLimit.ts";
import { learning } from "./learning.ts";
import { lists } from "./lists.ts";
import { lockedStore } from "./lockedStore.ts";
import { logs } from "./logs.ts";
import { managesieve } from "./managesieve.ts";
import { mtaSts } from "./mtaSts.ts";
import { neural } from "./neural.ts";
import { openpgpKeys } from "./openpgpKeys.ts";
import type { Option } from "./option.ts";
import { outgoingLimit } from "./outgoingLimit.ts";
import { ownPasswords } from "./ownPasswords.ts";
import { parked } from "./parked.ts";
import { pop3s } from "./pop3s.ts";
import { queue } from "./queue.ts";
import { quota } from "./quota.ts";
import { relay } from "./relay.ts";
import { removed } from "./removed.ts";
import { reports } from "./reports.ts";
import { rspamdPage } from "./rspamdPage.ts";
import { search } from "./search.ts";
import { secondMx } from "./secondMx.ts";
import { sharedFolders } from "./sharedFolders.ts";
import { spam } from "./spam.ts";
import { srs } from "./srs.ts";
import { swap } from "./swap.ts";
import { tlsKey } from "./tlsKey.ts";
import { tlsReports } from "./tlsReports.ts";
import { trustedHosts } from "./trustedHosts.ts";
import { upgrades } from "./upgrades.ts";
import { web } from "./web.ts";

/** Everything that is an option, a line each. */
export const options = [
  backupMx,
  bans,
  bimi,
  caa,
  clamav,
  clientSetup,
  compression,
  dailyCheck,
  dane,
  dkim,
  dns,
  dnsChallenge,
  dnssec,
  egress,
  expiry,
  feedback,
  feedbackId,
  hostKey,
  incomingLimit,
  lists,
  lockedStore,
  logs,
  learning,
  managesieve,
  mtaSts,
  neural,
  openpgpKeys,
  outgoingLimit,
  ownPasswords,
  parked,
  pop3s,
  queue,
  quota,
  relay,
  removed,
  reports,
  rspamdPage,
  search,
  secondMx,
  sharedFolders,
  spam,
  srs,
  swap,
  tlsKey,
  tlsReports,
  trustedHosts,
  upgrades,
  web,
] as const satisfies readonly Option[];

type Listed = (typeof options)[number];

/** The options' values by key, every default filled in. */
export type OptionValues = { readonly [O in Listed as O["key"]]: z.output<O["schema"]> };

/** The options' schemas by key, as the stack file's schema takes them in. */
export const optionSchemas = Object.fromEntries(options.map(({ key, schema }) => [key, schema])) as {
  [O in Listed as O["key"]]: O["schema"];
};

/** All that the options bring of one kind; each is asked with what the stack says of it, or its default. */
export function brought<T>(
  settings: Settings,
  kind: (option: Option, value: unknown) => readonly T[] | undefined,
): readonly T[] {
  const values: Readonly<Record<string, unknown>> = settings.options;
  return (options as readonly Option[]).flatMap((option) => kind(option, values[option.key]) ?? []);
}
