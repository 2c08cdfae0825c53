/** What other servers are told of how to send here, asked and judged by programs that are not ours. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ask, valuesOf } from "../../../dns/client.ts";
import { cloudInfo, onHost, stackOutput } from "../mailhost.ts";
import { ensureVerifiers, verifiers } from "../verifiers.ts";
import { worldResolver } from "../web.ts";

before(ensureVerifiers);
const { stsOf } = verifiers();

for (const domain of ["example.org", "example.com"])
  test(`a sender that knows MTA-STS finds the policy of ${domain}`, async () => {
    assert.match(
      await stsOf(domain),
      /STSFetchResult\.VALID: 1>, \('\w+', \{'mx': \['mail\.example\.org'\], 'version': 'STSv1', 'mode': 'testing', 'max_age': 86400\}\)/,
    );
  });

test("a domain that is not ours has none", async () => {
  assert.match(await stsOf("example.net"), /STSFetchResult\.NONE/);
});

test("reports on TLS are asked for, to an address that takes them", async () => {
  assert.deepEqual(await worldResolver().resolveTxt("_smtp._tls.example.com"), [
    ["v=TLSRPTv1; rua=mailto:tls-reports@example.com"],
  ]);
});

test("certificates for the host's name are for its own account alone, and there is one from it", async () => {
  const records = valuesOf((await ask(cloudInfo().resolver, "mail.example.org", "CAA")).answers);
  const account = await onHost("cat /etc/letsencrypt/accounts/*/dir/*/regr.json");
  const { uri } = JSON.parse(account) as { readonly uri: string };
  assert.deepEqual(records, [
    `0 issue "acme.example.net; validationmethods=http-01; accounturi=${uri}"`,
    '0 issuewild ";"',
  ]);
  assert.equal((await stackOutput()).acmeAccount, uri);
});

test("the zones are signed, and the registrar's DS record is the one that the stack shows", async () => {
  const { dnssec } = (await stackOutput()) as { readonly dnssec: Readonly<Record<string, string>> };
  assert.deepEqual(Object.keys(dnssec), ["example.com", "example.org"]);
  for (const [zone, ds] of Object.entries(dnssec)) {
    const { answers } = await ask(cloudInfo().resolver, zone, "DS");
    const delegated = answers.flatMap((answer) => {
      if (answer.type !== "DS") return [];
      const { keyTag, algorithm, digestType, digest } = answer.data;
      return `${keyTag} ${algorithm} ${digestType} ${digest.toString("hex")}`;
    });
    assert.deepEqual(
      [ds.toLowerCase()],
      delegated.map((text) => `${zone}. 3600 in ds ${text}`),
    );
  }
});
