/** The cloudflare provider, version 6, as far as a mail host needs it: a client of Cloudflare's v4 API. */
import { createHash } from "node:crypto";
import {
  defineResource,
  type Failure,
  type FunctionDefinition,
  type InputSchema,
  type Properties,
  type Provider,
  type Value,
} from "../framework.ts";
import { ApiError, call, configuration, download, listAll, maybe } from "./client.ts";

interface RecordInputs {
  readonly zoneId: string;
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly content?: string;
  readonly data?: Properties;
  readonly priority?: number;
  readonly proxied?: boolean;
  readonly comment?: string;
  readonly tags?: readonly string[];
  readonly settings?: Properties;
}

interface ApiRecord {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly data?: Properties;
  readonly priority?: number;
  readonly ttl: number;
  readonly proxied: boolean;
  readonly proxiable: boolean;
  readonly comment: string | null;
  readonly tags: readonly string[];
  readonly settings: Properties;
  readonly created_on: string;
  readonly modified_on: string;
  readonly comment_modified_on?: string;
}

/** Types of terraform-provider-cloudflare's `dns_record`. */
const recordTypes = [
  ...[
    "A",
    "AAAA",
    "CNAME",
    "MX",
    "NS",
    "OPENPGPKEY",
    "PTR",
    "TXT",
    "CAA",
    "CERT",
    "DNSKEY",
    "DS",
    "HTTPS",
    "LOC",
  ],
  ...["NAPTR", "SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "URI"],
];

const text: InputSchema = { type: "string" };

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Keys of an API object in the SDK's writing, at any depth; null is absent. */
function camelKeys(value: unknown): Value | undefined {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return value.map((each) => camelKeys(each) ?? null);
  if (typeof value !== "object") return value as Value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [camel(key), camelKeys(each)]));
}

function bodyOf(inputs: RecordInputs): object {
  const data =
    inputs.data && Object.fromEntries(Object.entries(inputs.data).map(([key, value]) => [snake(key), value]));
  return {
    name: inputs.name,
    type: inputs.type,
    ttl: inputs.ttl,
    proxied: inputs.proxied ?? false,
    content: inputs.content,
    data,
    priority: inputs.priority,
    comment: inputs.comment,
    tags: inputs.tags,
  };
}

/** What the API alone decides. */
function computed(record: ApiRecord): Properties {
  return {
    createdOn: record.created_on,
    modifiedOn: record.modified_on,
    commentModifiedOn: record.comment_modified_on,
    proxiable: record.proxiable,
    meta: "{}",
    settings: { flattenCname: false, ipv4Only: false, ipv6Only: false },
    tags: [...record.tags],
  };
}

/** A name of the program that means the API's: `mail` or `@` in its zone, capitals, a trailing dot. */
function sameName(written: string, found: string): boolean {
  const bare = written.toLowerCase().replace(/\.$/, "");
  return bare === found || (bare !== "" && found.startsWith(`${bare}.`) && !bare.includes("."));
}

function checkRecord(inputs: Properties): Failure[] {
  const failures: Failure[] = [];
  const { ttl, priority, proxied, type, settings } = inputs;
  if (proxied === true && typeof ttl === "number" && ttl !== 1) {
    failures.push({ property: "ttl", reason: "ttl must be set to 1 when `proxied` is true" });
  }
  if (typeof priority === "number" && (priority < 0 || priority > 65535)) {
    failures.push({
      property: "priority",
      reason: `priority value must be between 0 and 65535, got: ${priority}`,
    });
  }
  if (typeof type === "string" && !recordTypes.includes(type.toUpperCase())) {
    failures.push({
      property: "type",
      reason: `type value must be one of: ${recordTypes.join(", ")}, got: "${type}"`,
    });
  }
  if (typeof settings === "object" && settings !== null && Object.values(settings).includes(true)) {
    failures.push({
      property: "settings",
      reason: "the local cloud does not simulate settings of a record: leave them out",
    });
  }
  for (const name of ["privateRouting", "includeShadowMetadata"]) {
    if (inputs[name])
      failures.push({ property: name, reason: `the local cloud does not simulate ${name}: leave it out` });
  }
  return failures;
}

const dnsRecord = defineResource<RecordInputs>({
  inputs: {
    zoneId: { type: "string", required: true, replaceOnChange: true },
    name: { type: "string", required: true },
    type: { type: "string", required: true, replaceOnChange: true },
    ttl: { type: "number", required: true },
    content: { type: "string", computed: true, conflictsWith: ["data"] },
    data: { type: "object" },
    priority: { type: "integer" },
    proxied: { type: "boolean", default: false },
    comment: text,
    tags: { type: "list", set: true, computed: true, items: text },
    settings: { type: "object", computed: true },
    privateRouting: { type: "boolean", computed: true },
    includeShadowMetadata: { type: "boolean", computed: true },
  },
  outputs: {
    commentModifiedOn: { changesWith: ["comment"] },
    createdOn: {},
    meta: { changesWith: "*" },
    modifiedOn: { changesWith: "*" },
    proxiable: {},
    tagsModifiedOn: {},
  },
  check: ({ inputs }) => ({ failures: checkRecord(inputs) }),
  diff: ({ changes, inputs, oldInputs }) =>
    changes.filter(
      ({ path }) =>
        !(path === "name" && sameName(String(inputs.name), String(oldInputs.name))) &&
        // The provider takes the type in any case.
        !(path === "type" && String(inputs.type).toUpperCase() === String(oldInputs.type).toUpperCase()),
    ),
  async create({ inputs, urn }) {
    // An `up` that was killed after the answer finds the record that it made.
    const key = createHash("sha256")
      .update(`${urn}\n${JSON.stringify(bodyOf(inputs))}`)
      .digest("hex");
    const made = await call<ApiRecord>("POST", `/zones/${inputs.zoneId}/dns_records`, bodyOf(inputs), {
      "idempotency-key": key,
    });
    return { id: made.id, outputs: { content: made.content, ...inputsAsGiven(inputs), ...computed(made) } };
  },
  async read({ id: given, state, inputs }) {
    const [zoneId, id] = given.includes("/") ? given.split("/") : [String(state.zoneId ?? ""), given];
    if (!zoneId || !id) {
      throw new Error(`"${given}" names no record: import it as <zone_id>/<dns_record_id>`);
    }
    const found = await maybe<ApiRecord>("GET", `/zones/${zoneId}/dns_records/${id}`);
    if (found === undefined) return undefined;
    const written = inputs.name ?? state.name;
    const name = typeof written === "string" && sameName(written, found.name) ? written : found.name;
    const settable = {
      zoneId,
      name,
      type: found.type,
      ttl: found.ttl,
      data: camelKeys(found.data),
      priority: found.priority,
      proxied: found.proxied,
      comment: found.comment ?? undefined,
    };
    const outputs = { ...settable, content: found.content, ...computed(found) };
    if (Object.keys(state).length > 0) return { id, outputs };
    // On import: a record of several parts is written as `data`, every other one as `content`.
    const value = found.data === undefined ? { content: found.content } : {};
    return { id, outputs, inputs: { ...settable, ...value } };
  },
  async update({ id, inputs }) {
    const changed = await call<ApiRecord>("PUT", `/zones/${inputs.zoneId}/dns_records/${id}`, bodyOf(inputs));
    return { content: changed.content, ...inputsAsGiven(inputs), ...computed(changed) };
  },
  async delete({ id, state }) {
    await callUnlessGone("DELETE", `/zones/${String(state.zoneId)}/dns_records/${id}`);
  },
});

/** The official provider keeps what was written until a refresh: so does the state here. */
function inputsAsGiven(inputs: RecordInputs): Properties {
  return inputs.content === undefined ? {} : { content: inputs.content };
}

interface DnssecInputs {
  readonly zoneId: string;
  readonly status?: string;
}

const zoneDnssec = defineResource<DnssecInputs>({
  inputs: {
    zoneId: { type: "string", required: true, replaceOnChange: true },
    status: { type: "string", oneOf: ["active", "disabled"] },
    dnssecMultiSigner: { type: "boolean", computed: true },
    dnssecPresigned: { type: "boolean", computed: true },
    dnssecUseNsec3: { type: "boolean", computed: true },
  },
  outputs: {
    algorithm: {},
    digest: {},
    digestAlgorithm: {},
    digestType: {},
    ds: {},
    flags: {},
    keyTag: {},
    keyType: {},
    modifiedOn: { changesWith: "*" },
    publicKey: {},
  },
  check: ({ inputs }) => ({
    failures: ["dnssecMultiSigner", "dnssecPresigned", "dnssecUseNsec3"]
      .filter((name) => inputs[name] === true)
      .map((property) => ({
        property,
        reason: `the local cloud does not simulate ${property}: leave it out`,
      })),
  }),
  async create({ inputs }) {
    const answer = await call("PATCH", `/zones/${inputs.zoneId}/dnssec`, {
      status: inputs.status ?? "active",
    });
    return { id: inputs.zoneId, outputs: dnssecOutputs(answer, inputs.status) };
  },
  async read({ id, inputs }) {
    const answer = await maybe("GET", `/zones/${id}/dnssec`);
    if (answer === undefined) return undefined;
    return { id, outputs: { zoneId: id, ...dnssecOutputs(answer, inputs.status) } };
  },
  async update({ id, inputs }) {
    const answer = await call("PATCH", `/zones/${id}/dnssec`, { status: inputs.status ?? "active" });
    return dnssecOutputs(answer, inputs.status);
  },
  async delete({ id }) {
    await call("PATCH", `/zones/${id}/dnssec`, { status: "disabled" });
  },
});

/** `pending` is what Cloudflare says of a zone that is active here and waits for its DS at the registrar. */
function dnssecOutputs(answer: unknown, wanted: Value | undefined): Properties {
  const found = (camelKeys(answer) ?? {}) as Properties;
  return { ...found, status: found.status === "pending" && wanted === "active" ? "active" : found.status };
}

interface ScriptInputs {
  readonly accountId: string;
  readonly scriptName: string;
  readonly content: string;
  readonly mainModule: string;
  readonly compatibilityDate: string;
}

/** What the API alone decides. */
function scriptOutputs(answer: unknown): Properties {
  const { id: _name, compatibilityDate: _date, ...found } = (camelKeys(answer) ?? {}) as Properties;
  return found;
}

async function uploadScript(inputs: ScriptInputs): Promise<Properties> {
  const { accountId, scriptName, content, mainModule, compatibilityDate } = inputs;
  const metadata = { main_module: mainModule, compatibility_date: compatibilityDate };
  const form = new FormData();
  form.set("metadata", new Blob([JSON.stringify(metadata)], { type: "application/json" }));
  form.set(mainModule, new File([content], mainModule, { type: "application/javascript+module" }));
  return scriptOutputs(await call("PUT", `/accounts/${accountId}/workers/scripts/${scriptName}`, form));
}

const workersScript = defineResource<ScriptInputs>({
  inputs: {
    accountId: { type: "string", required: true, replaceOnChange: true },
    scriptName: { type: "string", required: true, replaceOnChange: true },
    // The real one takes these three in other ways, too: from a file, as a service worker, as of the oldest day.
    content: { type: "string", required: true },
    mainModule: { type: "string", required: true },
    compatibilityDate: { type: "string", required: true },
  },
  outputs: {
    createdOn: {},
    etag: { changesWith: ["content"] },
    handlers: {},
    hasAssets: {},
    hasModules: {},
    modifiedOn: { changesWith: "*" },
    startupTimeMs: { changesWith: ["content"] },
    usageModel: {},
  },
  async create({ inputs }) {
    return { id: inputs.scriptName, outputs: await uploadScript(inputs) };
  },
  async read({ id: given, state }) {
    const [accountId, name] = given.includes("/") ? given.split("/") : [String(state.accountId ?? ""), given];
    if (!accountId || !name)
      throw new Error(`"${given}" names no script: import it as <account_id>/<script_name>`);
    const path = `/accounts/${accountId}/workers/scripts/${name}`;
    const settings = await maybe<{ compatibility_date: string }>("GET", `${path}/settings`);
    if (settings === undefined) return undefined;
    const [part] = await download(`${path}/content/v2`);
    if (part === undefined) throw new Error(`${name} has no content`);
    return {
      id: name,
      outputs: {
        accountId,
        scriptName: name,
        content: await part.text(),
        mainModule: part.name,
        compatibilityDate: settings.compatibility_date,
      },
    };
  },
  update: ({ inputs }) => uploadScript(inputs),
  async delete({ id, state }) {
    await callUnlessGone("DELETE", `/accounts/${String(state.accountId)}/workers/scripts/${id}`);
  },
});

interface CustomDomainInputs {
  readonly accountId: string;
  readonly zoneId: string;
  readonly hostname: string;
  readonly service: string;
}

interface ApiCustomDomain {
  readonly id: string;
  readonly zone_id: string;
  readonly zone_name: string;
  readonly hostname: string;
  readonly service: string;
  readonly environment: string;
  readonly cert_id: string;
}

async function attachDomain(inputs: CustomDomainInputs): Promise<ApiCustomDomain> {
  return await call<ApiCustomDomain>("PUT", `/accounts/${inputs.accountId}/workers/domains`, {
    zone_id: inputs.zoneId,
    hostname: inputs.hostname,
    service: inputs.service,
  });
}

function domainOutputs(domain: ApiCustomDomain): Properties {
  const { id: _id, ...found } = camelKeys(domain) as Properties;
  return found;
}

const workersCustomDomain = defineResource<CustomDomainInputs>({
  inputs: {
    accountId: { type: "string", required: true, replaceOnChange: true },
    zoneId: { type: "string", required: true },
    hostname: { type: "string", required: true },
    service: { type: "string", required: true },
  },
  outputs: { certId: {}, environment: {}, zoneName: { changesWith: ["zoneId"] } },
  async create({ inputs }) {
    const made = await attachDomain(inputs);
    return { id: made.id, outputs: domainOutputs(made) };
  },
  async read({ id: given, state }) {
    const [accountId, id] = given.includes("/") ? given.split("/") : [String(state.accountId ?? ""), given];
    if (!accountId || !id)
      throw new Error(`"${given}" names no custom domain: import it as <account_id>/<domain_id>`);
    const found = await maybe<ApiCustomDomain>("GET", `/accounts/${accountId}/workers/domains/${id}`);
    return found && { id, outputs: { accountId, ...domainOutputs(found) } };
  },
  update: async ({ inputs }) => domainOutputs(await attachDomain(inputs)),
  async delete({ id, state }) {
    await callUnlessGone("DELETE", `/accounts/${String(state.accountId)}/workers/domains/${id}`);
  },
});

/** What was deleted already, by hand or by an `up` that was killed, is no error. */
async function callUnlessGone(method: string, path: string): Promise<void> {
  try {
    await call(method, path);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  }
}

const filterFields: { readonly [name: string]: InputSchema } = {
  account: { type: "object", properties: { id: text, name: text } },
  direction: { type: "string", oneOf: ["asc", "desc"] },
  match: { type: "string", oneOf: ["any", "all"] },
  name: text,
  order: text,
  status: text,
  types: { type: "list", items: text },
};

function zoneQuery(filter: Properties): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ["name", "status", "match", "order", "direction"]) {
    if (typeof filter[name] === "string") query.set(name, filter[name]);
  }
  const account = filter.account as Properties | undefined;
  if (typeof account?.id === "string") query.set("account.id", account.id);
  return query;
}

const getZone: FunctionDefinition = {
  inputs: { zoneId: text, filter: { type: "object", properties: filterFields, conflictsWith: ["zoneId"] } },
  async invoke({ inputs }) {
    if (typeof inputs.zoneId === "string") {
      const zone = await call<{ id: string }>("GET", `/zones/${inputs.zoneId}`);
      return { ...(camelKeys(zone) as Properties), zoneId: zone.id };
    }
    const filter = (inputs.filter ?? {}) as Properties;
    const zones = await listAll<{ id: string }>("/zones", zoneQuery(filter), 2);
    const [zone] = zones;
    if (zone === undefined || zones.length > 1) {
      const count = zone === undefined ? "no zone" : "more than one zone";
      throw new Error(
        `failed to find one result: ${count} fits ${JSON.stringify(filter)}: is the domain in this Cloudflare account?`,
      );
    }
    return { ...(camelKeys(zone) as Properties), filter, zoneId: zone.id };
  },
};

const getZones: FunctionDefinition = {
  inputs: { ...filterFields, maxItems: { type: "integer" } },
  async invoke({ inputs }) {
    const most = typeof inputs.maxItems === "number" ? inputs.maxItems : 1000;
    const zones = await listAll("/zones", zoneQuery(inputs), most);
    return { match: "all", ...inputs, results: zones.map((zone) => camelKeys(zone) ?? null) };
  },
};

const match: InputSchema = {
  type: "object",
  properties: Object.fromEntries(
    ["absent", "contains", "endswith", "exact", "present", "startswith"].map((name) => [name, text] as const),
  ),
};

const getDnsRecords: FunctionDefinition = {
  inputs: {
    zoneId: { type: "string", required: true },
    comment: match,
    content: match,
    name: match,
    tag: match,
    direction: { type: "string", oneOf: ["asc", "desc"] },
    match: { type: "string", oneOf: ["any", "all"] },
    tagMatch: { type: "string", oneOf: ["any", "all"] },
    maxItems: { type: "integer" },
    order: { type: "string", oneOf: ["type", "name", "content", "ttl", "proxied"] },
    proxied: { type: "boolean" },
    search: text,
    type: { type: "string", oneOf: recordTypes },
  },
  async invoke({ inputs }) {
    const query = new URLSearchParams({ per_page: "1000" });
    for (const name of ["comment", "content", "name", "tag"]) {
      for (const [operator, value] of Object.entries((inputs[name] ?? {}) as Properties)) {
        query.set(`${name}.${operator}`, String(value));
      }
    }
    for (const name of ["direction", "match", "order", "proxied", "search", "type"]) {
      if (inputs[name] !== undefined) query.set(name, String(inputs[name]));
    }
    const most = typeof inputs.maxItems === "number" ? inputs.maxItems : 1000;
    const records = await listAll<ApiRecord>(`/zones/${String(inputs.zoneId)}/dns_records`, query, most);
    return {
      direction: "asc",
      match: "all",
      order: "type",
      proxied: false,
      tagMatch: "all",
      includeShadowMetadata: false,
      ...inputs,
      results: records.map((record) => ({ ...(camelKeys(record) as Properties), meta: "{}" })),
    };
  },
};

const getWorkersScripts: FunctionDefinition = {
  inputs: { accountId: { type: "string", required: true }, maxItems: { type: "integer" }, tags: text },
  async invoke({ inputs }) {
    const scripts = await call<Properties[]>("GET", `/accounts/${String(inputs.accountId)}/workers/scripts`);
    return { ...inputs, results: scripts.map((script) => camelKeys(script) ?? null) };
  },
};

export const provider: Provider = {
  name: "cloudflare",
  version: "6.22.1",
  resources: {
    "cloudflare:index/dnsRecord:DnsRecord": dnsRecord,
    "cloudflare:index/workersCustomDomain:WorkersCustomDomain": workersCustomDomain,
    "cloudflare:index/workersScript:WorkersScript": workersScript,
    "cloudflare:index/zoneDnssec:ZoneDnssec": zoneDnssec,
  },
  functions: {
    "cloudflare:index/getDnsRecords:getDnsRecords": getDnsRecords,
    "cloudflare:index/getWorkersScripts:getWorkersScripts": getWorkersScripts,
    "cloudflare:index/getZone:getZone": getZone,
    "cloudflare:index/getZones:getZones": getZones,
  },
  configure(given) {
    const { apiToken, baseUrl } = given;
    configuration.apiToken = typeof apiToken === "string" ? apiToken : undefined;
    configuration.baseUrl = typeof baseUrl === "string" ? baseUrl : undefined;
  },
};
