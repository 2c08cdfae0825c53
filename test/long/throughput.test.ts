/**
 * Mail that comes in, beside what Debian's own packages do on the same machine with the settings that they bring: Postfix,
 * rspamd as its milter, Dovecot's LMTP. The two take turns.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type MailHost, mailHost } from "../e2e/mail.ts";
import { onHost } from "../e2e/mailhost.ts";
import { eventually } from "../eventually.ts";
import { flood } from "./flood.ts";
import { ownCloud } from "./own-cloud.ts";

// Many short ones: how fast a shared machine is changes by a tenth from one minute to the next.
const rounds = 9;
const messages = 400;
let host: MailHost;

/** Beside each package's own files no more than what joins the three. */
const preparePlain = `set -eu
# On the same disk as our mail.
useradd --home-dir /srv/plain --create-home plain
mkdir -p /root/plain/postfix /root/plain/dovecot && cd /root/plain
cp /usr/share/postfix/main.cf.debian postfix/main.cf
cp /usr/share/postfix/master.cf.dist postfix/master.cf
cp -a /etc/postfix/dynamicmaps.cf* /etc/postfix/postfix-files* /etc/postfix/postfix-script /etc/postfix/post-install postfix/ 2>/dev/null || true
postconf -c /root/plain/postfix -e myhostname=mail.example.org inet_protocols=ipv4 alias_maps= alias_database= \\
    mailbox_size_limit=0 mailbox_transport=lmtp:unix:private/dovecot-lmtp smtpd_tls_security_level=may \\
    smtpd_tls_cert_file=/srv/tls/fullchain.pem smtpd_tls_key_file=/srv/tls/privkey.pem \\
    smtpd_milters=inet:127.0.0.1:11332 milter_default_action=accept
cp -r /usr/share/dovecot/dovecot.conf /usr/share/dovecot/conf.d dovecot/
# Debian's own are made when the package is first set up, unless they are there.
sed -i -e "s|/etc/dovecot/private/dovecot.pem|/srv/tls/fullchain.pem|" -e "s|/etc/dovecot/private/dovecot.key|/srv/tls/privkey.pem|" dovecot/conf.d/10-ssl.conf
cat >dovecot/local.conf <<'END'
mail_driver = maildir
mail_path = ~/Maildir
mail_inbox_path =
ssl_server_cert_file = /srv/tls/fullchain.pem
ssl_server_key_file = /srv/tls/privkey.pem
auth_username_format = %{user | username | lower}
service lmtp {
  unix_listener /var/spool/postfix/private/dovecot-lmtp {
    mode = 0600
    user = postfix
    group = postfix
  }
}
END`;

const ours = [
  ...["postfix", "dovecot", "rspamd"].map((daemon) => `/etc/systemd/system/${daemon}.service.d`),
  ...["local.d", "override.d", "lua.local.d"].map((part) => `/etc/rspamd/${part}`),
];
const toPlain = `systemctl stop postfix dovecot rspamd
for each in postfix dovecot; do mount --bind /root/plain/$each /etc/$each; done
for each in ${ours.join(" ")}; do [ ! -d $each ] || mount -t tmpfs -o mode=755 none $each; done
systemctl daemon-reload && systemctl start rspamd dovecot postfix`;
const toOurs = `systemctl stop postfix dovecot rspamd
for each in postfix dovecot; do umount /etc/$each; done
for each in ${ours.join(" ")}; do [ ! -d $each ] || umount $each; done
systemctl daemon-reload && systemctl start rspamd dovecot postfix`;

// Whom nobody knows would be asked to come again in five minutes, which Debian's rspamd does not do by itself; and the address
// that this comes from has no name, with which our host would file all of it as spam.
const spam = { greylist: 0, scores: { RDNS_NONE: 0, HFILTER_HOSTNAME_UNKNOWN: 0 } };
ownCloud(
  (stack) => stack.setIn(["config", "mailhost:spam"], stack.createNode(spam)),
  async () => {
    host = await mailHost();
    await onHost(preparePlain);
  },
);

/** Messages a second, until the last one lies in the mailbox; daemons that have just started are warm by then. */
async function rate(to: string, user: string, subject: string): Promise<number> {
  await come(to, user, `warm ${subject}`, 300);
  const began = performance.now();
  await come(to, user, subject, messages);
  return messages / ((performance.now() - began) / 1000);
}

/** Sends them all, and waits until they lie in the mailbox. */
async function come(to: string, user: string, subject: string, messages: number): Promise<void> {
  const held = async () =>
    Number(/\d+/.exec(await onHost(`doveadm -f flow mailbox status -t -u ${user} messages '*'`))?.[0] ?? 0);
  const before = await held();
  await flood(host, { from: "zoe@deb.debian.org", to, subject, messages });
  await eventually("all are there", 120, async () => (await held()) === before + messages).catch(
    async (error: Error) => {
      const said = await onHost(
        "postqueue -p | tail -n 3; journalctl -q -o cat -u postfix -u dovecot -u rspamd -n 20",
      );
      throw new Error(`${subject}: ${error.message}\n${said}`);
    },
  );
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

test("mail comes in at least as fast as with Debian's own settings", { timeout: 1_800_000 }, async (t) => {
  const [mine, plain]: [number[], number[]] = [[], []];
  for (let round = 1; round <= rounds; round += 1) {
    mine.push(await rate("bob@example.org", "bob@example.org", `ours ${round}`));
    await onHost(toPlain);
    try {
      plain.push(await rate("plain@mail.example.org", "plain", `plain ${round}`));
    } finally {
      await onHost(toOurs);
    }
    t.diagnostic(`ours ${mine.at(-1)?.toFixed(0)}, Debian's ${plain.at(-1)?.toFixed(0)} messages a second`);
  }
  assert.ok(median(mine) >= median(plain), `${median(mine).toFixed(0)} < ${median(plain).toFixed(0)}`);
});
