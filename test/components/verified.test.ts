import assert from "node:assert/strict";
import { test } from "node:test";
import { verified } from "../../components/verified.ts";

const where = { domain: "example.org", record: "20261121r._domainkey.example.org", interval: 1 };
const pending = { verifiedForSendingStatus: false, verificationStatus: "PENDING" };

test("it waits until SES has found the key", async () => {
  const answers = [pending, pending, { verifiedForSendingStatus: true, verificationStatus: "SUCCESS" }];
  await verified({ ...where, ask: async () => answers.shift() ?? assert.fail("asked too often") });
  assert.deepEqual(answers, []);
});

test("when SES takes long, it says so, and what to do", async () => {
  await assert.rejects(
    verified({ ...where, ask: async () => pending, deadline: 5 }),
    /has not found the key of example\.org in the DNS yet \(PENDING\); no mail goes to it[\s\S]*20261121r\._domainkey\.example\.org[\s\S]*Run `npx pulumi up --stack [\w-]+` again later/,
  );
});

test("a key record that somebody has to put in by hand is shown as it has to be", async () => {
  const toPutIn = '20261121r._domainkey.example.org. 300 IN TXT "v=DKIM1; p="';
  await assert.rejects(
    verified({ ...where, toPutIn, ask: async () => pending, deadline: 5 }),
    ({ message }: Error) =>
      message.includes(`has to be put in by hand (mailhost:dns)`) && message.includes(`\n  ${toPutIn}\nRun`),
  );
});

test("what AWS refuses is not waited for", async () => {
  await assert.rejects(
    verified({ ...where, ask: () => Promise.reject(new Error("AccessDenied")) }),
    /AccessDenied/,
  );
});
