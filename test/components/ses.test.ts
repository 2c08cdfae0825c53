import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { test } from "node:test";
import { runProgram, secretValue, stack } from "./program.ts";

const run = await runProgram({ ...stack, relay: "ses" });
const made = run.registrations.filter(({ name }) => name.startsWith("ses-"));

test("an identity for each domain, one login for all of them", () => {
  assert.deepEqual(made.map(({ type, name }) => `${type.replace(/^.*:/, "")} ${name}`).sort(), [
    "AccessKey ses-key",
    "EmailIdentity ses-example.com",
    "EmailIdentity ses-example.org",
    "EmailIdentityMailFromAttributes ses-example.com-mail-from",
    "EmailIdentityMailFromAttributes ses-example.org-mail-from",
    "User ses-user",
    "UserPolicy ses-policy",
  ]);
});

test("the identity signs with the key that the DNS has, once it is there", () => {
  const { emailIdentity, tags, dkimSigningAttributes } = run.find("ses-example.org").inputs;
  assert.equal(emailIdentity, "example.org");
  assert.deepEqual(tags, { Name: "ses-example.org", "mailhost:stack": "test" });
  const dkim = secretValue<Record<string, string>>(dkimSigningAttributes);
  assert.deepEqual(Object.keys(dkim), ["domainSigningPrivateKey", "domainSigningSelector"]);
  assert.equal(dkim.domainSigningSelector, "20261121r");
  const der = Buffer.from(dkim.domainSigningPrivateKey ?? "", "base64");
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  assert.equal(key.asymmetricKeyDetails?.modulusLength, 2048);
  const { dependsOn } = run.options("ses-example.org");
  assert.ok(dependsOn.includes("dns-txt:20261121r._domainkey.example.org"), String(dependsOn));
});

test("MAIL FROM comes with its records, after SES has verified the domain", () => {
  assert.deepEqual(run.find("ses-example.com-mail-from").inputs, {
    emailIdentity: "example.com",
    mailFromDomain: "bounce.example.com",
    behaviorOnMxFailure: "USE_DEFAULT_VALUE",
  });
  const { dependsOn, beforeCreate } = run.options("ses-example.com-mail-from");
  assert.deepEqual(
    ["dns-mx:bounce.example.com", "dns-txt:bounce.example.com"].filter((name) => !dependsOn.includes(name)),
    [],
  );
  assert.deepEqual(beforeCreate, ["ses-example.com-verified-first"]);
});

test("the login may send as the identities alone", () => {
  assert.deepEqual(run.find("ses-user").inputs, {
    path: "/mailhost/",
    tags: { Name: "ses-user", "mailhost:stack": "test" },
  });
  const { user, policy } = run.find("ses-policy").inputs as { user: string; policy: string };
  assert.equal(user, "ses-user-0123456");
  assert.deepEqual(JSON.parse(policy), {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "ses:SendRawEmail",
        Resource: ["arn of ses-example.org", "arn of ses-example.com"],
      },
    ],
  });
  assert.deepEqual(run.find("ses-key").inputs, { user: "ses-user-0123456" });
});

test("the host gets the login as a secret, and Postfix uses it when SES is ready", () => {
  const document = secretValue<string>(run.find("host-relay-secrets").inputs.stdin);
  assert.ok(
    document.includes("[email-smtp.eu-central-1.amazonaws.com]:587 id-of-ses-key:password at SES\n"),
    document,
  );
  const { dependsOn } = run.options("host-postfix");
  for (const name of ["ses-example.org-mail-from", "ses-example.com-mail-from", "ses-policy", "ses-key"])
    assert.ok(dependsOn.includes(name), `${name} among ${dependsOn}`);
});
