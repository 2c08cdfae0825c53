/** Identities of SES and users of IAM: as the official provider treats them. */
import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { smtpPassword } from "../../../local/aws/smtpPassword.ts";
import { type Properties, Secret } from "../../../local/providers/framework.ts";
import { type Bench, bench, type Made } from "./bench.ts";
import type { Refused } from "./client.ts";

const types = {
  identity: "aws:sesv2/emailIdentity:EmailIdentity",
  mailFrom: "aws:sesv2/emailIdentityMailFromAttributes:EmailIdentityMailFromAttributes",
  user: "aws:iam/user:User",
  policy: "aws:iam/userPolicy:UserPolicy",
  key: "aws:iam/accessKey:AccessKey",
} as const;

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const privateKey = pair.privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");
const publicKey = createPublicKey(pair.privateKey).export({ type: "spki", format: "der" }).toString("base64");
const arn = "arn:aws:ses:eu-central-1:123456789012:identity/example.org";
const policyFor = (resource: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "ses:SendRawEmail", Resource: [resource] }],
  });

function publish({ world }: Bench): void {
  const record = (name: string, type: string, rdata: string) =>
    world.records.set(`${name} ${type}`, [{ name, type, ttl: 60, rdata }]);
  const halves = [publicKey.slice(0, 200), publicKey.slice(200)];
  record("sel._domainkey.example.org", "TXT", `"v=DKIM1; k=rsa; p=${halves[0]}" "${halves[1]}"`);
  record("bounce.example.org", "MX", "10 feedback-smtp.eu-central-1.amazonses.com.");
}

async function everything(self: Bench) {
  const { make } = self;
  const identity = await make(types.identity, {
    emailIdentity: "example.org",
    dkimSigningAttributes: {
      domainSigningSelector: "sel",
      domainSigningPrivateKey: new Secret(privateKey),
    },
    tags: { Name: "mail" },
  });
  const mailFrom = await make(types.mailFrom, {
    emailIdentity: "example.org",
    mailFromDomain: "bounce.example.org",
    behaviorOnMxFailure: "USE_DEFAULT_VALUE",
  });
  const user = await make(types.user, { path: "/mailhost/", tags: { Name: "mail" } });
  const policy = await make(types.policy, { user: String(user.state.name), policy: policyFor(arn) });
  const key = await make(types.key, { user: String(user.state.name) });
  return { identity, mailFrom, user, policy, key };
}

const plain = (value: unknown) => (value instanceof Secret ? value.value : value);

test("all of it: made, unchanged by a refresh, in force, and taken away again", async (context) => {
  const self = await bench(context);
  publish(self);
  const all = await everything(self);
  for (const [name, made] of Object.entries(all))
    assert.deepEqual(await self.refresh(types[name as keyof typeof types], made), {}, name);

  assert.match(all.user.id, /^thing-[0-9a-f]{7}$/);
  assert.equal(all.user.state.arn, `arn:aws:iam::123456789012:user/mailhost/${all.user.id}`);
  assert.match(all.policy.id, new RegExp(`^${all.user.id}:thing-[0-9a-f]{7}$`));
  assert.match(all.key.id, /^AKIA[A-Z2-7]{16}$/);
  assert.equal(all.identity.state.arn, arn);
  // IAM has no regions, and the official provider's resources have no property for one.
  assert.deepEqual(
    [all.identity, all.mailFrom, all.user, all.policy, all.key].map(({ state }) => state.region),
    ["eu-central-1", "eu-central-1", undefined, undefined, undefined],
  );
  const { sesAccount } = self.world;
  assert.deepEqual(sesAccount, {
    region: "eu-central-1",
    sandbox: false,
    identities: [
      {
        ...{ name: "example.org", arn, verified: true, selector: "sel", privateKey },
        ...{ mailFrom: "bounce.example.org", withoutMailFrom: "amazon" },
      },
    ],
    logins: [
      {
        username: all.key.id,
        password: plain(all.key.state.sesSmtpPasswordV4),
        userArn: all.user.state.arn,
        maySendAs: [arn],
      },
    ],
  });

  for (const name of ["key", "policy", "user", "mailFrom", "identity"] as const) {
    await self.client.delete(types[name], all[name].id, all[name].state);
    await self.client.delete(types[name], all[name].id, all[name].state);
  }
  for (const name of ["key", "policy", "user", "identity"] as const)
    assert.equal(await self.refresh(types[name], all[name]), "gone", name);
  assert.deepEqual(self.world.sesAccount, { ...sesAccount, identities: [], logins: [] });
});

test("keys and passwords are secrets of the state, and the derived one is right", async (context) => {
  const self = await bench(context);
  const { identity, key } = await everything(self);
  const dkim = plain(identity.state.dkimSigningAttributes) as Properties;
  const shown = JSON.stringify(identity.state, (_, value) => (value instanceof Secret ? "[secret]" : value));
  assert.ok(!shown.includes(privateKey.slice(-200, -140)));
  assert.equal(plain(dkim.domainSigningPrivateKey), privateKey);
  assert.ok(key.state.secret instanceof Secret && key.state.sesSmtpPasswordV4 instanceof Secret);
  assert.equal(
    key.state.sesSmtpPasswordV4.value,
    smtpPassword(String(key.state.secret.value), "eu-central-1"),
  );
  // A refresh cannot ask for them, and does not lose them.
  const { properties } = await self.client.read(types.key, key.id, key.state, key.inputs);
  assert.equal(plain(properties.secret), key.state.secret.value);
});

test("what replaces replaces, and what does not is updated", async (context) => {
  const self = await bench(context);
  publish(self);
  const { identity, mailFrom, user, policy, key } = await everything(self);
  const change = (type: string, made: Made, news: Properties) =>
    self.changes(type, made, { ...made.inputs, ...news });
  assert.deepEqual(await change(types.identity, identity, { emailIdentity: "example.com" }), {
    emailIdentity: "update-replace",
  });
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const news = {
    domainSigningSelector: "other",
    domainSigningPrivateKey: new Secret(other.export({ type: "pkcs8", format: "der" }).toString("base64")),
  };
  const changes = await change(types.identity, identity, { dkimSigningAttributes: news });
  assert.ok(Object.values(changes).length > 0 && Object.values(changes).every((kind) => kind === "update"));
  const updated = await self.update(types.identity, identity, {
    ...identity.inputs,
    dkimSigningAttributes: news,
    tags: { Name: "new" },
  });
  assert.deepEqual(updated.state.tags, { Name: "new" });
  // Another key has to be found first.
  assert.equal(updated.state.verificationStatus, "PENDING");
  assert.equal(self.world.sesAccount?.identities[0]?.selector, "other");

  assert.deepEqual(await change(types.mailFrom, mailFrom, { mailFromDomain: "x.example.org" }), {
    mailFromDomain: "update",
  });
  assert.deepEqual(await change(types.user, user, { path: "/" }), { path: "update" });
  assert.deepEqual(await change(types.policy, policy, { policy: policyFor("*") }), { policy: "update" });
  // The same in other words.
  assert.deepEqual(
    await change(types.policy, policy, { policy: policyFor(arn).replaceAll(":[", ": [") }),
    {},
  );
  assert.deepEqual(await change(types.policy, policy, { user: "other" }), { user: "update-replace" });
  assert.deepEqual(await change(types.key, key, { user: "other" }), { user: "update-replace" });
  await self.update(types.key, key, { ...key.inputs, status: "Inactive" });
  assert.deepEqual(self.world.sesAccount?.logins, []);
});

test("drift shows: what somebody changed by hand, and what is gone", async (context) => {
  const self = await bench(context);
  publish(self);
  const { mailFrom, user, policy, key } = await everything(self);
  await self.call("PutEmailIdentityMailFromAttributes", {
    EmailIdentity: "example.org",
    BehaviorOnMxFailure: "REJECT_MESSAGE",
  });
  assert.deepEqual(await self.refresh(types.mailFrom, mailFrom), {
    behaviorOnMxFailure: "update",
    mailFromDomain: "update",
  });
  await self.call("TagUser", { UserName: user.id, Tags: [{ Key: "Name", Value: "theirs" }] });
  assert.deepEqual(await self.refresh(types.user, user), { "tags.Name": "update" });
  const PolicyName = String(policy.state.name);
  await self.call("PutUserPolicy", { UserName: user.id, PolicyName, PolicyDocument: policyFor("*") });
  assert.deepEqual(await self.refresh(types.policy, policy), { policy: "update" });
  await self.call("DeleteAccessKey", { UserName: user.id, AccessKeyId: key.id });
  assert.equal(await self.refresh(types.key, key), "gone");
});

test("inputs that the official provider refuses are refused", async (context) => {
  const { mistakes } = await bench(context);
  const reasons = async (type: string, inputs: Properties) => (await mistakes(type, inputs)).join("\n");
  assert.match(await reasons(types.identity, {}), /emailIdentity|email_identity/);
  assert.match(
    await reasons(types.identity, {
      emailIdentity: "example.org",
      dkimSigningAttributes: { status: "SUCCESS" },
    }),
    /can't configure a value for "dkim_signing_attributes\.0\.status"/,
  );
  assert.match(
    await reasons(types.identity, { emailIdentity: "example.org", configurationSetName: "x" }),
    /does not simulate configurationSetName/,
  );
  assert.match(
    await reasons(types.mailFrom, { emailIdentity: "example.org", behaviorOnMxFailure: "REJECT_MESSAGE" }),
    /"mail_from_domain" is required/,
  );
  assert.match(await reasons(types.mailFrom, { emailIdentity: "a.org", behaviorOnMxFailure: "X" }), /one of/);
  assert.match(await reasons(types.user, { region: "eu-central-1" }), /region/);
  assert.match(await reasons(types.key, { user: "u", status: "Off" }), /one of \["Active", "Inactive"\]/);
  assert.match(await reasons(types.policy, { user: "u" }), /policy/);
});

test("the services' errors come through with their own names", async (context) => {
  const { make } = await bench(context);
  const message = (pattern: RegExp) => (error: Refused) => pattern.test(error.message);
  const identity = {
    emailIdentity: "example.org",
    dkimSigningAttributes: { domainSigningSelector: "sel", domainSigningPrivateKey: privateKey },
  };
  await make(types.identity, identity);
  await assert.rejects(
    make(types.identity, { ...identity, tags: { a: "b" } }),
    message(/operation error SESv2: CreateEmailIdentity, api error AlreadyExistsException/),
  );
  await assert.rejects(
    make(types.policy, { user: "nobody", policy: policyFor("*") }),
    message(
      /operation error IAM: PutUserPolicy, api error NoSuchEntity: The user with name nobody cannot be found/,
    ),
  );
});

test("imports take the official provider's ids; a key's secret is not among what they find", async (context) => {
  const self = await bench(context);
  publish(self);
  const all = await everything(self);
  for (const [name, made] of Object.entries(all)) {
    const found = await self.client.read(types[name as keyof typeof types], made.id);
    assert.equal(found.id, made.id, name);
  }
  const key = await self.client.read(types.key, all.key.id);
  assert.equal(key.inputs.user, all.user.id);
  assert.ok(!("secret" in key.properties) && !("sesSmtpPasswordV4" in key.properties));
});

test("what an identity is, a program can ask", async (context) => {
  const self = await bench(context);
  const asked = () =>
    self.client.invoke("aws:sesv2/getEmailIdentity:getEmailIdentity", { emailIdentity: "example.org" });
  await assert.rejects(asked(), /api error NotFoundException: Email identity example\.org does not exist/);
  await everything(self);
  assert.equal((await asked()).result.verifiedForSendingStatus, false);
  publish(self);
  const { result } = await asked();
  assert.deepEqual(
    [result.verifiedForSendingStatus, result.verificationStatus, result.arn],
    [true, "SUCCESS", arn],
  );
});
