/** The simulated SES and IAM: errors, limits, what SES finds in the DNS, and what its SMTP interface is told. */
import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AwsError } from "../../../local/aws/errors.ts";
import { smtpPassword } from "../../../local/aws/smtpPassword.ts";
import { newAccount, openAccount, type TestAccount } from "./account.ts";

async function refused(work: Promise<unknown>, code: string, message?: RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof AwsError, String(error));
    assert.equal(error.code, code, error.message);
    if (message) assert.match(error.message, message);
    return true;
  });
}

function keyOf(bits: number, type: "pkcs1" | "pkcs8" = "pkcs8") {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  return {
    text: privateKey.export({ type, format: "der" }).toString("base64"),
    published: createPublicKey(privateKey).export({ type: "spki", format: "der" }).toString("base64"),
  };
}

const key = keyOf(2048);
const EmailIdentity = "example.org";
const dkim = (DomainSigningPrivateKey = key.text, DomainSigningSelector = "sel") => ({
  DkimSigningAttributes: { DomainSigningSelector, DomainSigningPrivateKey },
});

function publish({ world }: TestAccount, name: string, type: string, ...rdata: string[]): void {
  world.records.set(
    `${name} ${type}`,
    rdata.map((each) => ({ name, type, ttl: 60, rdata: each })),
  );
}

test("an identity: keys, names and what SES refuses", async (context) => {
  const { call } = newAccount(context);
  const create = (parameters: object) => call("CreateEmailIdentity", { EmailIdentity, ...parameters });
  const ed25519 = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "der" });
  for (const wrong of [
    keyOf(3072).text,
    ed25519.toString("base64"),
    "no key",
    Buffer.from("no key").toString("base64"),
    `-----BEGIN PRIVATE KEY-----\n${key.text}\n-----END PRIVATE KEY-----`,
  ])
    await refused(create(dkim(wrong)), "BadRequestException", /private key/);
  await refused(create(dkim(key.text, "with_underscore")), "BadRequestException", /selector/);
  await refused(create({ ...dkim(), EmailIdentity: "no domain" }), "BadRequestException");
  await refused(create({ ...dkim(), Wrong: 1 }), "BadRequestException", /Wrong/);
  await refused(
    create({ DkimSigningAttributes: { DomainSigningSelector: "sel" } }),
    "BadRequestException",
    /Both/,
  );
  await refused(create({}), "Unsupported");
  for (const [name, kind] of [
    ["a.org", keyOf(1024)],
    ["b.org", keyOf(2048, "pkcs1")],
  ] as const)
    await call("CreateEmailIdentity", { ...dkim(kind.text), EmailIdentity: name });
  await create(dkim());
  await refused(create(dkim()), "AlreadyExistsException");
  await call("DeleteEmailIdentity", { EmailIdentity });
  await refused(call("DeleteEmailIdentity", { EmailIdentity }), "NotFoundException");
});

test("it is verified when its key is found, and sends with its MAIL FROM when that has its one MX", async (context) => {
  const account = newAccount(context);
  const { call, world } = account;
  await call("CreateEmailIdentity", { EmailIdentity, ...dkim() });
  const put = (parameters: object) =>
    call("PutEmailIdentityMailFromAttributes", { EmailIdentity, ...parameters });
  await refused(put({ MailFromDomain: "bounce.example.com" }), "BadRequestException", /not subdomain/);
  await refused(put({ BehaviorOnMxFailure: "Hope" }), "BadRequestException");
  await put({ MailFromDomain: "bounce.example.org", BehaviorOnMxFailure: "REJECT_MESSAGE" });
  const look = async () => {
    await call("GetEmailIdentity", { EmailIdentity });
    const [identity] = world.sesAccount?.identities ?? [];
    return [identity?.verified, identity?.mailFrom, identity?.withoutMailFrom];
  };
  assert.deepEqual(await look(), [false, undefined, "refuse"]);
  publish(account, "sel._domainkey.example.org", "TXT", `"v=DKIM1; k=rsa; p=${keyOf(2048).published}"`);
  assert.deepEqual(await look(), [false, undefined, "refuse"]);
  publish(account, "sel._domainkey.example.org", "TXT", `"v=DKIM1; k=rsa; p=${key.published}"`);
  assert.deepEqual(await look(), [true, undefined, "refuse"]);
  const right = "10 feedback-smtp.eu-central-1.amazonses.com.";
  publish(account, "bounce.example.org", "MX", right, "20 mail.example.org.");
  assert.deepEqual(await look(), [true, undefined, "refuse"]);
  publish(account, "bounce.example.org", "MX", right);
  assert.deepEqual(await look(), [true, "bounce.example.org", "refuse"]);
  await put({});
  assert.deepEqual(await look(), [true, undefined, "amazon"]);
});

test("users: what must go first, names, keys", async (context) => {
  const { call } = newAccount(context);
  const UserName = "mail";
  await refused(call("GetUser", { UserName }), "NoSuchEntity");
  await refused(call("CreateUser", { UserName: "two words" }), "ValidationError");
  await refused(call("CreateUser", { UserName, Path: "mailhost" }), "ValidationError", /path/);
  await refused(call("CreateUser", {}), "ValidationError");
  await call("CreateUser", { UserName, Path: "/mailhost/" });
  await refused(call("CreateUser", { UserName: "MAIL" }), "EntityAlreadyExists");
  const created = (await call("CreateAccessKey", { UserName })) as unknown as {
    AccessKey: { AccessKeyId: string; SecretAccessKey: string };
  };
  assert.match(created.AccessKey.SecretAccessKey, /^[A-Za-z0-9+/]{40}$/);
  await call("CreateAccessKey", { UserName });
  await refused(call("CreateAccessKey", { UserName }), "LimitExceeded", /AccessKeysPerUser: 2/);
  await refused(call("DeleteUser", { UserName }), "DeleteConflict", /access keys first/);
  const { AccessKeyMetadata: keys } = (await call("ListAccessKeys", { UserName })) as unknown as {
    AccessKeyMetadata: readonly object[];
  };
  assert.equal(keys.length, 2);
  assert.ok(keys.every((each) => !("SecretAccessKey" in each)));
  for (const each of keys)
    await call("DeleteAccessKey", { UserName, AccessKeyId: (each as { AccessKeyId: string }).AccessKeyId });
  await refused(
    call("UpdateAccessKey", { UserName, AccessKeyId: "AKIAX", Status: "Active" }),
    "NoSuchEntity",
  );
  await call("PutUserPolicy", { UserName, PolicyName: "p", PolicyDocument: policy({}) });
  await refused(call("DeleteUser", { UserName }), "DeleteConflict", /policies first/);
  await call("DeleteUserPolicy", { UserName, PolicyName: "p" });
  await refused(call("DeleteUserPolicy", { UserName, PolicyName: "p" }), "NoSuchEntity");
  await call("DeleteUser", { UserName });
  // The same call again is another user, not the answer of before.
  await call("CreateUser", { UserName }, "token");
  await call("DeleteUser", { UserName });
  await call("CreateUser", { UserName }, "token");
  await call("GetUser", { UserName });
});

function policy(statement: object, rest: object = {}): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "ses:SendRawEmail", Resource: "*", ...statement }],
    ...rest,
  });
}

test("a policy that is malformed is refused; one that is not decides who may send", async (context) => {
  const account = newAccount(context);
  const { call, world } = account;
  const UserName = "mail";
  await call("CreateUser", { UserName });
  await call("CreateAccessKey", { UserName });
  await call("CreateEmailIdentity", { EmailIdentity, ...dkim() });
  const put = (PolicyDocument: string, PolicyName = "p") =>
    call("PutUserPolicy", { UserName, PolicyName, PolicyDocument });
  for (const wrong of [
    "{",
    policy({}, { Version: "2026-01-01" }),
    policy({ Effect: "Maybe" }),
    policy({ Action: "SendRawEmail" }),
    policy({ Action: undefined }),
    policy({ Resource: "example.org" }),
    policy({ Condition: {} }),
    JSON.stringify({ Version: "2012-10-17" }),
  ])
    await refused(put(wrong), "MalformedPolicyDocument");
  await refused(put(policy({ Sid: "x".repeat(2100) })), "LimitExceeded", /2048/);
  const arn = "arn:aws:ses:eu-central-1:123456789012:identity/example.org";
  const may = () => world.sesAccount?.logins[0]?.maySendAs;
  assert.deepEqual(may(), []);
  for (const [statement, expected] of [
    [{ Resource: [arn] }, [arn]],
    [{ Resource: arn.replace("example.org", "example.com") }, []],
    [{ Action: ["ses:Send*"], Resource: arn.replace("example.org", "*") }, [arn]],
    [{ Action: "ses:SendEmail" }, []],
  ] as const) {
    await put(policy(statement));
    assert.deepEqual(may(), expected, JSON.stringify(statement));
  }
  await put(policy({}));
  await put(policy({ Effect: "Deny", Resource: arn }), "q");
  assert.deepEqual(may(), []);
});

test("the password is the key's signature of constants in the region", () => {
  // Of AWS's own example key, by the steps of "Obtaining Amazon SES SMTP credentials" in another language.
  const key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  assert.equal(smtpPassword(key, "eu-central-1"), "BFq1bUleea4+YP7D6Lc6/NX08j1iw+oCCO7+eiXACxiK");
  assert.notEqual(smtpPassword(key, "us-east-1"), smtpPassword(key, "eu-central-1"));
});

test("the log and the answers show no key; a restart tells the world again", async (context) => {
  const account = newAccount(context);
  const { call, folder, world } = account;
  await call("CreateEmailIdentity", { EmailIdentity, ...dkim() });
  await call("CreateUser", { UserName: "mail" });
  const { AccessKey } = (await call("CreateAccessKey", { UserName: "mail" })) as unknown as {
    AccessKey: { SecretAccessKey: string };
  };
  const log = readFileSync(join(folder, "aws.log"), "utf8");
  assert.match(log, /CreateEmailIdentity.*\(not shown\)/);
  for (const secret of [key.text, AccessKey.SecretAccessKey]) assert.ok(!log.includes(secret));
  assert.ok(!JSON.stringify(await call("GetEmailIdentity", { EmailIdentity })).includes(key.text));
  const before = world.sesAccount;
  world.sesAccount = undefined;
  const again = openAccount(folder, world);
  await again.service.restore();
  const told = () => world.sesAccount;
  assert.deepEqual(told(), before);
  await again.service.setSwitches({ sesSandbox: true });
  assert.equal(told()?.sandbox, true);
  await again.service.reset();
  assert.deepEqual(told(), {
    region: "eu-central-1",
    sandbox: false,
    identities: [],
    logins: [],
  });
});
