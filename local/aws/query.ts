/**
 * The simulated AWS as AWS's own clients speak to it: signed requests (Signature Version 4), forms and XML for EC2 and STS
 * ("Query Requests" in their API references), JSON for Service Quotas. Of EC2 it answers what looks, and what is only tried
 * (`DryRun`): the stand-in providers make things over the daemon's socket.
 */
import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { AwsV4Signer } from "aws4fetch";
import { readBody } from "../apiService.ts";
import { AwsError, notSimulated } from "./errors.ts";
import type { AwsService } from "./service.ts";

/** An access key of the account. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Whom a request is for, by what it was signed for. */
interface Scope {
  readonly service: string;
  readonly region: string;
}

interface Call {
  readonly action: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

const bodyLimit = 64 * 1024;

/** Answers every request. */
export function queryHandler(
  service: AwsService,
  key: AccessKey,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    let scope: Scope = { service: "ec2", region: "" };
    try {
      const body = await readBody(
        request,
        bodyLimit,
        () => new AwsError("RequestTooLarge", "The request is larger than 64 KiB", 413),
      );
      scope = scopeOf(request);
      await authenticate(request, body, scope, key);
      const { action, parameters } = scope.service === "servicequotas" ? jsonCall(request, body) : form(body);
      checkScope(scope, action, parameters);
      const answer = await service.handle(action, parameters, { region: scope.region });
      send(response, 200, scope, shown(scope, action, answer));
    } catch (error) {
      const failure = error instanceof AwsError ? error : new AwsError("InternalError", String(error), 500);
      send(response, failure.status, scope, failureText(scope, failure));
    }
  };
}

const credential = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request,/;

function scopeOf({ headers: { authorization = "" } }: IncomingMessage): Scope {
  const [, , region, service] = credential.exec(authorization) ?? [];
  if (region === undefined || service === undefined) {
    throw new AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
  }
  return { region, service };
}

/** Signs the request anew, and compares. */
async function authenticate(
  { method = "POST", url = "/", headers }: IncomingMessage,
  body: string,
  { service, region }: Scope,
  key: AccessKey,
): Promise<void> {
  const { authorization = "" } = headers;
  if (credential.exec(authorization)?.[1] !== key.accessKeyId) throw unknownKey(service);
  const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(";") ?? [];
  const signed = names
    .filter((name) => name !== "host")
    .map((name): [string, string] => [name, String(headers[name])]);
  const signer = new AwsV4Signer({
    method,
    url: `http://${headers.host}${url}`,
    headers: signed,
    body,
    ...key,
    service,
    region,
    datetime: String(headers["x-amz-date"]),
    allHeaders: true,
  });
  const [one, other] = [authorization, await signer.authHeader()].map((text) =>
    Buffer.from(/Signature=(\w+)/.exec(text)?.[1] ?? ""),
  ) as [Buffer, Buffer];
  if (one.length !== other.length || !timingSafeEqual(one, other)) throw wrongSecret(service);
}

/** EC2 does not tell which of the two is wrong. */
const authFailure = "AWS was not able to validate the provided access credentials";

function unknownKey(service: string): AwsError {
  if (service === "ec2") return new AwsError("AuthFailure", authFailure, 401);
  const code = service === "sts" ? "InvalidClientTokenId" : "UnrecognizedClientException";
  return new AwsError(code, "The security token included in the request is invalid.", 403);
}

function wrongSecret(service: string): AwsError {
  if (service === "ec2") return new AwsError("AuthFailure", authFailure, 401);
  return new AwsError(
    service === "sts" ? "SignatureDoesNotMatch" : "InvalidSignatureException",
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    403,
  );
}

function jsonCall({ headers }: IncomingMessage, body: string): Call {
  const action = /^ServiceQuotasV20190624\.(\w+)$/.exec(String(headers["x-amz-target"]))?.[1] ?? "";
  return { action, parameters: JSON.parse(body) as Record<string, unknown> };
}

/** EC2's names of lists in a form, and those of the AWS SDK, which the actions know. */
const listNames: Readonly<Record<string, string>> = {
  AttributeName: "AttributeNames",
  Filter: "Filters",
  Owner: "Owners",
  SubnetId: "SubnetIds",
  Value: "Values",
};

/** `Filter.1.Value.2=x` is the second value of the first filter. */
function form(body: string): Call {
  const { Action: action = "", Version: _version, ...fields } = Object.fromEntries(new URLSearchParams(body));
  return { action, parameters: nested(Object.entries(fields)) };
}

function nested(fields: readonly (readonly [string, string])[]): Record<string, unknown> {
  const groups = Map.groupBy(fields, ([path]) => path.split(".")[0] ?? "");
  return Object.fromEntries(
    [...groups].map(([name, members]) => {
      const [first] = members;
      if (first?.[0] === name) return [name, plain(first[1])];
      const items = Map.groupBy(members, ([path]) => Number(path.split(".")[1]));
      const values = [...items]
        .toSorted(([one], [other]) => one - other)
        .map(([, of]) => {
          const rest = of.map(([path, value]) => [path.split(".").slice(2).join("."), value] as const);
          return rest[0]?.[0] === "" ? rest[0][1] : nested(rest);
        });
      return [listNames[name] ?? name, values];
    }),
  );
}

function plain(value: string): string | number | boolean {
  if (value === "true" || value === "false") return value === "true";
  return /^\d+$/.test(value) ? Number(value) : value;
}

const actionsOf: Readonly<Record<string, RegExp>> = {
  sts: /^GetCallerIdentity$/,
  servicequotas: /^GetServiceQuota$/,
  ec2: /^Describe/,
};

function checkScope({ service }: Scope, action: string, { DryRun: isTry }: Call["parameters"]): void {
  if (actionsOf[service]?.test(action) || (service === "ec2" && isTry === true)) return;
  if (service !== "ec2") throw new AwsError("InvalidAction", `Could not find operation ${action}`);
  throw notSimulated(`${action} for a client of AWS's own`);
}

function shown({ service }: Scope, action: string, answer: unknown): string {
  if (service === "servicequotas") return JSON.stringify(answer);
  if (service === "sts") {
    return `<${action}Response><${action}Result>${members(answer, sameName)}</${action}Result></${action}Response>`;
  }
  return `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">${members(answer, ec2Name)}</${action}Response>`;
}

function failureText({ service }: Scope, { code, message }: AwsError): string {
  if (service === "servicequotas") return JSON.stringify({ __type: code, message });
  const error = `<Code>${escaped(code)}</Code><Message>${escaped(message)}</Message>`;
  return service === "sts"
    ? `<ErrorResponse><Error><Type>Sender</Type>${error}</Error></ErrorResponse>`
    : `<Response><Errors><Error>${error}</Error></Errors></Response>`;
}

/** EC2's names of lists in its answers, as far as they are not the SDK's with "Set" behind. */
const setNames: Readonly<Record<string, string>> = {
  AccountAttributes: "accountAttributeSet",
  AttributeValues: "attributeValueSet",
  InstanceTypeOfferings: "instanceTypeOfferingSet",
  Ipv6CidrBlockAssociationSet: "ipv6CidrBlockAssociationSet",
  Subnets: "subnetSet",
  Tags: "tagSet",
  BlockDeviceMappings: "blockDeviceMapping",
};

const sameName = (name: string): string => name;

function ec2Name(name: string, isList: boolean): string {
  const own = isList ? (setNames[name] ?? `${name}Set`) : name;
  return own.charAt(0).toLowerCase() + own.slice(1);
}

function members(value: unknown, nameOf: (name: string, isList: boolean) => string): string {
  return Object.entries(value as object)
    .filter(([, each]) => each !== undefined && each !== null)
    .map(([name, each]) => {
      const tag = nameOf(name, Array.isArray(each));
      return `<${tag}>${element(each, nameOf)}</${tag}>`;
    })
    .join("");
}

function element(value: unknown, nameOf: (name: string, isList: boolean) => string): string {
  if (Array.isArray(value)) return value.map((each) => `<item>${element(each, nameOf)}</item>`).join("");
  return typeof value === "object" && value !== null ? members(value, nameOf) : escaped(String(value));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function send(response: ServerResponse, status: number, { service }: Scope, body: string): void {
  const type = service === "servicequotas" ? "application/x-amz-json-1.1" : "text/xml;charset=UTF-8";
  response.writeHead(status, { "content-type": type }).end(body);
}
