import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** A resource as the engine would have been told of it. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** What the engine is told to do with a resource beside its inputs. */
export interface Options {
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly deleteBeforeReplace: boolean;
  readonly ignoreChanges: readonly string[];
  /** URNs' last parts. */
  readonly dependsOn: readonly string[];
  /** Names of the hooks that may refuse its creation. */
  readonly beforeCreate: readonly string[];
  /** Names of the hooks that may refuse a change of it. */
  readonly beforeUpdate: readonly string[];
  /** Whether it is also looked for in the state without its parent. */
  readonly orphanAlias: boolean;
  /** By which other names it is looked for there. */
  readonly formerNames: readonly string[];
  /** Outputs that are kept as secrets although nothing makes them so. */
  readonly additionalSecretOutputs: readonly string[];
}

export interface ProgramRun {
  readonly registrations: readonly Registration[];
  /** What was asked of the providers, by the function's token. */
  readonly calls: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  /** The one registration of this name; an error where there is none. */
  find(name: string): Registration;
  /** The same for its options. */
  options(name: string): Options;
}

/** The part of `pulumirpc.RegisterResourceRequest` that is looked at. */
interface RegisterRequest {
  getName(): string;
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getDeletebeforereplace(): boolean;
  getIgnorechangesList(): string[];
  getDependenciesList(): string[];
  getHooks(): { getBeforeCreateList(): string[]; getBeforeUpdateList(): string[] } | undefined;
  getAdditionalsecretoutputsList(): string[];
  getAliasesList(): { getSpec(): { getNoparent(): boolean; getName(): string } | undefined }[];
}

/** Settings as they stand in a stack file, under `mailhost:`. */
export const stack = {
  hostname: "mail.example.org",
  owner: "ann@example.org",
  ssh: { from: ["203.0.113.7/32"] },
  domains: {
    "example.org": {
      since: "2026-11-21",
      mailboxes: {
        ann: {},
        bob: {
          passwordHash:
            "$6$3RHhb1IIz.YQpA3U$oq19qsB6GXr96VxKj.ANgCBFFOSVD/Tq.JwQAqDqPeNV8E2sLA4yAxs8CX1Ex/e0ngrzLqEYUnsMyvyLr4/eX.",
        },
      },
      aliases: { info: ["ann", "bob"] },
    },
    "example.com": { since: "2026-11-21", mailboxes: { carol: {} }, catchAll: "carol" },
  },
} as const;

const pem = {
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
} as const;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048, ...pem });
const ed25519 = generateKeyPairSync("ed25519", pem);

/** What the providers answer beside the inputs; a type that nobody expects is an error. */
const answers: Readonly<Record<string, (name: string) => Record<string, unknown>>> = {
  "aws:ec2/vpc:Vpc": () => ({ ipv6CidrBlock: "2001:db8:1::/56" }),
  "aws:ec2/internetGateway:InternetGateway": () => ({}),
  "aws:ec2/subnet:Subnet": () => ({}),
  "aws:ec2/routeTable:RouteTable": () => ({}),
  "aws:ec2/routeTableAssociation:RouteTableAssociation": () => ({}),
  "aws:ec2/securityGroup:SecurityGroup": () => ({}),
  "aws:ec2/eip:Eip": () => ({ publicIp: "198.18.0.40", allocationId: "eipalloc-0123456789abcdef0" }),
  "aws:ec2/eipAssociation:EipAssociation": () => ({}),
  "aws:ec2/eipDomainName:EipDomainName": () => ({}),
  "aws:ec2/instance:Instance": () => ({ ipv6Addresses: ["2001:db8:1::5"] }),
  "aws:ec2/volumeAttachment:VolumeAttachment": () => ({}),
  "aws:ebs/volume:Volume": () => ({}),
  "aws:iam/accessKey:AccessKey": () => ({ sesSmtpPasswordV4: "password at SES" }),
  "aws:iam/user:User": () => ({ name: "ses-user-0123456" }),
  "aws:iam/userPolicy:UserPolicy": () => ({}),
  "aws:route53/record:Record": () => ({}),
  "aws:sesv2/emailIdentity:EmailIdentity": (name) => ({ arn: `arn of ${name}` }),
  "aws:sesv2/emailIdentityMailFromAttributes:EmailIdentityMailFromAttributes": () => ({}),
  "cloudflare:index/dnsRecord:DnsRecord": () => ({}),
  "cloudflare:index/workersCustomDomain:WorkersCustomDomain": () => ({}),
  "cloudflare:index/workersScript:WorkersScript": () => ({}),
  "cloudflare:index/zoneDnssec:ZoneDnssec": (name) => ({ ds: `DS of ${name}` }),
  "command:local:Command": () => ({ stdout: "", stderr: "" }),
  "command:remote:Command": () => ({ stdout: "", stderr: "" }),
  "random:index/randomPassword:RandomPassword": (name) => ({
    result: `password of ${name}`,
    bcryptHash: `$2a$10$${name}`,
  }),
  "random:index/randomString:RandomString": () => ({ result: "a1b2c3" }),
  "tls:index/privateKey:PrivateKey": (name) => {
    const pair = /\dr\._domainkey/.test(name) ? rsa : ed25519;
    return {
      publicKeyPem: pair.publicKey,
      publicKeyOpenssh: `ssh-key public-${name}\n`,
      privateKeyOpenssh: `private ${name}\n`,
      privateKeyPemPkcs8: pair.privateKey,
    };
  },
};

const functions: Readonly<Record<string, (args: Record<string, unknown>) => Record<string, unknown>>> = {
  "aws:ec2/getAmi:getAmi": () => ({ id: "ami-0123456789abcdef0" }),
  // Not as sorted, so that "the first" is no accident.
  "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": () => ({
    locations: ["eu-central-1c", "eu-central-1b"],
  }),
  "aws:ec2/getSubnet:getSubnet": ({ id }) => ({
    id,
    vpcId: "vpc-existing",
    availabilityZone: "eu-central-1b",
  }),
  "aws:route53/getZone:getZone": ({ name }) => ({ name, zoneId: `zone-of-${String(name)}` }),
  "cloudflare:index/getWorkersScripts:getWorkersScripts": () => ({ results: [] }),
  "aws:route53/getRecords:getRecords": () => ({ resourceRecordSets: [] }),
  "cloudflare:index/getDnsRecords:getDnsRecords": () => ({ results: [] }),
  "cloudflare:index/getZones:getZones": () => ({
    results: ["example.org", "example.com"].map((name) => ({
      name,
      id: `zone-of-${name}`,
      account: { id: `account-of-${name}` },
    })),
  }),
};

export interface ProgramOptions {
  /** @default false */
  readonly preview?: boolean;
  /** The stack's outputs of the run before. @default a stack's first run */
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** Its resources' outputs by their URNs. @default none */
  readonly resources?: Readonly<Record<string, unknown>>;
  /** Outputs of resources that this run leaves as they were, by their names. @default none */
  readonly untouched?: Readonly<Record<string, object>>;
  /** Keys of providers in the stack file. @default none */
  readonly config?: Readonly<Record<string, string>>;
}

/**
 * Runs the program as it stands with mocked providers. In a preview, what a provider would answer is unknown.
 * Each call is a program of its own: use one test file, which is one process, for each.
 */
export async function runProgram(
  settings: Readonly<Record<string, unknown>>,
  options: ProgramOptions = {},
): Promise<ProgramRun> {
  const {
    preview = false,
    outputs: outputsBefore = {},
    resources = {},
    untouched = {},
    config = {},
  } = options;
  const before: typeof functions = {
    "pulumi:pulumi:readStackOutputs": () => ({ outputs: outputsBefore }),
    "pulumi:pulumi:readStackResourceOutputs": () => ({ outputs: resources }),
  };
  const registrations: Registration[] = [];
  const calls = new Map<string, Record<string, unknown>>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        if (type.startsWith("mailhost:")) return { id: "", state: inputs };
        const answer = answers[type];
        if (answer === undefined) throw new Error(`nobody expects a ${type} (${name})`);
        registrations.push({ type, name, inputs });
        return preview
          ? { id: undefined, state: { ...inputs, ...untouched[name] } }
          : { id: `id-of-${name}`, state: { ...inputs, ...answer(name), ...untouched[name] } };
      },
      call: ({ token, inputs }) => {
        const answer = { ...functions, ...before }[token];
        if (answer === undefined) throw new Error(`nobody expects a call of ${token}`);
        calls.set(token, inputs);
        return answer(inputs);
      },
    },
    "mailhost",
    "test",
    preview,
    "organization",
  );
  const told = new Map<string, Options>();
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource(request: RegisterRequest, ...rest: unknown[]): unknown;
  };
  const register = monitor.registerResource.bind(monitor);
  Object.assign(monitor, {
    registerResource: (request: RegisterRequest, ...rest: unknown[]) => {
      told.set(request.getName(), {
        protect: request.getProtect(),
        retainOnDelete: request.getRetainondelete(),
        deleteBeforeReplace: request.getDeletebeforereplace(),
        ignoreChanges: request.getIgnorechangesList(),
        dependsOn: request.getDependenciesList().map((urn) => urn.split("::").at(-1) ?? ""),
        beforeCreate: request.getHooks()?.getBeforeCreateList() ?? [],
        beforeUpdate: request.getHooks()?.getBeforeUpdateList() ?? [],
        orphanAlias: request.getAliasesList().some((alias) => alias.getSpec()?.getNoparent()),
        formerNames: request.getAliasesList().flatMap((alias) => alias.getSpec()?.getName() || []),
        additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
      });
      return register(request, ...rest);
    },
    // The mocked engine has no hooks; whether they fire is for the tests on a real one.
    registerResourceHook: (_request: unknown, done: (error: null, answer: object) => void) => done(null, {}),
  });
  pulumi.runtime.setAllConfig({
    "aws:region": "eu-central-1",
    ...config,
    ...Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [
        `mailhost:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    ),
  });
  const { default: outputs } = (await import("../../index.ts")) as { default: Record<string, unknown> };
  await pulumi.runtime.disconnect();
  return {
    registrations,
    calls,
    outputs,
    options: (name) => {
      const found = told.get(name);
      if (found === undefined) throw new Error(`no resource ${name}`);
      return found;
    },
    find: (name) => {
      const found = registrations.find((registration) => registration.name === name);
      if (found === undefined)
        throw new Error(`no resource ${name} among ${registrations.map((r) => r.name).join(", ")}`);
      return found;
    },
  };
}

interface SecretInput {
  readonly "4dabf18193072939515e22adb298388d": string;
  readonly value: unknown;
}

export function isSecret(input: unknown): input is SecretInput {
  return typeof input === "object" && input !== null && "4dabf18193072939515e22adb298388d" in input;
}

/** The value of an output, once it is there. */
export function settled<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => void output.apply(resolve));
}

/** What is in a secret, as it stands on the wire. @throws where it is none */
export function secretValue<T>(value: unknown): T {
  const { value: plain, ...mark } = value as { value: T };
  assert.equal(Object.keys(mark).length, 1, "it is no secret");
  return plain;
}
