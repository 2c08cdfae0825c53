/** What the values say together: names that must exist, ranges that exclude each other, loops. */
import { type OptionValues, options } from "../options/list.ts";
import type { Option } from "../options/option.ts";
import { normalHash } from "./hashes.ts";
import { keyText, nearest, type Path } from "./mistakes.ts";
import { addressParts, closestAbove, domainName, emailAddress, liesIn, withoutTag } from "./names.ts";
import { normalNetwork, wholeInternet } from "./networks.ts";
import { type Route, reportsMailbox, router, routes, type Step, TLS_REPORTS } from "./routes.ts";
import { dayOf, instanceTypes, type Remains } from "./schema.ts";
import type { CoreSettings, Domain, Settings } from "./types.ts";

type Report = (path: Path, message: string) => void;

/**
 * The settings, with every disagreement reported. They are whole only where nothing has been reported, here or
 * before: what is missing is an empty text.
 * @param written what stands in the stack file, without defaults
 * @param told the places of what has been reported, and taken out, before
 * @param region the stack's `aws:region`
 */
export function agree(
  remains: Remains,
  written: Readonly<Record<string, unknown>>,
  told: readonly Path[],
  region: string,
  report: Report,
): Settings {
  const { network, acme, resolver } = remains;
  const hostname = normalDomain(remains.hostname);
  const domains = domainsOf(remains, told, report);
  const owner = ownerOf(remains, domains, report);

  checkHostname(remains, hostname, domains, report);
  checkTargets(hostname, domains, owner, report);
  checkLoops(domains, owner, report);
  checkSubnet(written, report);

  const core: CoreSettings = {
    hostname,
    hostnameZone: normalDomain(remains.hostnameZone) || defaultZone(hostname, domains.map(settled)),
    region,
    owner: owner ?? "",
    ssh: { from: sshNetworks(remains) },
    server: serverOf(remains, report),
    network: { cidr: network.cidr, ipv6: network.ipv6, ...present("subnetId", network.subnetId) },
    acme: {
      directory: acme.directory,
      ...present("caaIdentity", acme.caaIdentity ?? knownIdentity(acme.directory)),
      ...present("caCertificate", lines(acme.caCertificate)),
    },
    resolver: {
      ...present("outside", resolver.outside),
      ...present("rootHints", lines(resolver.rootHints)),
      ...present("trustAnchor", lines(resolver.trustAnchor)),
    },
    domains: domains.map(settled),
  };
  const values: Readonly<Record<string, unknown>> = remains;
  for (const option of options as readonly Option[]) {
    option.agree?.(
      values[option.key],
      core,
      (path, message) => report([option.key, ...path], message),
      values,
    );
  }
  const chosen = Object.fromEntries(options.map(({ key }) => [key, values[key]])) as unknown as OptionValues;
  const settings = { ...core, options: chosen };
  checkRamps(settings, domains, report);
  return settings;
}

function present<Key extends string, Value>(key: Key, value: Value | undefined) {
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value };
}

/** The name that the authority of a directory says it has in CAA records. */
function knownIdentity(directory: string): string | undefined {
  const host = URL.canParse(directory) ? new URL(directory).hostname : "";
  return /^acme(-staging)?-v02\.api\.letsencrypt\.org$/.test(host) ? "letsencrypt.org" : undefined;
}

/** Ends with one line break, however the stack file's block scalar did. */
function lines(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `${text.trim()}\n`;
}

function normalDomain(text: string | undefined): string {
  return (text === undefined ? undefined : domainName(text)) ?? "";
}

// ── The machine and its networks ──

function serverOf({ server }: Remains, report: Report): Settings["server"] {
  const { architecture, instanceType = instanceTypes[architecture] } = server;
  const found = architectureOf(instanceType);
  if (isOfXen(instanceType)) {
    report(
      ["server", "instanceType"],
      `is of a generation that the host does not find its data volume on; write one of AWS's Nitro System, such as ${instanceTypes[architecture]}`,
    );
  } else if (found !== architecture) {
    report(
      ["server", "instanceType"],
      `is an ${found} type, while the architecture is ${architecture}; write \`architecture: ${found}\`, or a type such as ${instanceTypes[architecture]}`,
    );
  }
  return { ...server, instanceType };
}

/** AWS marks its own arm64 processors by a `g` after the generation (t4g, c7gn, im4gn); a1 came before the rule. */
function architectureOf(instanceType: string): "arm64" | "amd64" {
  return /^([a-z]+\d+[a-z0-9-]*g|a1\.)/.test(instanceType.replace(/\..*/, ".")) ? "arm64" : "amd64";
}

/**
 * Whether a type runs on Xen, where volumes are no NVMe devices and have no name that says which they are. The list is closed:
 * since 2017 every new family is of the Nitro System (EC2's guide to instance types, "Hypervisor type"; the retired ones
 * before it in its "Previous generation instances").
 */
function isOfXen(instanceType: string): boolean {
  const families = /^(t[12]|m[1-4]|c[134]|r[34]|x1e?|d2|h1|i[23]|f1|g[23]s?|p[23]|cc[12]|cg1|cr1|hi1|hs1)\./;
  return families.test(instanceType) && instanceType !== "i3.metal";
}

function checkSubnet(written: Readonly<Record<string, unknown>>, report: Report): void {
  const network = written.network;
  if (typeof network === "object" && network !== null && "subnetId" in network && "cidr" in network) {
    report(
      ["network", "cidr"],
      "is the range of a new VPC, while subnetId names an existing one; write one of the two",
    );
  }
}

function sshNetworks({ ssh }: Remains): string[] {
  if (ssh.from === wholeInternet) return ["0.0.0.0/0", "::/0"];
  return [...new Set([ssh.from].flat().map(normalNetwork))];
}

// ── Names of hosts and zones ──

function checkHostname(
  remains: Remains,
  hostname: string,
  domains: readonly Written[],
  report: Report,
): void {
  if (hostname === "") return;
  if (domains.some(({ name }) => name === hostname)) {
    report(["hostname"], `is a mail domain itself; write a name of its own, such as mail.${hostname}`);
  }
  const zone = normalDomain(remains.hostnameZone);
  if (zone !== "" && !liesIn(hostname, zone)) {
    report(["hostnameZone"], `does not hold ${hostname}; write the zone that ends its name`);
  }
  if (zone === "" && defaultZone(hostname, domains.map(settled)) === "") {
    report(
      ["hostname"],
      `has no zone above it; write one of three labels, such as mail.${hostname}, or hostnameZone`,
    );
  }
}

/** Empty where a name of two labels lies in none of the zones. */
function defaultZone(hostname: string, domains: readonly Domain[]): string {
  const zones = domains.map(({ zone }) => zone);
  return closestAbove(hostname, zones) ?? normalDomain(hostname.slice(hostname.indexOf(".") + 1));
}

// ── Mail domains ──

/** A domain, and where in the stack file each of its names stands. */
interface Written {
  readonly name: string;
  readonly domain: Domain;
  /** Keys as written, by full address; `@domain` is the catch-all's. */
  readonly places: ReadonlyMap<string, Path>;
  /** Whether all its mailboxes and aliases are known: none of the mappings was taken out as a whole. */
  readonly isWhole: boolean;
  /** Every address that something is sent on to. */
  readonly targets: readonly { readonly path: Path; readonly address: string }[];
}

const settled = ({ domain }: Written): Domain => domain;

function domainsOf(remains: Remains, told: readonly Path[], report: Report): Written[] {
  const seen = new Map<string, string>();
  const accepted = Object.entries(remains.domains).flatMap(([key, value]) => {
    const name = domainName(key);
    const path = ["domains", key];
    if (name === undefined) {
      report(path, "is not a domain name; write labels with dots between, such as example.org");
      return [];
    }
    const first = seen.get(name);
    if (first !== undefined) {
      report(path, `is the same domain as ${keyText(first)}; write its mailboxes and aliases under that one`);
      return [];
    }
    seen.set(name, key);
    return [{ key, name, value }];
  });
  return accepted.map(({ key, name, value }) => {
    // A mapping that was taken out as a whole, or has a misspelt name.
    const isMapping = (name: unknown) => !["zone", "since", "dmarc", "spf"].includes(String(name));
    const isWhole = !told.some(
      ([top, domain, name, ...rest]) =>
        top === "domains" && domain === key && isMapping(name) && rest.length === 0,
    );
    return { ...domainOf(key, name, value, new Set(seen.keys()), report), isWhole };
  });
}

function domainOf(
  key: string,
  name: string,
  value: Remains["domains"][string],
  hosted: ReadonlySet<string>,
  report: Report,
): Omit<Written, "isWhole"> {
  const base = ["domains", key];
  const places = new Map<string, Path>();
  const targets: { path: Path; address: string }[] = [];

  const own = (kind: "mailboxes" | "aliases", local: string): string[] => {
    const path = [...base, kind, local];
    const address = ownAddress(local, name, kind, hosted, (message) => report(path, message));
    if (address === undefined) return [];
    const before = places.get(address);
    if (before !== undefined) {
      const what =
        before[2] === kind ? `is named twice: ${keyText(String(before[3]))} too` : "is a mailbox already";
      report(path, `${what}; write one of the two`);
      return [];
    }
    places.set(address, path);
    return [address];
  };
  const target = (text: string, path: Path): string[] => {
    if (text === "") return [];
    const address = targetAddress(text, name, hosted);
    if (address === undefined) report(path, addressAdvice);
    else targets.push({ path, address });
    return address === undefined ? [] : [address];
  };

  const mailboxes = Object.entries(value.mailboxes).flatMap(
    ([local, { passwordHash, appPasswords, quota, suspended }]) =>
      own("mailboxes", local).map((address) => ({
        address,
        suspended,
        ...present("quota", quota),
        ...present("passwordHash", passwordHash === undefined ? undefined : normalHash(passwordHash)),
        ...present("appPasswords", appPasswords.length === 0 ? undefined : appPasswords),
      })),
  );
  const aliases = Object.entries(value.aliases).flatMap(([local, to]) => {
    const path = [...base, "aliases", local];
    const found = Array.isArray(to)
      ? to.flatMap((text, index) => target(text, [...path, index]))
      : target(to, path);
    return own("aliases", local).map((address) => ({ address, to: [...new Set(found)] }));
  });
  const [catchAll] = value.catchAll === undefined ? [] : target(value.catchAll, [...base, "catchAll"]);
  places.set(`@${name}`, [...base, "catchAll"]);
  const { policy, reportsTo = "dmarc" } =
    typeof value.dmarc === "string" ? { policy: value.dmarc } : value.dmarc;
  const [reports = `dmarc@${name}`] = target(reportsTo, [...base, "dmarc", "reportsTo"]);

  const zone = value.zone === undefined ? name : normalDomain(value.zone);
  if (!liesIn(name, zone))
    report([...base, "zone"], `does not hold ${name}; write the zone that ends its name`);
  const since = dayOf(value.since ?? "");
  const dmarc = { policy, reportsTo: reports };
  const { all } = typeof value.spf === "string" ? {} : value.spf;
  const spf = value.spf === "refuse" ? undefined : present("all", all);
  const domain = {
    name,
    zone,
    since,
    mailboxes,
    aliases,
    ...present("catchAll", catchAll),
    dmarc,
    ...present("spf", spf),
  };
  return { name, domain, places, targets };
}

/** What a ramp goes by has to come in: the reports that the host itself reads. */
function checkRamps(settings: Settings, domains: readonly Written[], report: Report): void {
  const read = new Set(
    routes(settings)
      .filter(({ to }) => to.includes(reportsMailbox(settings.hostname)))
      .map(({ address }) => address),
  );
  for (const { domain, places } of domains) {
    const [top = "", key = ""] = places.get(`@${domain.name}`) ?? [];
    const { policy, reportsTo } = domain.dmarc;
    if (policy === "ramp" && !read.has(withoutTag(reportsTo)))
      report(
        [top, key, "dmarc"],
        `is to ramp by reports that the host does not read: they go to ${reportsTo}; let them come to dmarc@ of a domain here, with mailhost:reports on and no mailbox or alias of the name, or write none, quarantine or reject`,
      );
  }
  const isTold = settings.domains.some(({ name }) => read.has(`${TLS_REPORTS}@${name}`));
  if (settings.options.mtaSts === "ramp" && !isTold)
    report(
      ["mtaSts"],
      "is to ramp by reports on TLS that the host does not read; switch mailhost:tlsReports and mailhost:reports on, or write testing or enforce",
    );
}

// ── Addresses ──

const addressAdvice =
  "is no mail address; write a full one such as bob@example.com, or the name of a mailbox of the same domain";

/** The address of a key under `mailboxes:` or `aliases:`. Others may write it in any case; it is kept in lower. */
function ownAddress(
  key: string,
  domain: string,
  kind: "mailboxes" | "aliases",
  hosted: ReadonlySet<string>,
  report: (message: string) => void,
): string | undefined {
  const isFull = key.includes("@");
  const written = isFull ? addressParts(key) : { local: key, domain };
  const name = domainName(written.domain);
  const what = kind === "mailboxes" ? "a mailbox" : "an alias";
  if (name === undefined) report(addressAdvice);
  else if (name !== domain && hosted.has(name))
    report(`is of another domain; write it under domains.${name}.${kind}`);
  else if (name !== domain) {
    report(`is ${what} in a domain that is not listed; write domains.${name} with its own ${kind}`);
  } else if (written.local.includes("+")) {
    report(
      "has a +, where a tag begins; write the name before it, which receives mail for every tag as well",
    );
  } else if (!isOwnLocal(written.local)) {
    report(
      "is no name for an address here; write letters, digits, dots, hyphens and underscores, 64 at most",
    );
  } else return `${written.local.toLowerCase()}@${domain}`;
  return undefined;
}

/** Narrower than RFC 5321: these names become folders, and stand in tables that give other characters a meaning. */
function isOwnLocal(local: string): boolean {
  return local.length <= 64 && /^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/.test(local);
}

/** A full address, from the name of a mailbox or alias of the domain too; ours in lower case. */
function targetAddress(
  text: string,
  domain: string | undefined,
  hosted: ReadonlySet<string>,
): string | undefined {
  const full = text.includes("@") || domain === undefined ? text : `${text}@${domain}`;
  const address = emailAddress(full);
  return address !== undefined && hosted.has(addressParts(address).domain) ? address.toLowerCase() : address;
}

function ownerOf({ owner }: Remains, domains: readonly Written[], report: Report): string | undefined {
  if (owner === undefined) return undefined;
  const address = targetAddress(owner, undefined, new Set(domains.map(({ name }) => name)));
  if (address === undefined) report(["owner"], "is no full mail address; write one such as ann@example.org");
  return address;
}

// ── Where mail goes ──

/** Stands for an owner that is missing or mistaken: outside, so that nothing else looks wrong because of it. */
const somebody = "somebody@invalid";

function checkTargets(
  hostname: string,
  domains: readonly Written[],
  owner: string | undefined,
  report: Report,
): void {
  const everything = { domains: domains.map(settled), owner: owner ?? somebody };
  const step = router(everything);
  const written = (domain: string) => domains.find(({ name }) => name === domain);
  const localsOf = (domain: string) =>
    [...(written(domain)?.places.keys() ?? [])].map((address) => addressParts(address).local);
  const check = (address: string, path: Path, next: Step) => {
    const { local, domain } = addressParts(address);
    if (domain === hostname && !domains.some(({ name }) => name === domain)) {
      report(path, `is an address of the machine itself, whose mail goes to the owner; write a mailbox`);
    } else if (next.kind === "nobody" && written(domain)?.isWhole !== false) {
      const { local: name } = addressParts(withoutTag(address));
      const guess = nearest(name, localsOf(domain));
      const advice = guess ? `write ${guess}@${domain}, or add` : "add";
      report(
        path,
        `leads to ${local}@${domain}, which does not exist; ${advice} a mailbox or alias ${name} to ${domain}`,
      );
    }
  };
  if (owner !== undefined) check(owner, ["owner"], step(owner));
  for (const { name, targets } of domains) {
    for (const { address, path } of targets) {
      const next = step(address);
      // What takes everything else in a domain has to exist without that.
      const isCaughtByItself =
        path[2] === "catchAll" && next.kind === "route" && next.route.address === `@${name}`;
      check(address, path, isCaughtByItself ? { kind: "nobody" } : next);
    }
  }
}

/** Reports each loop once, where the first of its addresses stands. */
function checkLoops(domains: readonly Written[], owner: string | undefined, report: Report): void {
  const everything = { domains: domains.map(settled), owner: owner ?? somebody };
  const step = router(everything);
  const places = new Map(domains.flatMap((written) => [...written.places]));
  const done = new Set<string>();

  const visit = (route: Route, trail: readonly string[]): void => {
    const start = trail.indexOf(route.address);
    if (start >= 0) reportLoop(trail.slice(start));
    if (start >= 0 || done.has(route.address)) return;
    for (const target of route.to) {
      const next = step(target);
      if (next.kind === "route") visit(next.route, [...trail, route.address]);
    }
    done.add(route.address);
  };
  const reportLoop = (loop: readonly string[]) => {
    const [first = ""] = loop;
    // A catch-all that leads to itself leads to nobody, which has been said.
    if (loop.length === 1 && first.startsWith("@")) return;
    const text = [...loop, first].map((address) => address.replace(/^@/, "anything@")).join(" → ");
    const role = loop.find((address) => !places.has(address));
    const path = role === undefined ? places.get(first) : undefined;
    if (path) report(path, `goes round in a circle: ${text}; write a mailbox as the end of it`);
    else report(["owner"], `never reaches a mailbox: ${text}; write an address that somebody reads`);
  };
  for (const route of routes(everything)) visit(route, []);
}
