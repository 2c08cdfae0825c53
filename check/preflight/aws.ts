/** AWS's APIs, asked over HTTPS as its own clients do. Only what changes nothing is asked here. */
import { AwsClient } from "aws4fetch";
import { XMLParser } from "fast-xml-parser";

/** Seconds for one answer. */
const patience = 10;

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface AwsAccess {
  readonly region: string;
  /** Of all services, where it is not AWS's own (`AWS_ENDPOINT_URL`). */
  readonly endpoint?: string;
  readonly credentials: AwsCredentials;
}

/** An error that AWS answered. */
export class AwsRefusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message.trim().replace(/\.$/, "")}`);
    this.code = code;
  }
}

type Service = "ec2" | "sts" | "servicequotas";

/** EC2's form fields: lists as `Owner.1`, filters as `Filter.1.Name`. */
export type Fields = Readonly<Record<string, string | number | boolean>>;

const versions = { ec2: "2016-11-15", sts: "2011-06-15" } as const;

export class Aws {
  readonly region: string;
  readonly #access: AwsAccess;

  constructor(access: AwsAccess) {
    this.#access = access;
    this.region = access.region;
  }

  /** One action of EC2 or STS. @returns the answer's elements; lists are arrays. @throws AwsRefusal, or where nobody answers */
  async query(service: "ec2" | "sts", action: string, fields: Fields = {}): Promise<Elements> {
    const body = new URLSearchParams({ Action: action, Version: versions[service] });
    for (const [name, value] of Object.entries(fields)) body.set(name, String(value));
    const response = await this.#send(service, body.toString(), {
      "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    });
    const text = await response.text();
    const [root = {}] = Object.values(xml.parse(text) as Record<string, Elements>);
    if (response.ok) return service === "sts" ? within(root, `${action}Result`) : root;
    const error = within(service === "sts" ? root : within(root, "Errors"), "Error");
    throw new AwsRefusal(textOf(error, "Code") || String(response.status), textOf(error, "Message"));
  }

  /** What Service Quotas says of a quota; undefined where it says no number. @throws AwsRefusal, or where nobody answers */
  async quota(service: string, code: string): Promise<number | undefined> {
    const response = await this.#send(
      "servicequotas",
      JSON.stringify({ ServiceCode: service, QuotaCode: code }),
      {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "ServiceQuotasV20190624.GetServiceQuota",
      },
    );
    const answer = (await response.json()) as {
      readonly Quota?: { readonly Value?: number };
      readonly __type?: string;
      readonly message?: string;
      readonly Message?: string;
    };
    if (response.ok) return answer.Quota?.Value;
    const type = answer.__type?.split("#").at(-1) ?? String(response.status);
    throw new AwsRefusal(type, answer.message ?? answer.Message ?? "");
  }

  async #send(service: Service, body: string, headers: Readonly<Record<string, string>>): Promise<Response> {
    const { region, endpoint, credentials } = this.#access;
    const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    const url = endpoint ?? `https://${service}.${region}.${domain}/`;
    const client = new AwsClient({ ...credentials, service, region, retries: 2 });
    try {
      return await client.fetch(url, {
        method: "POST",
        headers,
        body,
        signal: AbortSignal.timeout(patience * 1000),
      });
    } catch (error) {
      const { message, cause } = error as Error;
      throw new Error(
        `${new URL(url).host} gives no answer: ${(cause as Error | undefined)?.message || message}`,
      );
    }
  }
}

/** An element's children by their names. */
export type Elements = Readonly<Record<string, unknown>>;

const xml = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  parseTagValue: false,
  isArray: (name) => name === "item",
});

function within(of: Elements, name: string): Elements {
  const found = of[name];
  return typeof found === "object" && found !== null ? (found as Elements) : {};
}

/** The text in an element; nothing where there is none. */
export function textOf(of: Elements, name: string): string {
  const found = of[name];
  return typeof found === "string" ? found : "";
}

/** The members of a list; none where it is not there. */
export function itemsOf(of: Elements, name: string): readonly Elements[] {
  const { item } = within(of, name);
  return Array.isArray(item) ? (item as Elements[]) : [];
}
