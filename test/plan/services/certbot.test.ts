import assert from "node:assert/strict";
import { it } from "node:test";
import { certbot } from "../../../plan/services/certbot.ts";
import { sampleSettings } from "./sample.ts";

const settings = sampleSettings();
const directory = "https://acme.example/dir";
const contents = (acme: { directory: string; caCertificate?: string }) =>
  new Map(certbot({ ...settings, acme }).files.map(({ path, content }) => [path, content]));
const request = "/etc/mailhost/certificate.conf";
const dropIn = "/etc/systemd/system/certbot.service.d/mailhost.conf";

it("asks in the owner's name for the host's name", () => {
  const text = contents({ directory }).get(request) ?? assert.fail();
  assert.match(text, /^HOST=mail\.example\.org$/m);
  assert.match(text, /^ACME_DIRECTORY=https:\/\/acme\.example\/dir$/m);
  assert.match(text, /^CONTACT=ann@example\.org$/m);
  assert.doesNotMatch(text, /REQUESTS_CA_BUNDLE/);
});

it("trusts a private authority at the first request and at every renewal", () => {
  const files = contents({
    directory,
    caCertificate: "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----",
  });
  assert.equal(files.get("/etc/mailhost/acme-ca.pem")?.at(-1), "\n");
  assert.match(files.get(request) ?? "", /^export REQUESTS_CA_BUNDLE=\/etc\/mailhost\/acme-ca\.pem$/m);
  assert.match(files.get(dropIn) ?? "", /^Environment=REQUESTS_CA_BUNDLE=\/etc\/mailhost\/acme-ca\.pem$/m);
  assert.doesNotMatch(contents({ directory }).get(dropIn) ?? "", /\[Service\]/);
});
