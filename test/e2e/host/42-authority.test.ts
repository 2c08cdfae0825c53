import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "node:tls";
import { leftovers } from "../leftovers.ts";
import { cloudInfo, onHost, stackOutput, succeed } from "../mailhost.ts";

const accounts = "/etc/letsencrypt/accounts/acme.example.net:14000/dir/*";

interface Shown {
  readonly serial: string;
  readonly key: string;
}

/** What the running Dovecot shows, judged as the newest root has it. */
async function shown(): Promise<Shown> {
  const host = String((await stackOutput()).publicIp);
  return await new Promise((resolve, reject) => {
    const socket = connect({ host, port: 993, servername: "mail.example.org", ca: cloudInfo().issuerCa });
    socket.on("error", reject);
    socket.on("secureConnect", () => {
      const { serialNumber, pubkey } = socket.getPeerCertificate();
      socket.destroy();
      resolve({ serial: serialNumber, key: pubkey?.toString("base64") ?? "" });
    });
  });
}

test("npm stop leaves no device, rule, mount or process; npm start brings the same host back", async () => {
  const before = await shown();
  const { slot } = cloudInfo();
  await succeed(["stop"]);
  assert.equal(leftovers(slot), "");
  await succeed(["start"]);
  assert.deepEqual(await shown(), before);
});

test("now the authority has forgotten the account, and the certificate is renewed all the same", async () => {
  const before = await shown();
  const accountKey = await onHost(`sha256sum ${accounts}/private_key.json`);

  // certbot by itself would not: this is what the test is about.
  const bare = await onHost(
    "REQUESTS_CA_BUNDLE=/etc/mailhost/acme-ca.pem certbot renew -q --no-random-sleep-on-renew --force-renewal 2>&1 || true",
  );
  assert.match(bare, /accountDoesNotExist/);

  // What certbot.timer starts, told that the certificate is due: the lineage's own setting, as an operator would.
  const lineage = "/etc/letsencrypt/renewal/mail.conf";
  await onHost(`cp -p ${lineage} /root/ && sed -i '1i renew_before_expiry = 3650 days' ${lineage}`);
  await onHost("systemctl start certbot.service").finally(() => onHost(`mv /root/mail.conf ${lineage}`));
  const after = await shown();
  assert.notEqual(after.serial, before.serial, "Dovecot shows the new certificate");
  assert.equal(after.key, before.key, "and its key is the old one");
  assert.equal(await onHost(`sha256sum ${accounts}/private_key.json`), accountKey);
  assert.match(
    await onHost("journalctl -q -u certbot -o cat -n 20"),
    /does not know this host's account: it is registered again/,
  );

  // Where it is known, nothing changes.
  const account = await onHost(`cat ${accounts}/regr.json`);
  await onHost(
    '. /etc/mailhost/certificate.conf; /usr/local/lib/mailhost/account "$ACME_DIRECTORY" "$CONTACT"',
  );
  assert.equal(await onHost(`cat ${accounts}/regr.json`), account);
  await succeed(["check"]);
});
