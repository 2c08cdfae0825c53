/**
 * Ten years of the host's key and certificate in some minutes, under mail that never stops: a sender that delivers by DANE
 * alone and one that obeys MTA-STS, both Postfix as Debian has it, are not put off once.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cloudInfo, onHost } from "../e2e/mailhost.ts";
import { pairs, states, upLater } from "../e2e/turns.ts";
import { eventually } from "../eventually.ts";
import { ownCloud } from "./own-cloud.ts";

const turns = 10;
const tlsa = "_25._tcp.mail.example.org";

/** How each decides about TLS: by the receiver's signed records alone, or by what the policy daemon tells it. */
const senders = {
  "postfix-dane": { port: 2601, policy: "smtp_tls_security_level=dane-only" },
  "postfix-sts": {
    port: 2602,
    policy: "smtp_tls_security_level=may smtp_tls_policy_maps=socketmap:inet:127.0.0.1:8461:postfix",
  },
} as const;
type Sender = keyof typeof senders;
const names = Object.keys(senders) as Sender[];

/** An instance beside the host's own, with its own queue, that takes mail on a port of the loopback interface. */
const instance = (name: Sender) => `set -eu
mkdir -p /root/${name} /var/spool/${name} /var/lib/${name} && chown postfix /var/lib/${name}
cp /usr/share/postfix/main.cf.debian /root/${name}/main.cf
cp /usr/share/postfix/master.cf.dist /root/${name}/master.cf
cp -a /etc/postfix/dynamicmaps.cf* /etc/postfix/postfix-files* /etc/postfix/postfix-script /etc/postfix/post-install /root/${name}/ 2>/dev/null || true
postconf -c /root/${name} -e queue_directory=/var/spool/${name} data_directory=/var/lib/${name} syslog_name=${name} \\
    myhostname=deb.debian.org inet_interfaces=loopback-only inet_protocols=ipv4 alias_maps= alias_database= mydestination= \\
    smtp_dns_support_level=dnssec smtp_tls_CAfile=/root/world.pem smtp_tls_loglevel=1 smtp_tls_session_cache_database= \\
    ${senders[name].policy}
postconf -c /root/${name} -F '*/*/chroot = n'
postconf -c /root/${name} -MX smtp/inet
postconf -c /root/${name} -Me '127.0.0.1:${senders[name].port}/inet=127.0.0.1:${senders[name].port} inet n - n - - smtpd'
systemd-run --quiet --unit=${name} --service-type=forking postfix -c /root/${name} start`;

/** One message a second to each, until it is told to stop. */
const stream = `import os, smtplib, time
number = 0
while not os.path.exists("/run/enough"):
    number += 1
    for port in (${names.map((name) => senders[name].port).join(", ")}):
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            smtp.sendmail("zoe@deb.debian.org", ["bob@example.org"], f"From: zoe@deb.debian.org\\nTo: bob@example.org\\nSubject: stream {number}\\n\\nWords.\\n")
    time.sleep(1)
print("sent", number)
`;

ownCloud(
  (stack) => {
    stack.setIn(["config", "mailhost:mtaSts"], "enforce");
    // Who comes for the first time is asked to come again, which is no matter of TLS.
    stack.setIn(["config", "mailhost:spam"], stack.createNode({ greylist: 0 }));
  },
  async () => {
    await onHost(
      "apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends postfix-mta-sts-resolver",
    );
    await onHost(
      "cat >/root/world.pem && install -m 644 /root/world.pem /run/world.pem",
      cloudInfo().issuerCa,
    );
    await onHost(
      `systemctl edit --stdin postfix-mta-sts-resolver.service <<'END'
[Service]
Environment=SSL_CERT_FILE=/run/world.pem
END
systemctl restart postfix-mta-sts-resolver.service`,
    );
    for (const name of names) await onHost(instance(name));
  },
);

/** How often it said of a delivery, so far, that it was sent or was not. */
async function log(name: Sender): Promise<{ sent: number; verified: number; refused: readonly string[] }> {
  const lines = (await onHost(`journalctl --sync; journalctl -q -o cat -t ${name}/smtp`)).split("\n");
  return {
    sent: lines.filter((line) => line.includes("status=sent")).length,
    verified: lines.filter((line) => line.startsWith("Verified TLS connection established")).length,
    refused: lines.filter((line) => /status=(?!sent)/.test(line)),
  };
}

/**
 * Days go by: what the senders were told is forgotten, by their resolver and by their processes. The stream asks again at once,
 * and what it is told then it still goes by when the run of that day changes keys.
 */
const daysGoBy = () =>
  onHost(
    `unbound-control -q flush_zone example.org; for each in ${names.join(" ")}; do postfix -c /root/$each reload; done 2>/dev/null`,
  );

test("ten keys and certificates, one after the other: nobody is turned away", {
  timeout: 1_800_000,
}, async (t) => {
  await onHost("cat >/root/stream.py", stream);
  await onHost(
    "systemd-run --quiet --unit=stream --property=StandardOutput=file:/run/streamed python3 /root/stream.py",
  );
  const used = new Set<string>();
  // By the second look at the next key it may be used.
  await upLater(1);
  for (let turn = 1; turn <= turns; turn += 1) {
    const day = 366 * turn;
    await daysGoBy();
    await upLater(day);
    const now = await pairs(tlsa);
    assert.deepEqual(states(now), ["retired", "signing", "published"], `turn ${turn}`);
    used.add(now.find(({ state }) => state === "signing")?.generation ?? "");
    await daysGoBy();
    await upLater(day + 8);
    await daysGoBy();
    await upLater(day + 9);
    for (const name of names) assert.deepEqual((await log(name)).refused, [], `${name}, turn ${turn}`);
  }
  assert.equal(used.size, turns);

  await onHost("touch /run/enough");
  const sent = await eventually("the stream ends", 20, async () => {
    const count = Number(/^sent (\d+)$/m.exec(await onHost("cat /run/streamed"))?.[1]);
    return count > 0 && count;
  });
  for (const name of names) {
    await eventually(`all of ${name} came`, 60, async () => (await log(name)).sent === sent);
    const { verified, refused } = await log(name);
    assert.deepEqual({ verified, refused }, { verified: sent, refused: [] }, name);
  }
  t.diagnostic(`${sent} messages from each`);
});

test("with a key that nobody vouches for both keep their mail", async () => {
  await onHost(
    `mkdir /root/other && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=mail.example.org \\
       -keyout /root/other/privkey.pem -out /root/other/fullchain.pem 2>/dev/null
     /usr/local/lib/mailhost/tls deploy /root/other`,
  );
  const sentBefore = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await log(name)).sent] as const)),
  );
  await onHost("rm /run/enough; systemd-run --quiet --unit=stream-2 python3 /root/stream.py");
  for (const name of names) {
    await eventually(`${name} keeps it`, 30, async () => (await log(name)).refused.length > 0);
    const { sent, refused } = await log(name);
    assert.equal(sent, sentBefore[name], name);
    assert.ok(
      refused.every((line) => line.includes("status=deferred")),
      refused.join("\n"),
    );
  }
  await onHost("touch /run/enough");
});
