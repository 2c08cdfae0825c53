import type { Settings } from "../settings/types.ts";
import { type DkimSelector, dkimSelectors } from "./dkim.ts";
import { dnsProviderOf } from "./dnsProvider.ts";
import { type Exit, hostExits } from "./egress.ts";
import { hostBundles } from "./host.ts";
import { type HostKey, hostKeys } from "./hostKey.ts";
import { hostPorts } from "./ports.ts";
import type { Ramps } from "./ramp.ts";
import { asksForMail, dnsRecords } from "./records.ts";
import type { KeyRotation } from "./rotation.ts";
import { dailyCheck } from "./services/dailyCheck.ts";
import { type SesDomain, sesDomains } from "./ses.ts";
import { type TlsKey, tlsKeys } from "./tlsKey.ts";
import type { Bundle, DnsRecord, Port } from "./types.ts";
import { pageHost, webWorker } from "./web.ts";
import { type Webmail, webmail } from "./webmail.ts";

/** Everything that a stack wants: what the components make, and what the check holds the world against. */
export interface Plan {
  readonly settings: Settings;
  /** What the host gets, each after those that it waits for. */
  readonly bundles: readonly Bundle[];
  readonly ports: readonly Port[];
  /** Where the host may go by itself; `undefined`: everywhere. */
  readonly exits: readonly Exit[] | undefined;
  readonly dkim: readonly DkimSelector[];
  readonly tlsKeys: readonly TlsKey[];
  /** By which SSH knows the host. */
  readonly hostKeys: readonly HostKey[];
  /** Every DNS record. */
  readonly records: readonly DnsRecord[];
  /** Those among them that wait for nothing. */
  readonly first: readonly DnsRecord[];
  /** Those among them that ask the world for mail, and so come last. */
  readonly inbound: readonly DnsRecord[];
  /** Those that tell of a page of the worker, and so come after it: MTA-STS's ids (RFC 8461 section 8.1), BIMI's logos. */
  readonly policies: readonly DnsRecord[];
  /** Those among them that need the host's account at its certificate authority. */
  readonly caa: readonly DnsRecord[];
  /** Zones that Cloudflare is to sign; elsewhere that is up to who keeps the zone. */
  readonly signedZones: readonly string[];
  readonly ses: readonly SesDomain[];
  readonly worker: ReturnType<typeof webWorker>;
  readonly webmail: Webmail | undefined;
}

/** What a plan depends on beside the settings, and that changes by itself. */
export interface Moment {
  /** YYYY-MM-DD, in UTC: records' times to live depend on it. */
  readonly today: string;
  readonly rotation: KeyRotation;
  readonly ramps: Ramps;
}

/** The day, in UTC, as YYYY-MM-DD. */
export function dayOf(now: Date): string {
  return now.toISOString().slice(0, 10);
}

/** The one way from settings to a plan. */
export function makePlan(settings: Settings, { today, rotation, ramps }: Moment): Plan {
  const services = hostBundles(settings, rotation);
  const dkim = dkimSelectors(settings, rotation);
  const records = dnsRecords(settings, today, rotation, ramps);
  const bundles = [...services, ...dailyCheck(settings, { bundles: services, records, dkim })];
  const inbound = records.filter((record) => asksForMail(settings, record));
  const policies = records.filter(({ name }) => pageHost(name) !== undefined);
  const caa = records.filter(({ type }) => type === "CAA");
  const later = new Set([...inbound, ...policies, ...caa]);
  return {
    settings,
    bundles,
    ports: hostPorts(bundles),
    exits: hostExits(settings),
    dkim,
    tlsKeys: tlsKeys(settings, rotation),
    hostKeys: hostKeys(settings, rotation),
    records,
    first: records.filter((record) => !later.has(record)),
    inbound,
    policies,
    caa,
    signedZones: signedZones(settings, records),
    ses: sesDomains(settings, dkim),
    worker: webWorker(settings, ramps),
    webmail: webmail(settings),
  };
}

function signedZones({ options }: Settings, records: readonly DnsRecord[]): readonly string[] {
  if (!options.dnssec) return [];
  const zones = new Set(records.map(({ zone }) => zone));
  return [...zones].filter((zone) => dnsProviderOf(options.dns, zone) === "cloudflare").toSorted();
}
