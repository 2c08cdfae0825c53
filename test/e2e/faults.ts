/** Faults that `npm run check` has to see on a real host: how they are put in, taken out, and what it says. */
export interface Fault {
  readonly name: string;
  /** Commands for sh, as root. */
  readonly put: string;
  readonly mend: string;
  /** Each has to match a wrong line. */
  readonly seen: readonly RegExp[];
}

/** At once: a daemon that still has a client would take its time to say goodbye, here up to ninety seconds. */
function stopped(unit: string): string {
  const stopping = `systemctl is-active ${unit} | grep -qE 'deactivating|inactive|failed'`;
  return `systemctl stop --no-block ${unit}; until ${stopping}; do sleep 0.1; done; systemctl kill -s KILL ${unit}; systemctl stop ${unit}`;
}

function restarted(unit: string): string {
  return `{ ${stopped(unit)}; systemctl reset-failed ${unit}; systemctl start ${unit}; }`;
}

/** rspamd reads for seconds before it listens, and its unit is called started before that. */
const filterUp = "timeout 60 bash -c 'until 2>/dev/null >/dev/tcp/127.0.0.1/11332; do sleep 0.2; done'";

/** Postfix takes a change of main.cf at once; the deployed file is put back as it was, mode and owner too. */
function mainCf(...parameters: string[]): Pick<Fault, "put" | "mend"> {
  return {
    put: `cp -np /etc/postfix/main.cf /root/main.cf; postconf -e ${parameters.map((text) => `'${text}'`).join(" ")} && postfix reload`,
    mend: "[ ! -e /root/main.cf ] || mv /root/main.cf /etc/postfix/main.cf && postfix reload",
  };
}

const everyFault: readonly Fault[] = [
  {
    name: "VRFY is on",
    ...mainCf("disable_vrfy_command = no"),
    seen: [/^VRFY is on/, /^\/etc\/postfix\/main\.cf was changed by hand/],
  },
  {
    name: "HELO is not demanded",
    ...mainCf("smtpd_helo_required = no"),
    seen: [/^mail is taken without HELO/],
  },
  {
    name: "the name in the greeting is another",
    ...mainCf("smtpd_banner = localhost ESMTP"),
    seen: [/^the mail server calls itself localhost/],
  },
  {
    name: "TLS 1.1 is taken",
    ...mainCf(
      "smtpd_tls_protocols = >=TLSv1",
      "smtpd_tls_ciphers = medium",
      "tls_medium_cipherlist = ALL:@SECLEVEL=0",
    ),
    seen: [/^port 25 \(smtp\): accepts TLS 1\.1/],
  },
  {
    name: "the filter is down",
    put: stopped("rspamd"),
    mend: `systemctl reset-failed rspamd; systemctl start rspamd && ${filterUp}`,
    seen: [/^rspamd\.service is failed/, /spam is refused is unknown/, /was not taken/],
  },
  {
    name: "mail is not signed any more",
    put: `mv /etc/rspamd/local.d/dkim_signing.conf /root/ && ${restarted("rspamd")} && ${filterUp}`,
    mend: `mv /root/dkim_signing.conf /etc/rspamd/local.d/ && ${restarted("rspamd")} && ${filterUp}`,
    seen: [
      /^mail of example\.org is judged SPF pass, DKIM \S+ missing, DKIM \S+ missing, DMARC pass/,
      /^\/etc\/rspamd\/local\.d\/dkim_signing\.conf is gone/,
    ],
  },
  {
    name: "mail does not reach the mailboxes",
    put: `sed -i 's/^  lmtp = yes/  lmtp = no/' /etc/dovecot/dovecot.conf && ${restarted("dovecot")}`,
    mend: `sed -i 's/^  lmtp = no/  lmtp = yes/' /etc/dovecot/dovecot.conf && ${restarted("dovecot")} && postqueue -f`,
    seen: [/was taken, and has not come in/, /^\/etc\/dovecot\/dovecot\.conf was changed by hand/],
  },
  {
    name: "the firewall has a hole",
    put: "nft insert rule inet mailhost input tcp dport 4190 accept",
    mend: "systemctl restart nftables",
    seen: [/^the running firewall has "tcp dport 4190 accept"/],
  },
  {
    name: "something listens, and the firewall is off",
    put: "nft flush ruleset && systemd-run --unit=mailhost-test python3 -m http.server 8080",
    mend: "systemctl stop mailhost-test; systemctl restart nftables",
    seen: [/^the firewall is off/],
  },
  {
    name: "the certificate is not renewed",
    put: "systemctl disable --now mailhost-certificate.timer",
    mend: "systemctl enable --now mailhost-certificate.timer",
    seen: [/^mailhost-certificate\.timer is inactive/, /^the certificate's renewal is not on the clock/],
  },
  {
    name: "the key is another one than the records name",
    put: `mkdir /root/other && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=mail.example.org -addext subjectAltName=DNS:mail.example.org -keyout /root/other/privkey.pem -out /root/other/fullchain.pem 2>/dev/null && /usr/local/lib/mailhost/tls deploy /root/other`,
    mend: "rm -r /root/other; systemctl start mailhost-certificate",
    seen: [
      /^port 25 \(smtp\): its key is named by no TLSA record/,
      ...["25 \\(smtp", "465 \\(submissions", "587 \\(submission", "993 \\(imaps"].map(
        (port) => new RegExp(`^port ${port}\\): the certificate is self-signed`),
      ),
    ],
  },
  {
    name: "a unit has failed",
    put: "systemd-run --quiet --wait --unit=mailhost-test false || true",
    mend: "systemctl reset-failed mailhost-test",
    seen: [/^mailhost-test\.service has failed/],
  },
  {
    name: "a password opens every door",
    put: `cp -p /etc/dovecot/dovecot.conf /root/ && printf 'passdb any {\\n  driver = static\\n  fields {\\n    nopassword = yes\\n  }\\n}\\n' >>/etc/dovecot/dovecot.conf && ${restarted("dovecot")}`,
    mend: `mv /root/dovecot.conf /etc/dovecot/ && ${restarted("dovecot")}`,
    seen: [/^a mailbox opens with any password/],
  },
  {
    name: "anybody may send as anybody",
    put: "cp -p /etc/postfix/master.cf /root/ && sed -i '/login_mismatch/d' /etc/postfix/master.cf && postfix reload",
    mend: "mv /root/master.cf /etc/postfix/ && postfix reload",
    seen: [/may send with ann@example\.org as envelope sender/],
  },
];

/** Faults that are looked for in one run of the check, since none hides another. */
const together: readonly (readonly string[])[] = [
  ["VRFY is on", "HELO is not demanded", "the name in the greeting is another", "TLS 1.1 is taken"],
  [
    "the firewall has a hole",
    "the certificate is not renewed",
    "a unit has failed",
    "anybody may send as anybody",
  ],
];

/** One run of the check each. */
export const rounds: readonly (readonly Fault[])[] = [
  ...together.map((names) => everyFault.filter(({ name }) => names.includes(name))),
  ...everyFault.filter(({ name }) => !together.flat().includes(name)).map((fault) => [fault]),
];
