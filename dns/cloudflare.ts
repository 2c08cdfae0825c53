/** Cloudflare's API (v4), for what no resource of the engine's can look at or do. */

/** Seconds for one answer. */
const patience = 10;

/** Records in one answer. */
const pageOfRecords = 5000;

export interface CloudflareAccess {
  /** @default Cloudflare's own */
  readonly url?: string;
  readonly token: string;
}

/** An error that Cloudflare answered. */
export class CloudflareRefusal extends Error {}

export interface Zone {
  readonly id: string;
  readonly name: string;
  readonly account: { readonly id: string };
  /** That Cloudflare has given it. */
  readonly name_servers?: readonly string[];
  /** What the token may do there, `#dns_records:edit`; Cloudflare does not promise to tell. */
  readonly permissions?: readonly string[];
}

export interface ZoneRecord {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content?: string;
  readonly comment?: string | null;
}

export interface Dnssec {
  readonly status: string;
  /** `example.org. 3600 IN DS 2371 13 2 …` */
  readonly ds?: string | null;
}

interface Envelope<T> {
  readonly success: boolean;
  readonly errors?: readonly { readonly code: number; readonly message: string }[];
  readonly result: T;
  readonly result_info?: { readonly total_pages?: number };
}

export class Cloudflare {
  readonly #access: CloudflareAccess;
  #zones: Promise<readonly Zone[]> | undefined;

  constructor(access: CloudflareAccess) {
    this.#access = access;
  }

  /** Every zone that the token may see; asked once. @throws CloudflareRefusal, or where nobody answers */
  zones(): Promise<readonly Zone[]> {
    this.#zones ??= this.#all<Zone>("/zones", 50);
    return this.#zones;
  }

  records(zone: Zone): Promise<readonly ZoneRecord[]> {
    return this.#all<ZoneRecord>(`/zones/${zone.id}/dns_records`, pageOfRecords);
  }

  /** Those of one name and type alone. */
  recordsAt(zoneId: string, name: string, type: string): Promise<readonly ZoneRecord[]> {
    const query = new URLSearchParams({ name, type });
    return this.#all<ZoneRecord>(`/zones/${zoneId}/dns_records?${query}`, pageOfRecords);
  }

  /** @throws as `zones` */
  async get<T>(path: string): Promise<T> {
    return (await this.#send<T>("GET", path)).result;
  }

  /** @throws as `zones` */
  async change(method: "POST" | "PATCH" | "DELETE", path: string, body?: object): Promise<void> {
    await this.#send(method, path, body);
  }

  async #all<T>(path: string, size: number): Promise<readonly T[]> {
    const items: T[] = [];
    for (let page = 1; ; page++) {
      const { result, result_info: info } = await this.#send<readonly T[]>(
        "GET",
        `${path}${path.includes("?") ? "&" : "?"}page=${page}&per_page=${size}`,
      );
      items.push(...result);
      if (page >= (info?.total_pages ?? 1)) return items;
    }
  }

  async #send<T>(method: string, path: string, body?: object): Promise<Envelope<T>> {
    const url = `${(this.#access.url ?? "https://api.cloudflare.com/client/v4").replace(/\/$/, "")}${path}`;
    const headers = { authorization: `Bearer ${this.#access.token}` };
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(body && { "content-type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(patience * 1000),
    }).catch(({ message, cause }: Error) => {
      throw new Error(
        `${new URL(url).host} gives no answer: ${(cause as Error | undefined)?.message || message}`,
      );
    });
    const answer = (await response.json().catch(() => undefined)) as Envelope<T> | undefined;
    if (answer?.success) return answer;
    const said = answer?.errors?.map(({ code, message }) => `${message} (${code})`).join("; ");
    throw new CloudflareRefusal(said || `status ${response.status}`);
  }
}
