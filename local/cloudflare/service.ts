import { randomBytes, timingSafeEqual } from "node:crypto";
import { appendFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readBody } from "../apiService.ts";
import { openStore } from "../store.ts";
import type { World } from "../types.ts";
import { CloudflareError } from "./errors.ts";
import {
  checkConflicts,
  checkRecord,
  publish,
  type RecordType,
  servedType,
  show,
  type ZoneRecord,
} from "./records.ts";
import {
  checkScriptName,
  checkUpload,
  noSuchWorker,
  showScript,
  type WorkerDomain,
  type WorkerScript,
} from "./workers.ts";

export interface CloudflareServiceOptions {
  /** Folder of `cloudflare.json` (zones and records) and `cloudflare.log` (what was done). */
  readonly stateDir: string;
  readonly world: Pick<World, "dns" | "edge">;
  /** The one API token of the account. */
  readonly token: string;
  /** Nameservers that the account's zones are delegated to. */
  readonly nameservers: readonly string[];
  /** Takes one line about what went wrong behind an answer. */
  readonly log: (line: string) => void;
}

export interface CloudflareSwitches {
  /** Milliseconds from an answer to the record being served. Default 0: it is served before the answer. */
  publishAfter: number;
  /** Whether the token may edit records; else it may read them. */
  edit: boolean;
  /** Whether the token has the rights to Workers. */
  workers: boolean;
  /** Whether the zones were given other nameservers than those that they are delegated to. */
  moved: boolean;
}

const usual: Readonly<CloudflareSwitches> = { publishAfter: 0, edit: true, workers: true, moved: false };

/** A simulated Cloudflare account: its v4 API for zones, DNS records, DNSSEC and Workers. */
export interface CloudflareService {
  /** Answers what is under `/client/v4`; answers false, and does nothing, where the path is another. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Publishes what a daemon that died could not, and serves its Workers; called once at the next one's start. */
  restore(): Promise<void>;
  readonly switches: Readonly<CloudflareSwitches>;
  setSwitches(changes: Partial<CloudflareSwitches>): void;
  /** Takes every record out of the zones, and every Worker out of the account. */
  reset(): Promise<void>;
  /** Waits until every record is served. */
  settled(): Promise<void>;
}

interface Zone {
  readonly id: string;
  readonly name: string;
  readonly createdOn: string;
  dnssec: "active" | "disabled";
}

interface State {
  /** By id. */
  zones: Record<string, Zone>;
  records: Record<string, ZoneRecord>;
  switches: CloudflareSwitches;
  /** Ids of records by the key of the request that made them, until they are changed or deleted. */
  keys: Record<string, string>;
  /** Changes that the nameservers may not have yet. */
  unpublished: Rrset[];
  /** By name. */
  scripts: Record<string, WorkerScript>;
  /** By id. */
  domains: Record<string, WorkerDomain>;
}

/** One name of a zone, and a type that is served for it. */
interface Rrset {
  readonly zone: string;
  readonly name: string;
  readonly type: RecordType;
}

/** One request that has been let in. */
interface Call {
  readonly method: string;
  /** Segments behind /client/v4. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly body: unknown;
  /**
   * `Idempotency-Key`: a second creation with it answers the record of the first. Cloudflare has no such thing;
   * it is how an `up` that was killed finds what it made.
   */
  readonly key: string | undefined;
}

interface Answer {
  readonly result: unknown;
  readonly result_info?: object;
  /** Instead of JSON. */
  readonly content?: FormData;
}

/** Bytes; the longest are uploads of scripts. */
const bodyLimit = 8 * 1024 * 1024;
/** Nameservers of zones that were taken out of the account and came back. */
const movedTo = ["cora.ns.cloudflare.com", "dean.ns.cloudflare.com"];
const account = { id: "023e105f4ecef8ad9ca31a8372d0c353", name: "Local cloud" };

export function createCloudflareService(options: CloudflareServiceOptions): CloudflareService {
  const { world, log } = options;
  const store = openStore<State>(options.stateDir, "cloudflare.json", () => ({
    zones: {},
    records: {},
    switches: { ...usual },
    keys: {},
    unpublished: [],
    scripts: {},
    domains: {},
  }));
  const turns = new Map<string, Promise<void>>();
  let lastTurn: Promise<unknown> = Promise.resolve();
  const behind = new Set<Promise<void>>();

  for (const name of world.dns.zones) {
    if (Object.values(store.data.zones).some((zone) => zone.name === name)) continue;
    const zone: Zone = { id: newId(), name, createdOn: timestamp(), dnssec: "active" };
    store.data.zones[zone.id] = zone;
  }
  store.save();

  /** Makes the nameservers hold what the account holds, for one name and type. */
  const push = (zone: string, name: string, type: RecordType): Promise<void> => {
    const key = `${zone} ${name} ${type}`;
    const turn = (turns.get(key) ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        const records = Object.values(store.data.records).filter(
          (record) => record.zone === zone && record.name === name && servedType(record) === type,
        );
        return world.dns.setRrset(zone, name, type, publish(records, world.edge.address));
      });
    turns.set(key, turn);
    return turn;
  };

  const publishAll = async (sets: readonly Rrset[]): Promise<void> => {
    for (const { zone, name, type } of sets) await push(zone, name, type);
    store.data.unpublished = store.data.unpublished.filter((each) => !sets.includes(each));
    store.save();
  };

  /** Saves a change, and has it served before the answer or, where it is to be late, behind it. */
  const commit = async (changed: readonly ZoneRecord[], undo: () => void): Promise<void> => {
    const byKey = new Map(
      changed.map((record) => {
        const { zone, name } = record;
        const type = servedType(record);
        return [`${zone} ${name} ${type}`, { zone, name, type }];
      }),
    );
    const sets = [...byKey.values()];
    store.data.unpublished.push(...sets);
    store.save();
    const { publishAfter } = store.data.switches;
    if (publishAfter > 0) {
      const late: Promise<void> = delay(publishAfter)
        .then(() => publishAll(sets))
        .catch((error: unknown) => log(`cloudflare: ${String(error)}`))
        .finally(() => behind.delete(late));
      behind.add(late);
      return;
    }
    try {
      await publishAll(sets);
    } catch (error) {
      undo();
      store.save();
      await publishAll(sets).catch((second: unknown) => log(`cloudflare: ${String(second)}`));
      throw error;
    }
  };

  const recordsOf = (zone: Zone): ZoneRecord[] =>
    Object.values(store.data.records).filter((record) => record.zone === zone.name);

  const record = (zone: Zone, id: string): ZoneRecord => {
    const found = store.data.records[id];
    if (found?.zone !== zone.name) throw new CloudflareError(81044, "Record does not exist.", 404);
    return found;
  };

  /** Puts a record in its place, after every check. The caller commits. */
  const put = (zone: Zone, body: unknown, before?: ZoneRecord): ZoneRecord => {
    if (before?.ofWorker) throw readOnly();
    const checked = checkRecord(asObject(body), zone.name, before, timestamp());
    const others = recordsOf(zone).filter((other) => other.id !== before?.id);
    checkConflicts(checked, others);
    const next: ZoneRecord = { id: before?.id ?? newId(), ...checked };
    store.data.records[next.id] = next;
    return next;
  };

  const patch = (zone: Zone, id: string, body: unknown): [ZoneRecord, ZoneRecord] => {
    const before = record(zone, id);
    const { name, type, content, data, priority, ttl, proxied, comment } = before;
    const changes = asObject(body);
    const kind = changes.type === undefined || changes.type === type;
    const value = kind ? { content: data === undefined ? content : undefined, data, priority } : {};
    const merged = { name, type, ttl, proxied, comment, ...value, ...changes };
    return [
      before,
      put(zone, Object.fromEntries(Object.entries(merged).filter(([, each]) => each !== undefined)), before),
    ];
  };

  const forgetKey = (id: string): void => {
    for (const [key, made] of Object.entries(store.data.keys)) if (made === id) delete store.data.keys[key];
  };

  /** Does changes that stand or fall together. */
  const change = async <T>(work: (touch: (...touched: ZoneRecord[]) => void) => T): Promise<T> => {
    const { records, keys } = structuredClone({ records: store.data.records, keys: store.data.keys });
    const undo = () => Object.assign(store.data, { records, keys });
    const touched: ZoneRecord[] = [];
    let result: T;
    try {
      result = work((...each) => touched.push(...each));
    } catch (error) {
      undo();
      throw error;
    }
    await commit(touched, undo);
    return result;
  };

  const dnsRecords = async (zone: Zone, call: Call): Promise<Answer> => {
    const [, , , id] = call.path;
    if (id === undefined && call.method === "GET") return list(recordsOf(zone), call.query);
    if (id === undefined && call.method === "POST") {
      const known = call.key === undefined ? undefined : store.data.records[store.data.keys[call.key] ?? ""];
      if (known !== undefined) return { result: show(known) };
      const made = await change((touch) => {
        const created = put(zone, call.body);
        if (call.key !== undefined) store.data.keys[call.key] = created.id;
        touch(created);
        return created;
      });
      return { result: show(made) };
    }
    if (id === "batch" && call.method === "POST") return { result: await batch(zone, asObject(call.body)) };
    if (id === undefined) throw methodNotAllowed();
    if (call.method === "GET") return { result: show(record(zone, id)) };
    if (call.method === "DELETE") {
      await change((touch) => {
        const gone = record(zone, id);
        if (gone.ofWorker) throw readOnly();
        touch(gone);
        forgetKey(id);
        delete store.data.records[id];
      });
      return { result: { id } };
    }
    if (call.method !== "PUT" && call.method !== "PATCH") throw methodNotAllowed();
    const changed = await change((touch) => {
      const before = record(zone, id);
      const now = call.method === "PUT" ? put(zone, call.body, before) : patch(zone, id, call.body)[1];
      forgetKey(id);
      touch(before, now);
      return now;
    });
    return { result: show(changed) };
  };

  /** In Cloudflare's order: deletes, patches, puts, posts; all of them or none. */
  const batch = (zone: Zone, body: Readonly<Record<string, unknown>>): Promise<object> =>
    change((touch) => {
      const part = (name: string) => asList(body[name]).map(asObject);
      const deletes = part("deletes").map((each) => {
        const gone = record(zone, String(each.id));
        if (gone.ofWorker) throw readOnly();
        touch(gone);
        delete store.data.records[gone.id];
        return show(gone);
      });
      const patches = part("patches").map((each) => {
        const [before, now] = patch(zone, String(each.id), each);
        touch(before, now);
        return show(now);
      });
      const puts = part("puts").map((each) => {
        const before = record(zone, String(each.id));
        const now = put(zone, each, before);
        touch(before, now);
        return show(now);
      });
      const posts = part("posts").map((each) => {
        const created = put(zone, each);
        touch(created);
        return show(created);
      });
      return { deletes, patches, puts, posts };
    });

  // A cloud of an older version has not written down the one of these.
  const mayEdit = (): boolean => store.data.switches.edit !== false;

  const showZone = (zone: Zone) => ({
    id: zone.id,
    name: zone.name,
    status: "active",
    paused: false,
    type: "full",
    development_mode: 0,
    name_servers: store.data.switches.moved ? movedTo : options.nameservers,
    original_name_servers: null,
    original_registrar: null,
    original_dnshost: null,
    created_on: zone.createdOn,
    modified_on: zone.createdOn,
    activated_on: zone.createdOn,
    meta: {
      step: 4,
      custom_certificate_quota: 0,
      page_rule_quota: 3,
      phishing_detected: false,
      cdn_only: false,
      dns_only: false,
      foundation_dns: false,
    },
    owner: { id: null, type: "user", email: null },
    account,
    tenant: { id: null, name: null },
    tenant_unit: { id: null },
    permissions: [...(mayEdit() ? ["#dns_records:edit"] : []), "#dns_records:read", "#zone:read"],
    plan: {
      id: "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
      name: "Free Website",
      price: 0,
      currency: "USD",
      frequency: "",
      is_subscribed: false,
      can_subscribe: false,
      legacy_id: "free",
      legacy_discount: false,
      externally_managed: false,
    },
  });

  /** The key that the zone is signed with, as its parent and its own nameservers say it. */
  const showDnssec = async (zone: Zone) => {
    if (zone.dnssec === "disabled") return { status: "disabled", modified_on: zone.createdOn };
    const [ds] = await world.dns.resolve(zone.name, "DS");
    const keys = await world.dns.resolve(zone.name, "DNSKEY");
    const [keyTag = "", algorithm = "", digestType = "", ...digest] = (ds ?? "").split(" ");
    const publicKey = keys
      .find((key) => key.startsWith("257 "))
      ?.split(" ")
      .slice(3)
      .join("");
    return {
      status: ds === undefined ? "pending" : "active",
      flags: 257,
      algorithm,
      key_type: algorithm === "13" ? "ECDSAP256SHA256" : algorithm,
      digest_type: digestType,
      digest_algorithm: digestType === "2" ? "SHA256" : digestType,
      digest: digest.join("").toUpperCase(),
      ds: ds === undefined ? "" : `${zone.name}. 3600 IN DS ${ds}`,
      key_tag: Number(keyTag),
      public_key: publicKey ?? "",
      modified_on: zone.createdOn,
    };
  };

  const dnssec = async (zone: Zone, call: Call): Promise<Answer> => {
    if (call.method === "PATCH") {
      const { status } = asObject(call.body);
      if (status !== "active" && status !== "disabled") {
        throw new CloudflareError(1004, 'status must be "active" or "disabled"');
      }
      zone.dnssec = status;
      store.save();
    } else if (call.method === "DELETE") {
      zone.dnssec = "disabled";
      store.save();
      return { result: "" };
    } else if (call.method !== "GET") {
      throw methodNotAllowed();
    }
    return { result: await showDnssec(zone) };
  };

  const zones = async (call: Call): Promise<Answer> => {
    const [, id, part] = call.path;
    if (id === undefined) {
      if (call.method !== "GET")
        throw new CloudflareError(0, "The local cloud has the zones it was started with.", 403);
      const name = call.query.get("name")?.toLowerCase();
      const status = call.query.get("status");
      const owner = call.query.get("account.id");
      const found = Object.values(store.data.zones).filter(
        (zone) =>
          (name === undefined || zone.name === name) &&
          (status === null || status === "active") &&
          (owner === null || owner === account.id),
      );
      return page(found.map(showZone), call.query, 20, 50);
    }
    if (!/^[0-9a-f]{32}$/.test(id)) {
      throw new CloudflareError(
        7003,
        `Could not route to /client/v4/${call.path.join("/")}, perhaps your object identifier is invalid?`,
      );
    }
    const zone = store.data.zones[id];
    if (zone === undefined) throw new CloudflareError(1001, "Invalid zone identifier", 404);
    if (part === undefined && call.method === "GET") return { result: showZone(zone) };
    if (part === "dns_records") {
      if (call.method !== "GET" && !mayEdit()) throw notAllowed();
      return dnsRecords(zone, call);
    }
    if (part === "workers" && call.path[3] === "routes" && call.method === "GET") {
      if (store.data.switches.workers === false) throw notAllowed();
      return { result: [] };
    }
    if (part === "dnssec") return dnssec(zone, call);
    throw new CloudflareError(7000, "No route for that URI", 404);
  };

  /** Calls about Workers, one after the other: each replaces all that is served. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = lastTurn.then(work, work);
    lastTurn = done.catch(() => undefined);
    return done;
  };

  const serveWorkers = async (): Promise<void> => {
    const { domains, scripts } = store.data;
    const named = Object.values(domains).map(({ hostname, service }) => [
      hostname,
      scripts[service]?.content ?? "",
    ]);
    await world.edge.serve(Object.fromEntries(named));
  };

  const uploadScript = async (name: string, form: unknown): Promise<object> => {
    checkScriptName(name);
    const script = await checkUpload(form, store.data.scripts[name], timestamp());
    try {
      await world.edge.tryScript(script.content);
    } catch (error) {
      throw new CloudflareError(10021, `Uncaught ${(error as Error).message}`);
    }
    store.data.scripts[name] = script;
    store.save();
    await serveWorkers();
    return showScript(name, script);
  };

  const scripts = async (call: Call): Promise<Answer> => {
    const [, , , , name, part] = call.path;
    if (name === undefined && call.method === "GET")
      return {
        result: Object.entries(store.data.scripts).map(([each, script]) => showScript(each, script)),
      };
    if (name === undefined) throw methodNotAllowed();
    if (call.method === "PUT" && part === undefined) return { result: await uploadScript(name, call.body) };
    const script = store.data.scripts[name];
    if (script === undefined) throw noSuchWorker();
    if (call.method === "GET" && part === "settings") {
      return {
        result: { bindings: [], compatibility_date: script.compatibilityDate, compatibility_flags: [] },
      };
    }
    if (call.method === "GET" && part === "content") {
      const content = new FormData();
      const type = "application/javascript+module";
      content.set(script.mainModule, new File([script.content], script.mainModule, { type }));
      return { result: null, content };
    }
    if (call.method !== "DELETE" || part !== undefined) throw methodNotAllowed();
    // Its domains go with it.
    const own = Object.values(store.data.domains).filter(({ service }) => service === name);
    for (const { id } of own) await detach(id);
    delete store.data.scripts[name];
    store.save();
    await serveWorkers();
    return { result: null };
  };

  const attach = async (body: Readonly<Record<string, unknown>>): Promise<WorkerDomain> => {
    for (const field of Object.keys(body)) {
      if (!["zone_id", "zone_name", "hostname", "service", "environment"].includes(field))
        throw new CloudflareError(10026, `Could not parse request body: unknown field "${field}".`);
    }
    const { zone_id: zoneId, zone_name: zoneName, service, environment = "production" } = body;
    const hostname = String(body.hostname ?? "").toLowerCase();
    const zone = Object.values(store.data.zones).find(
      ({ id, name }) => id === zoneId || (zoneId === undefined && name === zoneName),
    );
    if (zone === undefined) throw new CloudflareError(1001, "Invalid zone identifier", 404);
    if (hostname !== zone.name && !hostname.endsWith(`.${zone.name}`))
      throw new CloudflareError(9000, `The hostname does not lie in the zone ${zone.name}.`);
    if (typeof service !== "string" || store.data.scripts[service] === undefined) throw noSuchWorker();
    if (environment !== "production")
      throw new CloudflareError(10092, `This environment does not exist: ${String(environment)}.`, 404);
    const current = Object.values(store.data.domains).find((domain) => domain.hostname === hostname);
    if (current?.service === service) return current;
    if (current !== undefined) {
      throw new CloudflareError(
        100116,
        `Hostname '${hostname}' is already attached to the Worker ${current.service}.`,
        409,
      );
    }
    const leading = recordsOf(zone).filter(
      ({ name, type }) => name === hostname && (type === "A" || type === "AAAA" || type === "CNAME"),
    );
    if (leading.length > 0) {
      throw new CloudflareError(
        100117,
        `Hostname '${hostname}' already has externally managed DNS records (A, CNAME, etc). Either delete them, try a ` +
          "different hostname, or use the option 'override_existing_dns_record' to override.",
        409,
      );
    }
    const domain: WorkerDomain = {
      id: newId(),
      zone_id: zone.id,
      zone_name: zone.name,
      hostname,
      service,
      environment: "production",
      cert_id: newId(),
    };
    store.data.domains[domain.id] = domain;
    store.save();
    await serveWorkers();
    const publishing = change((touch) => {
      const placeholder = { type: "AAAA", name: hostname, content: "100::", proxied: true };
      const made: ZoneRecord = { ...put(zone, placeholder), ofWorker: true };
      store.data.records[made.id] = made;
      touch(made);
    });
    try {
      await publishing;
    } catch (error) {
      delete store.data.domains[domain.id];
      store.save();
      await serveWorkers();
      throw error;
    }
    return domain;
  };

  const detach = async (id: string): Promise<void> => {
    const domain = store.data.domains[id];
    if (domain === undefined) throw new CloudflareError(100114, "This domain does not exist.", 404);
    await change((touch) => {
      for (const each of Object.values(store.data.records)) {
        if (each.name !== domain.hostname || !each.ofWorker) continue;
        touch(each);
        delete store.data.records[each.id];
      }
    });
    delete store.data.domains[id];
    store.save();
    await serveWorkers();
  };

  const domains = async (call: Call): Promise<Answer> => {
    const [, , , , id] = call.path;
    if (id === undefined && call.method === "PUT") return { result: await attach(asObject(call.body)) };
    const all = Object.values(store.data.domains);
    if (id === undefined && call.method === "GET") {
      const hostname = call.query.get("hostname");
      return { result: all.filter((domain) => hostname === null || domain.hostname === hostname) };
    }
    if (id === undefined) throw methodNotAllowed();
    if (call.method === "DELETE") {
      await detach(id);
      return { result: null };
    }
    if (call.method !== "GET") throw methodNotAllowed();
    const found = store.data.domains[id];
    if (found === undefined) throw new CloudflareError(100114, "This domain does not exist.", 404);
    return { result: found };
  };

  const workers = (call: Call): Promise<Answer> => {
    const [, id, , kind] = call.path;
    if (id !== account.id || store.data.switches.workers === false) throw notAllowed();
    if (kind === "scripts") return scripts(call);
    if (kind === "domains") return domains(call);
    throw new CloudflareError(7000, "No route for that URI", 404);
  };

  const answer = async (call: Call): Promise<Answer> => {
    if (call.path.join("/") === "user/tokens/verify" && call.method === "GET") {
      return { result: { id: "ed17574386854bf78a67040be0a770b0", status: "active" } };
    }
    if (call.path[0] === "accounts" && call.path.length === 1) return page([account], call.query, 20, 50);
    if (call.path[0] === "accounts" && call.path[2] === "workers") return await inTurn(() => workers(call));
    if (call.path[0] === "zones") return zones(call);
    throw new CloudflareError(7000, "No route for that URI", 404);
  };

  return {
    handle: async (request, response) => {
      const url = new URL(request.url ?? "/", "http://localhost");
      const route = /^\/client\/v4(?:\/(.*))?$/.exec(url.pathname)?.[1];
      if (route === undefined) return false;
      const path = route.split("/").filter((segment) => segment !== "");
      const method = request.method ?? "GET";
      let status = 200;
      let envelope: object;
      let code: number | undefined;
      try {
        const body = await readAny(request);
        authorize(request.headers.authorization, options.token, path);
        const key = request.headers["idempotency-key"];
        const answered = await answer({
          method,
          path,
          query: url.searchParams,
          body,
          key: typeof key === "string" ? key : undefined,
        });
        if (answered.content !== undefined) {
          await sendForm(response, answered.content);
          return true;
        }
        envelope = { success: true, errors: [], messages: [], ...answered };
      } catch (error) {
        const failure =
          error instanceof CloudflareError
            ? error
            : new CloudflareError(1000, `Internal error: ${String(error)}`, 500);
        ({ status, code } = failure);
        const errors = [{ code: failure.code, message: failure.message }];
        envelope = { success: false, errors, messages: [], result: null };
      }
      if (method !== "GET" || code !== undefined) {
        const line = {
          at: timestamp(),
          method,
          path: url.pathname,
          status,
          ...(code === undefined ? {} : { code }),
        };
        appendFileSync(join(options.stateDir, "cloudflare.log"), `${JSON.stringify(line)}\n`, {
          mode: 0o600,
        });
      }
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(envelope));
      return true;
    },
    restore: async () => {
      await publishAll([...store.data.unpublished]);
      await serveWorkers();
    },
    get switches() {
      return store.data.switches;
    },
    setSwitches: (changes) => {
      Object.assign(store.data.switches, changes);
      store.save();
    },
    reset: async () => {
      const gone = Object.values(store.data.records);
      store.data.records = {};
      store.data.keys = {};
      store.data.scripts = {};
      store.data.domains = {};
      store.data.switches = { ...usual };
      await serveWorkers();
      await commit(gone, () => undefined);
    },
    settled: async () => {
      while (behind.size > 0) await Promise.all(behind);
    },
  };
}

/** Lets a request in, or says what is wrong with its `Authorization` header. */
function authorize(header: string | undefined, token: string, path: readonly string[]): void {
  if (header === undefined) {
    throw new CloudflareError(9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers");
  }
  const given = /^Bearer (\S+)$/.exec(header)?.[1];
  if (given === undefined) throw new CloudflareError(6003, "Invalid request headers");
  const [one, other] = [Buffer.from(given), Buffer.from(token)];
  if (one.length === other.length && timingSafeEqual(one, other)) return;
  if (path[0] === "user") throw new CloudflareError(1000, "Invalid API Token", 401);
  throw given.length < 40 ? new CloudflareError(9109, "Invalid access token", 403) : notAllowed();
}

/** JSON, or the parts of an upload. */
async function readAny(request: IncomingMessage): Promise<unknown> {
  const text = await readBody(
    request,
    bodyLimit,
    () => new CloudflareError(413, "Request entity too large", 413),
  );
  if (text === "") return undefined;
  const type = request.headers["content-type"];
  try {
    if (type?.startsWith("multipart/form-data"))
      return await new Response(text, { headers: { "content-type": type } }).formData();
    return JSON.parse(text) as unknown;
  } catch {
    throw new CloudflareError(9207, "Request body is invalid.");
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new CloudflareError(9207, "Request body is invalid.");
  }
  return value as Record<string, unknown>;
}

function asList(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new CloudflareError(9207, "Request body is invalid.");
  return value;
}

type Test = (value: string, wanted: string) => boolean;

/** Operators of a filter, `name.startswith`; filters take no notice of case. */
const operators: Readonly<Record<string, Test>> = {
  exact: (value, wanted) => value === wanted,
  contains: (value, wanted) => value.includes(wanted),
  startswith: (value, wanted) => value.startsWith(wanted),
  endswith: (value, wanted) => value.endsWith(wanted),
  present: (value) => value !== "",
  absent: (value) => value === "",
};

const paging = new Set(["page", "per_page", "order", "direction", "match", "tag_match"]);

function list(records: readonly ZoneRecord[], query: URLSearchParams): Answer {
  const tests: ((record: ZoneRecord) => boolean)[] = [];
  for (const [name, given] of query) {
    if (paging.has(name)) continue;
    const wanted = given.toLowerCase();
    const [field = "", operator = "exact"] = name.split(".");
    const test = operators[operator];
    if (field === "search") {
      tests.push((record) =>
        [record.name, record.content, record.comment ?? ""].some((text) =>
          text.toLowerCase().includes(wanted),
        ),
      );
    } else if (test !== undefined && ["name", "content", "comment", "type", "proxied"].includes(field)) {
      tests.push((record) => test(String(record[field as "name"] ?? "").toLowerCase(), wanted));
    } else {
      throw new CloudflareError(1004, `DNS Validation Error: there is no filter ${name}`);
    }
  }
  const any = query.get("match") === "any" && tests.length > 0;
  const found = records.filter((record) =>
    any ? tests.some((test) => test(record)) : tests.every((test) => test(record)),
  );
  const order = query.get("order") ?? "name";
  if (!["type", "name", "content", "ttl", "proxied"].includes(order)) {
    throw new CloudflareError(1004, `DNS Validation Error: records cannot be ordered by ${order}`);
  }
  const sign = query.get("direction") === "desc" ? -1 : 1;
  const value = (record: ZoneRecord) =>
    order === "ttl" ? String(record.ttl).padStart(6, "0") : String(record[order as "name"]);
  const sorted = found.toSorted(
    (one, other) => sign * (value(one) < value(other) ? -1 : value(one) > value(other) ? 1 : 0),
  );
  return page(sorted.map(show), query, 100, 5_000_000);
}

function page(all: readonly unknown[], query: URLSearchParams, usual: number, most: number): Answer {
  const number = (name: string, fallback: number, top: number): number => {
    const given = query.get(name);
    const value = given === null ? fallback : Number(given);
    if (!Number.isInteger(value) || value < 1 || value > top) {
      throw new CloudflareError(1004, `DNS Validation Error: ${name} must be between 1 and ${top}`);
    }
    return value;
  };
  const size = number("per_page", usual, most);
  const at = number("page", 1, Number.MAX_SAFE_INTEGER);
  const result = all.slice((at - 1) * size, at * size);
  return {
    result,
    result_info: {
      page: at,
      per_page: size,
      count: result.length,
      total_count: all.length,
      total_pages: Math.ceil(all.length / size),
    },
  };
}

async function sendForm(response: ServerResponse, form: FormData): Promise<void> {
  const whole = new Response(form);
  response.writeHead(200, { "content-type": whole.headers.get("content-type") ?? "" });
  response.end(await whole.bytes());
}

function readOnly(): CloudflareError {
  return new CloudflareError(1043, "This record is managed by Workers and cannot be edited here.");
}

function notAllowed(): CloudflareError {
  return new CloudflareError(10000, "Authentication error", 403);
}

function methodNotAllowed(): CloudflareError {
  return new CloudflareError(10405, "Method not allowed for this authentication scheme", 405);
}

/** Ids are 32 hexadecimal digits. */
function newId(): string {
  return randomBytes(16).toString("hex");
}

function timestamp(): string {
  return new Date().toISOString();
}
