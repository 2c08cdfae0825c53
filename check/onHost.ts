/**
 * The check as the host runs it each day (`mailhost-check.service`), made into one file by `plan/program.ts`:
 *
 *     node check.cjs STATE [SECONDS]
 *
 * STATE is where it keeps what it has told; SECONDS are between two looks (default: 240). Exit code: 0 all is told; 1 something
 * could not be told, and the journal says what; 2 it could not look, which is told like a finding.
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { ACME_ACCOUNT, type DailyCheck, dailyCheckFile } from "../plan/dailyCheck.ts";
import { daily, toldIn } from "./daily.ts";
import { fromHere } from "./here.ts";
import { itemsOnHost } from "./itemsOnHost.ts";
import { lookAtHost } from "./look.ts";
import { byMail, byWebhook, straight } from "./tellers.ts";
import type { CheckTarget } from "./types.ts";

// Debian 13's Node has not got it yet.
Map.groupBy ??= <K, T>(items: Iterable<T>, keyOf: (item: T, index: number) => K): Map<K, T[]> => {
  const groups = new Map<K, T[]>();
  let index = 0;
  for (const item of items) {
    const key = keyOf(item, index++);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
};

/** The host's own resolver. */
const resolver = "127.0.0.1";

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** URL of the host's account at its authority, as certbot keeps it; empty where there is none yet. */
function acmeAccount(directory: string): string {
  const { host, pathname } = new URL(directory);
  const folder = `/etc/letsencrypt/accounts/${host}${pathname}`;
  try {
    const [account = ""] = readdirSync(folder);
    const { uri } = JSON.parse(textOf(`${folder}/${account}/regr.json`) ?? "{}") as { readonly uri?: string };
    return uri ?? "";
  } catch {
    return "";
  }
}

/** PEM of the authorities that are trusted: the public ones, and where the host's own is none of these, what it shows of it. */
function authorities({ acme }: CheckTarget["settings"]): readonly string[] {
  const shown = textOf("/srv/tls/fullchain.pem") ?? "";
  const above = shown.split(/(?=-----BEGIN CERTIFICATE-----)/).slice(1);
  return [
    textOf("/etc/ssl/certs/ca-certificates.crt") ?? "",
    ...(acme.caCertificate === undefined ? [] : above),
  ];
}

async function main([state = "", between = "240"]: readonly string[]): Promise<number> {
  const { to, webhook, ...told } = JSON.parse(readFileSync(dailyCheckFile, "utf8")) as DailyCheck;
  const { hostname, owner, acme } = told.settings;
  const account = acmeAccount(acme.directory);
  const trustedCas = authorities(told.settings);
  const target: CheckTarget = {
    ...told,
    facts: { ...told.facts, acmeAccount: account },
    records: told.records.map((record) => ({
      ...record,
      content: record.content.replace(ACME_ACCOUNT, account),
    })),
    resolver,
    trustedCas,
    credentials: {},
  };
  const session = await (await fromHere(target)).session();
  const from = { host: hostname, stack: told.stack };
  let failures = 0;
  let hasLooked = true;
  const after = await daily({
    look: async () => {
      try {
        return await lookAtHost(await fromHere(target), itemsOnHost);
      } catch (error) {
        hasLooked = false;
        console.error((error as Error).message);
        throw error;
      }
    },
    between: Number(between),
    tellers: [
      byMail("owner", from, owner, session),
      ...(to === undefined
        ? []
        : [
            straight("to", from, to, {
              resolver,
              roots: trustedCas,
              otherwise: byMail("to", from, to, session),
            }),
          ]),
      ...(webhook === undefined ? [] : [byWebhook("webhook", from, webhook, trustedCas)]),
    ],
    told: toldIn(textOf(state)),
    complain: (text) => {
      failures += 1;
      console.error(`not told: ${text}`);
    },
  });
  // A power cut must leave the one or the other.
  writeFileSync(`${state}.new`, `${JSON.stringify(after)}\n`, { mode: 0o600, flush: true });
  renameSync(`${state}.new`, state);
  if (!hasLooked) return 2;
  return failures === 0 ? 0 : 1;
}

main(process.argv.slice(2))
  .catch((error: Error) => {
    console.error(error.message);
    return 2;
  })
  // What an item has given up, and still runs, holds up nothing.
  .then((code) => process.exit(code));
