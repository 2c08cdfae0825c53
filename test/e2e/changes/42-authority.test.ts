import assert from "node:assert/strict";
import { dirname } from "node:path";
import { test } from "node:test";
import { connect } from "node:tls";
import { leftovers } from "../leftovers.ts";
import { cloudInfo, onHost, stackOutput, stateResources, succeed, up } from "../mailhost.ts";

const folder = "/etc/letsencrypt/mail";
const accounts = "/etc/letsencrypt/accounts/acme.example.net:14000/dir/*";

interface Shown {
  readonly serial: string;
  readonly key: string;
  /** Its own name where it is self-signed. */
  readonly issuer: string;
}

/** What the running Dovecot shows, judged as the newest root has it unless nobody is to judge. */
async function shown(rejectUnauthorized = true): Promise<Shown> {
  const host = String((await stackOutput()).publicIp);
  const servername = "mail.example.org";
  return await new Promise((resolve, reject) => {
    const socket = connect({ host, port: 993, servername, ca: cloudInfo().issuerCa, rejectUnauthorized });
    socket.on("error", reject);
    socket.on("secureConnect", () => {
      const { serialNumber, pubkey, issuer } = socket.getPeerCertificate();
      socket.destroy();
      resolve({
        serial: serialNumber,
        key: pubkey?.toString("base64") ?? "",
        issuer: String(issuer.CN),
      });
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
    `. /etc/mailhost/certificate.conf
     openssl req -new -key /etc/mailhost/tls/privkey.pem -subj / -addext "subjectAltName=DNS:$NAMES" -out /root/bare.pem
     certbot certonly -n --standalone --csr /root/bare.pem --server "$ACME_DIRECTORY" 2>&1 || true`,
  );
  assert.match(bare, /Account .* not found/);

  // A machine that took over another's volume has never run certbot.
  await onHost("rm -r /var/lib/letsencrypt /var/log/letsencrypt");
  // What the timer starts finds nothing to do until two thirds of a certificate's life are over: 60 days of 90.
  const aged = (days: number) => {
    const day = (ago: number) => `$(date -ud '${ago} days' +%Y%m%d%H%M%SZ)`;
    return onHost(
      `openssl req -x509 -key /etc/mailhost/tls/privkey.pem -subj /CN=aged -addext subjectAltName=DNS:mail.example.org \
         -not_before ${day(-days)} -not_after ${day(90 - days)} -out ${folder}/fullchain.pem
       systemctl start mailhost-certificate.service`,
    );
  };
  await aged(59);
  assert.equal((await shown(false)).issuer, "aged");
  await aged(61);
  const after = await shown();
  assert.notEqual(after.serial, before.serial, "Dovecot shows the new certificate");
  assert.equal(after.key, before.key, "and its key is the old one");
  assert.equal(await onHost(`sha256sum ${accounts}/private_key.json`), accountKey);
  assert.match(
    await onHost("journalctl --sync; journalctl -q -u mailhost-certificate -o cat -n 20"),
    /did not know this host's account: it is registered again/,
  );

  // Where it is known, nothing changes.
  const account = await onHost(`cat ${accounts}/regr.json`);
  await onHost(
    '. /etc/mailhost/certificate.conf; /usr/local/lib/mailhost/account "$ACME_DIRECTORY" "$CONTACT"',
  );
  assert.equal(await onHost(`cat ${accounts}/regr.json`), account);
  await succeed(["check"]);

  // Where it is deployed already, no daemon is told anything.
  const told =
    "journalctl --sync; journalctl -q -o cat -u dovecot -g 'SIGHUP received' | wc -l; stat -c %i /srv/tls";
  const toldBefore = await onHost(told);
  assert.equal(await onHost(`/usr/local/lib/mailhost/tls deploy ${folder}`), "");
  assert.equal(await onHost(told), toldBefore);
});

test("the account gets another key and keeps its URL; the old one is worth nothing, also where the change was cut off", async () => {
  const uri = await onHost(`cat ${accounts}/regr.json`);
  const key = () => onHost(`cat ${accounts}/private_key.json`);
  const show = (where: string) =>
    onHost(
      `. /etc/mailhost/certificate.conf
       certbot show_account --config-dir ${where} --work-dir /root/old --logs-dir /root/old --server "$ACME_DIRECTORY" 2>&1 || true`,
    );
  await onHost("mkdir /root/old && cp -a /etc/letsencrypt/accounts /root/old/");
  const first = await key();

  await onHost("/usr/local/lib/mailhost/certificate account-key");
  const second = await key();
  assert.notEqual(second, first);
  assert.equal(await onHost(`cat ${accounts}/regr.json`), uri);
  assert.match(await show("/etc/letsencrypt"), /Account URL: https:/);
  assert.match(await show("/root/old"), /unable to find existing account/);

  // The server has taken the next one, and the host ends before it has: the next certificate goes on from there.
  const cutOff = await onHost(
    `mkdir /root/without && printf '#!/bin/sh\nexit 1\n' >/root/without/mv && chmod +x /root/without/mv
     PATH=/root/without:$PATH /usr/local/lib/mailhost/certificate account-key 2>&1 || echo failed`,
  );
  assert.match(cutOff, /failed\n$/);
  assert.equal(await key(), second);
  const before = await shown();
  await onHost("/usr/local/lib/mailhost/certificate now 2>&1");
  assert.notEqual((await shown()).serial, before.serial);
  assert.notEqual(await key(), second);
  assert.equal(await onHost(`cat ${accounts}/regr.json`), uri);
  assert.equal(await onHost("ls /etc/letsencrypt | grep accounts"), "accounts\n");
  await onHost("rm -r /root/old /root/without");
});

test("a daemon that could not be told of a certificate is told by the next run", async () => {
  const dropIn = "/run/systemd/system/postfix.service.d/test.conf";
  const reloads = async () =>
    Number(await onHost("journalctl --sync; journalctl -q -o cat -u postfix -g 'reload -- version' | wc -l"));
  await onHost(
    `mkdir -p ${dirname(dropIn)} && printf '[Service]\nExecReload=\nExecReload=/bin/false\n' >${dropIn}
     systemctl daemon-reload
     echo >>/srv/tls/fullchain.pem`,
  );
  const before = await reloads();
  try {
    const ran = await onHost(`/usr/local/lib/mailhost/tls deploy ${folder} 2>&1 || echo failed`);
    assert.match(ran, /the certificate is new/);
    assert.match(ran, /could not be reloaded, .*: postfix\.service\nfailed\n$/);
  } finally {
    await onHost(`rm ${dropIn}; systemctl daemon-reload`);
  }
  assert.equal(await reloads(), before);
  await onHost("systemctl start mailhost-certificate.service");
  assert.equal(await reloads(), before + 1);
  // And once is enough.
  await onHost("systemctl start mailhost-certificate.service");
  assert.equal(await reloads(), before + 1);
});

test("a first start while the authority is away: a self-signed certificate until it is back", async () => {
  await onHost(
    `unbound-control -q local_zone acme.example.net always_nxdomain
     rm -r ${folder} /srv/tls/*
     unbound-control -q flush_zone example.net`,
  );
  try {
    const urns = (await stateResources())
      .map(({ urn }) => urn)
      .filter((urn) => /::host-(tls|certbot)-files$/.test(urn));
    assert.equal(urns.length, 2);
    await up(...urns.flatMap((urn) => ["--replace", urn]));
    await onHost("systemctl restart postfix dovecot");
    assert.equal((await shown(false)).issuer, "mail.example.org", "it is self-signed");
    assert.match(
      await onHost("journalctl --sync; journalctl -q -o cat -u mailhost-certificate -n 20"),
      /gave none for mail\.example\.org yet .* tried again every 15 minutes/,
    );
  } finally {
    await onHost(
      "unbound-control -q local_zone_remove acme.example.net; unbound-control -q flush_zone example.net",
    );
  }
  // What its timer starts every 15 minutes.
  await onHost("systemctl start mailhost-certificate.service");
  await shown();
  await succeed(["check"]);
});
