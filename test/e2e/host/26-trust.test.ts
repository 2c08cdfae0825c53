/** What other servers are told of how to send here, asked and judged by programs that are not ours. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ensurePackages } from "../../../local/prerequisites.ts";
import { cloudInfo } from "../mailhost.ts";
import { scratchFiles, seeing } from "../scratch.ts";
import { worldResolver } from "../web.ts";

const path = scratchFiles();
before(() =>
  ensurePackages([
    {
      what: "mta-sts-query",
      package: "postfix-mta-sts-resolver",
      why: "reads MTA-STS policies as a sending server does",
    },
  ]),
);

/** A program that finds the world's DNS and authorities where a machine has them. */
async function inTheWorld(...command: readonly string[]): Promise<string> {
  const { resolver, issuerCa } = cloudInfo();
  const conf = path("resolv.conf", `nameserver ${resolver}\n`);
  const env = { ...process.env, SSL_CERT_FILE: path("roots.pem", issuerCa) };
  return await seeing({ "/etc/resolv.conf": conf }, command, { env });
}

for (const domain of ["example.org", "example.com"])
  test(`a sender that knows MTA-STS finds the policy of ${domain}`, async () => {
    assert.match(
      await inTheWorld("mta-sts-query", domain),
      /STSFetchResult\.VALID: 1>, \('\w+', \{'mx': \['mail\.example\.org'\], 'version': 'STSv1', 'mode': 'testing', 'max_age': 86400\}\)/,
    );
  });

test("a domain that is not ours has none", async () => {
  assert.match(await inTheWorld("mta-sts-query", "example.net"), /STSFetchResult\.NONE/);
});

test("reports on TLS are asked for, to an address that takes them", async () => {
  assert.deepEqual(await worldResolver().resolveTxt("_smtp._tls.example.com"), [
    ["v=TLSRPTv1; rua=mailto:tls-reports@example.com"],
  ]);
});
