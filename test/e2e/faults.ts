/**
 * Faults that `npm run check` has to see on a real host and its domains: how they are put in, taken out, and all that it
 * says of them. What only a unit test can put in (too many files on a disk, a clock that is off, a delegation that differs)
 * is in test/check/.
 */
import type { RecordType } from "dns-packet";
import type { Item } from "../../check/host.ts";
import { tls } from "../../check/items/tls.ts";
import { ask, reverseName } from "../../dns/client.ts";
import { rdataText } from "../../local/world/rdata.ts";
import { authority, type ServerCertificate } from "../check/fixtures.ts";
import { cloudInfo, onHost, publishAs, stackOutput } from "./mailhost.ts";
import { port25 } from "./sending.ts";

/** Commands for sh, as root on the host; or anything else. */
export type Step = string | (() => Promise<unknown>);

export interface Fault {
  readonly name: string;
  readonly put: Step;
  readonly mend: Step;
  /** All wrong lines that it brings, but for those that the check itself calls consequences: each matches one at least. */
  readonly seen: readonly RegExp[];
}

/** Faults that one look at the host finds: none of them hides another. */
export interface Round {
  readonly faults: readonly Fault[];
  /** @default everything */
  readonly items?: readonly Item[];
  /** Seconds that a message may take, where all are lost anyhow. @default the check's own */
  readonly patience?: number;
  /** Lets the host take note, when all are put in and when all are mended. @default nothing */
  readonly settle?: string;
}

/** Does these, those on the host in one login as far as they follow one another. */
export async function doAll(steps: readonly Step[]): Promise<void> {
  let commands: string[] = [];
  const flush = async () => {
    if (commands.length > 0) await onHost(commands.join("\n"));
    commands = [];
  };
  for (const step of steps) {
    if (typeof step === "string") {
      commands.push(step);
      continue;
    }
    await flush();
    await step();
  }
  await flush();
}

/** At once: a daemon that still has a client would take its time to say goodbye, here up to ninety seconds. */
function stopped(unit: string): string {
  const stopping = `systemctl is-active ${unit} | grep -qE 'deactivating|inactive|failed'`;
  return `systemctl stop --no-block ${unit}; until ${stopping}; do sleep 0.1; done; systemctl kill -s KILL ${unit}; systemctl stop ${unit}`;
}

function started(unit: string): string {
  return `systemctl reset-failed ${unit}; systemctl start ${unit}`;
}

function restarted(unit: string): string {
  return `{ ${stopped(unit)}; ${started(unit)}; }`;
}

/** rspamd reads for seconds before it listens, and its unit is called started before that. */
const filterUp = "timeout 60 bash -c 'until 2>/dev/null >/dev/tcp/127.0.0.1/11332; do sleep 0.2; done'";

function daemonDown(unit: string, mend = started(unit)): Fault {
  return {
    name: `${unit} is down`,
    put: stopped(unit),
    mend,
    seen: [new RegExp(`^${unit.replaceAll(".", "\\.")} is (failed|inactive)`)],
  };
}

/** The deployed file is put back as it was, mode and owner too. Postfix takes it with `postfix reload`. */
function ofPostfix(file: "main.cf" | "master.cf", change: string): Pick<Fault, "put" | "mend"> {
  return {
    put: `cp -np /etc/postfix/${file} /root/${file}; ${change}`,
    mend: `[ ! -e /root/${file} ] || mv /root/${file} /etc/postfix/${file}`,
  };
}

function mainCf(...parameters: string[]): Pick<Fault, "put" | "mend"> {
  return ofPostfix("main.cf", `postconf -e ${parameters.map((text) => `'${text}'`).join(" ")}`);
}

/** @param edit for sed, in the lines of this service alone */
function masterCf(service: string, edit: string): Pick<Fault, "put" | "mend"> {
  return ofPostfix("master.cf", `sed -i '/^${service} /,/^$/ { ${edit} }' /etc/postfix/master.cf`);
}

const mainCfChanged = /^\/etc\/postfix\/main\.cf was changed by hand/;
const masterCfChanged = /^\/etc\/postfix\/master\.cf was changed by hand/;

/** A record that is served otherwise than planned, or not at all. */
function record(
  type: RecordType,
  nameOf: string | (() => Promise<string>),
  ...rdata: readonly string[]
): Pick<Fault, "put" | "mend"> {
  let name = "";
  let before: readonly string[] = [];
  return {
    async put() {
      name = typeof nameOf === "string" ? nameOf : await nameOf();
      before = (await ask(cloudInfo().resolver, name, type)).answers.map(rdataText);
      await publishAs(type, name, ...rdata);
    },
    mend: () => publishAs(type, name, ...before),
  };
}

/** A record of a domain's, in zone-file text, and what each of its nameservers is said to have in its place. */
function wrongRecord(
  what: string,
  type: RecordType,
  name: string,
  rdata: readonly string[],
  says: string,
  ...more: readonly RegExp[]
): Fault {
  const zone = /example\.\w+$/.exec(name)?.[0];
  return {
    name: what,
    ...record(type, name, ...rdata),
    seen: [
      new RegExp(`^${zone}: ${type} ${name} ${says}`.replaceAll(".", "\\.").replaceAll("*", ".*")),
      ...more,
    ],
  };
}

async function publicIp(): Promise<string> {
  return String((await stackOutput()).publicIp);
}

/** The host's address as a blocklist has it. */
async function listedAs(zone: string): Promise<string> {
  return `${reverseName(await publicIp()).replace(".in-addr.arpa", "")}.${zone}`;
}

/** Authority of the certificates that are put in: the check trusts it, so that nothing else is wrong with them. */
export const trustedAuthority = authority();

/** The host shows another certificate. */
function certificate(name: string, make: () => ServerCertificate, says: string): Fault {
  return {
    name,
    put: async () => {
      const { key, cert } = make();
      await onHost("mkdir -p /root/other && cat >/root/other/privkey.pem", key);
      await onHost("cat >/root/other/fullchain.pem && /usr/local/lib/mailhost/tls deploy /root/other", cert);
    },
    mend: () => onHost("rm -r /root/other; systemctl start mailhost-certificate"),
    seen: everyPort(says),
  };
}

function everyPort(says: string): RegExp[] {
  return ["25 (smtp", "465 (submissions", "587 (submission", "993 (imaps"].map(
    (port) => new RegExp(`^port ${port.replace("(", "\\(")}\\): ${says}`),
  );
}

const keyNotNamed = /^port 25 \(smtp\): its key is named by no TLSA record/;

const settingsOfPostfix: readonly Fault[] = [
  { name: "VRFY is on", ...mainCf("disable_vrfy_command = no"), seen: [/^VRFY is on/, mainCfChanged] },
  {
    name: "HELO is not demanded",
    ...mainCf("smtpd_helo_required = no"),
    seen: [/^mail is taken without HELO/, mainCfChanged],
  },
  {
    name: "the name in the greeting is another",
    ...mainCf("smtpd_banner = localhost ESMTP"),
    seen: [/^the mail server calls itself localhost/, mainCfChanged],
  },
  {
    name: "TLS 1.1 is taken",
    ...mainCf(
      "smtpd_tls_protocols = >=TLSv1",
      "smtpd_tls_ciphers = medium",
      "tls_medium_cipherlist = ALL:@SECLEVEL=0",
    ),
    seen: [/^port 25 \(smtp\): accepts TLS 1\.1/, mainCfChanged],
  },
  {
    name: "mail leaves unencrypted",
    ...mainCf("smtp_tls_security_level = none"),
    seen: [/^mail of example\.(org|com) reached example\.net unencrypted/, mainCfChanged],
  },
  {
    name: "a mailbox is refused",
    ...mainCf("smtpd_recipient_restrictions = check_recipient_access inline:{bob@example.org=REJECT}"),
    seen: [/^mail for bob@example\.org is refused: "554/, mainCfChanged],
  },
  {
    name: "port 25 lets people log in",
    ...masterCf("smtp", "s/smtpd_sasl_auth_enable=no/smtpd_sasl_auth_enable=yes/"),
    seen: [/^port 25 offers a login/, masterCfChanged],
  },
  {
    name: "an open relay",
    ...masterCf("smtp", "s/reject_unauth_destination/permit_mynetworks,&\\n  -o mynetworks=0.0.0.0\\/0/"),
    seen: [
      /^a stranger may send to \S*someone@example\.net.* through the host \(open relay\)/,
      masterCfChanged,
    ],
  },
  {
    name: "what comes in goes past the filter",
    ...masterCf("smtp", "s/^  -o smtpd_client_connection/  -o smtpd_milters=\\n&/"),
    seen: [
      /^the spam test message \(GTUBE\) is answered "250/,
      /^a stranger's mail with From: carol@example\.com reaches the inbox/,
      /^mail to example\.(org|com) is not seen to pass spf, dkim, dmarc/,
      masterCfChanged,
    ],
  },
  {
    name: "port 587 takes mail of whoever comes",
    ...masterCf(
      "submission",
      "s/permit_sasl_authenticated,reject/permit_mynetworks,reject\\n  -o mynetworks=0.0.0.0\\/0/",
    ),
    seen: [/^port 587 takes mail without a login/, masterCfChanged],
  },
  {
    name: "anybody may send as anybody",
    ...masterCf("submissions", "/login_mismatch/d"),
    seen: [
      /^carol@example\.com may send with ann@example\.org as envelope sender/,
      /^carol@example\.com may send with someone@example\.net as envelope sender/,
      masterCfChanged,
    ],
  },
];

/** Left by apt's daily service when unattended-upgrade(8) has gone well. */
const updatesStamp = "/var/lib/apt/periodic/unattended-upgrades-stamp";

const ofTheMachine: readonly Fault[] = [
  {
    name: "the firewall has a hole",
    put: "nft insert rule inet mailhost input tcp dport 4190 accept",
    mend: "systemctl restart nftables",
    seen: [/^the running firewall has "tcp dport 4190 accept"/],
  },
  {
    name: "the certificate is not renewed",
    put: "systemctl disable --now mailhost-certificate.timer",
    mend: "systemctl enable --now mailhost-certificate.timer",
    seen: [/^mailhost-certificate\.timer is inactive/, /^the certificate's renewal is not on the clock/],
  },
  {
    name: "a unit has failed",
    put: "systemd-run --quiet --wait --unit=mailhost-test false || true",
    mend: "systemctl reset-failed mailhost-test",
    seen: [/^mailhost-test\.service has failed/],
  },
  {
    name: "a daemon is not started at boot",
    put: "systemctl -q disable rspamd",
    mend: "systemctl -q enable rspamd",
    seen: [/^rspamd\.service runs, but is not started at boot/],
  },
  {
    name: "the data volume is nearly full",
    put: `fallocate -l "$(df --output=size -B 1 /srv | awk 'NR == 2 { printf "%d", $1 * 0.86 }')" /srv/ballast`,
    mend: "rm /srv/ballast",
    seen: [/^\/srv is (8[5-9]|9\d) % full/],
  },
  {
    name: "an update waits for a reboot",
    // As the kernel's package leaves it behind (/etc/kernel/postinst.d/unattended-upgrades).
    put: "touch -d '8 days ago' /run/reboot-required; echo linux-image-6.12.0-1-cloud-amd64 >/run/reboot-required.pkgs",
    mend: "rm /run/reboot-required /run/reboot-required.pkgs",
    seen: [/^an update has waited for a reboot for 8 days \(linux-image-6\.12\.0-1-cloud-amd64\)/],
  },
  {
    name: "security updates come no more",
    put: `[ ! -e ${updatesStamp} ] || cp -p ${updatesStamp} /root/stamp; touch -d '6 days ago' ${updatesStamp}`,
    mend: `rm ${updatesStamp}; [ ! -e /root/stamp ] || mv /root/stamp ${updatesStamp}`,
    seen: [/^no security update has come in for 6 days/],
  },
  {
    name: "a deployed file is gone",
    put: "mv /etc/redis/redis.conf /root/",
    mend: "mv /root/redis.conf /etc/redis/",
    seen: [/^\/etc\/redis\/redis\.conf is gone/],
  },
  {
    name: "everybody may read a secret",
    put: "chmod 0644 /etc/dovecot/users",
    mend: "chmod 0640 /etc/dovecot/users",
    seen: [/^\/etc\/dovecot\/users belongs to \S+ with mode 0644, not \S+ with 0640/],
  },
  {
    name: "mail is stuck in the queue",
    // There nobody listens on port 25.
    put: "seq 51 | xargs -P 8 -I '{}' sh -c 'echo x | sendmail -f ann@example.org n{}@acme.example.net'",
    mend: `postqueue -j | grep @acme.example.net | sed 's/.*"queue_id": "\\([^"]*\\)".*/\\1/' | postsuper -d -`,
    seen: [/^messages that wait in the queue: 5\d/],
  },
  {
    name: "the address is on a blocklist",
    ...record("A", () => listedAs("zen.spamhaus.org"), "127.0.0.4"),
    seen: [/^198\.18\.\S+ is on the blocklist zen\.spamhaus\.org \(127\.0\.0\.4\)/],
  },
  {
    name: "a domain is on a blocklist",
    ...record("A", "example.com.dbl.spamhaus.org", "127.0.1.2"),
    seen: [/^example\.com is on the blocklist dbl\.spamhaus\.org \(127\.0\.1\.2\)/],
  },
];

/** The signatures or records of example.com's mail, which one line judges together. */
const comJudged = /^mail of example\.com is judged /;

const ofTheNames: readonly Fault[] = [
  wrongRecord(
    "two SPF records",
    "TXT",
    "example.com",
    ['"v=spf1 mx -all"', '"v=spf1 a -all"'],
    'has "v=spf1 a -all" beside "v=spf1 mx -all"',
    comJudged,
  ),
  wrongRecord(
    "a DKIM key is revoked, and signs",
    "TXT",
    "20261121r._domainkey.example.com",
    ['"v=DKIM1; k=rsa; p="'],
    "says that the key is revoked",
    comJudged,
  ),
  wrongRecord(
    "a DKIM record of another key",
    "TXT",
    "20261121e._domainkey.example.com",
    ['"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="'],
    'is "*11qYAYKx*", not "',
    comJudged,
  ),
  wrongRecord(
    "a DMARC policy is stale",
    "TXT",
    "_dmarc.example.org",
    ['"v=DMARC1; p=none"'],
    'is "v=DMARC1; p=none", not "v=DMARC1;*',
  ),
  wrongRecord(
    "mail is asked for at another host",
    "MX",
    "example.com",
    ["10 nowhere.example.net."],
    'is "10 nowhere.example.net", not "10 mail.example.org"',
  ),
  wrongRecord("MTA-STS is not announced", "TXT", "_mta-sts.example.org", [], "is missing"),
  wrongRecord("no reports on TLS are asked for", "TXT", "_smtp._tls.example.org", [], "is missing"),
  wrongRecord(
    "mail programs are told another port",
    "SRV",
    "_imaps._tcp.example.org",
    ["0 1 143 mail.example.org."],
    'is "0 1 143 mail.example.org", not "0 1 993 mail.example.org"',
  ),
  wrongRecord(
    "a TLSA record that fits no key",
    "TLSA",
    "_25._tcp.mail.example.org",
    [`3 1 1 ${"0".repeat(64)}`],
    'is "3 1 1 00000*", not "3 1 1 *',
  ),
  wrongRecord(
    "the certificate's authority is forbidden",
    "CAA",
    "mail.example.org",
    ['0 issue ";"', '0 issuewild ";"'],
    'is "0 issue ";"", not "0 issue "acme*',
  ),
  {
    name: "mail programs do not find their settings",
    ...record("A", "autoconfig.example.com"),
    seen: [/^https:\/\/autoconfig\.example\.com\/\S* is not to be found: its name has no address/],
  },
  {
    name: "the policy for other servers is not to be found",
    ...record("A", "mta-sts.example.com"),
    seen: [/^https:\/\/mta-sts\.example\.com\/\S+ is not to be found: its name has no address/],
  },
  {
    name: "the address has no name",
    ...record("PTR", async () => reverseName(await publicIp())),
    seen: [
      /^198\.18\.\S+ is without a name \(PTR\), not mail\.example\.org/,
      /^example\.net sees mail of example\.(org|com) come from .*, PTR none, not from/,
    ],
  },
  {
    name: "a port of the plan is closed",
    put: "nft insert rule inet mailhost input tcp dport 587 reject with tcp reset",
    mend: "systemctl restart nftables",
    seen: [
      /^port 587 \(submission\) refuses connections/,
      /^the running firewall has "tcp dport 587 reject with tcp reset"/,
    ],
  },
];

const moreOfTheNames: readonly Fault[] = [
  wrongRecord(
    "SPF takes too many look-ups",
    "TXT",
    "example.org",
    [`"v=spf1 mx ${Array.from({ length: 10 }, (_, n) => `a:n${n}.example.net`).join(" ")} -all"`],
    'is "v=spf1 mx a:n0*", not "v=spf1 mx -all"',
    /^the SPF record of example\.org takes 11 look-ups/,
  ),
  wrongRecord(
    "SPF names another host",
    "TXT",
    "example.com",
    ['"v=spf1 ip4:192.0.2.1 -all"'],
    'is "v=spf1 ip4:192.0.2.1 -all", not "v=spf1 mx -all"',
    /^mail of example\.com is judged SPF fail/,
  ),
  wrongRecord("the host's name has no SPF record", "TXT", "mail.example.org", [], "is missing"),
  wrongRecord(
    "a DKIM record is missing",
    "TXT",
    "20261121r._domainkey.example.org",
    [],
    "is missing",
    /^mail of example\.org is judged SPF pass, DKIM 20261121r neutral/,
  ),
  wrongRecord("DMARC is missing", "TXT", "_dmarc.example.org", [], "is missing"),
  {
    name: "the address is called otherwise",
    ...record("PTR", async () => reverseName(await publicIp()), "ec2.example.net."),
    seen: [
      /^198\.18\.\S+ is called ec2\.example\.net \(PTR\), not mail\.example\.org/,
      /^example\.net sees mail of example\.(org|com) come from .*, PTR ec2\.example\.net, not from/,
    ],
  },
  {
    name: "the registrar has no DS record",
    ...record("DS", "example.com"),
    seen: [/^example\.com: not validated by DNSSEC/],
  },
];

const brokenNames: readonly Fault[] = [
  {
    name: "the registrar has the DS record of another key",
    ...record("DS", "example.com", `1 13 2 ${"0".repeat(64)}`),
    seen: [
      /^example\.com: the resolver refuses .* signatures or delegation are broken; the DS record at the registry is 1 13 2 0/,
    ],
  },
  {
    name: "the host's name leads elsewhere",
    put: async () => publishAs("A", "mail.example.org", await publicAddressOf("acme.example.net")),
    mend: async () => publishAs("A", "mail.example.org", await publicIp()),
    seen: [
      /^example\.org: A mail\.example\.org is "198\.18\.\S+", not "198\.18\./,
      /^mail of example\.org is judged SPF fail/,
    ],
  },
];

async function publicAddressOf(name: string): Promise<string> {
  return (await ask(cloudInfo().resolver, name, "A")).answers.map(rdataText).join();
}

const ofTheMail: readonly Fault[] = [
  {
    name: "mail is not signed any more",
    put: `mv /etc/rspamd/local.d/dkim_signing.conf /root/ && ${restarted("rspamd")} && ${filterUp}`,
    mend: `mv /root/dkim_signing.conf /etc/rspamd/local.d/ && ${restarted("rspamd")} && ${filterUp}`,
    seen: [
      /^mail of example\.(org|com) is judged SPF pass, DKIM \S+ missing, DKIM \S+ missing, DMARC pass/,
      /^\/etc\/rspamd\/local\.d\/dkim_signing\.conf is gone/,
    ],
  },
  {
    name: "a password opens every door",
    // Before the list that lets nobody further whose password was wrong.
    put: `cp -p /etc/dovecot/dovecot.conf /root/ && sed -i 's/^passdb known {/passdb any {\\n  driver = static\\n  fields {\\n    nopassword = yes\\n  }\\n}\\n&/' /etc/dovecot/dovecot.conf && ${restarted("dovecot")}`,
    mend: `mv /root/dovecot.conf /etc/dovecot/ && ${restarted("dovecot")}`,
    seen: [/^a mailbox opens with any password/, /^\/etc\/dovecot\/dovecot\.conf was changed by hand/],
  },
];

const lostMail: readonly Fault[] = [
  {
    name: "mail does not reach the mailboxes",
    put: `sed -i 's/^  lmtp = yes/  lmtp = no/' /etc/dovecot/dovecot.conf && ${restarted("dovecot")}`,
    // What waits goes first, so that nothing of it comes in later.
    mend: `postsuper -d ALL; sed -i 's/^  lmtp = no/  lmtp = yes/' /etc/dovecot/dovecot.conf && ${restarted("dovecot")}`,
    seen: [
      /^a message from example\.net to \S+ was taken, and has not come in/,
      /^\/etc\/dovecot\/dovecot\.conf was changed by hand/,
    ],
  },
  {
    name: "outgoing port 25 is blocked",
    put: () => port25(true),
    mend: () => port25(false),
    seen: [/^a message from \S+ has not reached example\.net in 6 seconds/],
  },
];

/** The host's resolver keeps nothing of the time before; also not that a key was no good. */
const namesAnew =
  "for zone in example.org example.com spamhaus.org; do unbound-control -q flush_zone $zone; done";

/** Each round costs a look at the whole host. */
export const rounds: readonly Round[] = [
  { faults: settingsOfPostfix, settle: "postfix reload" },
  { faults: ofTheMachine, settle: namesAnew },
  { faults: ofTheNames, settle: namesAnew },
  { faults: moreOfTheNames, settle: namesAnew },
  { faults: brokenNames, settle: namesAnew },
  { faults: ofTheMail },
  { faults: lostMail, patience: 6 },
  {
    faults: [
      {
        name: "something listens, and the firewall is off",
        put: "nft flush ruleset && systemd-run --unit=mailhost-test python3 -m http.server 8080",
        mend: "systemctl stop mailhost-test; systemctl restart nftables",
        seen: [/^the firewall is off/],
      },
    ],
  },
  {
    faults: [
      {
        name: "the certificate is self-signed, and its key another one than the records name",
        put: `mkdir /root/other && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=mail.example.org -addext subjectAltName=DNS:mail.example.org -keyout /root/other/privkey.pem -out /root/other/fullchain.pem 2>/dev/null && /usr/local/lib/mailhost/tls deploy /root/other`,
        mend: "rm -r /root/other; systemctl start mailhost-certificate",
        seen: [keyNotNamed, ...everyPort("the certificate is self-signed")],
      },
    ],
  },
  { faults: [daemonDown("rspamd.service", `${started("rspamd")} && ${filterUp}`)] },
  // Looks at TLS alone come after it: rspamd asks Redis again only some seconds after it was away.
  {
    faults: ["postfix", "dovecot", "redis-server", "unbound", "mailhost-bans"].map((unit) =>
      daemonDown(`${unit}.service`),
    ),
  },
  ...[
    certificate(
      "the certificate has expired",
      () => trustedAuthority.issue("mail.example.org", { past: 90, future: -1 }),
      "the certificate has expired",
    ),
    certificate(
      "the certificate soon expires",
      () => trustedAuthority.issue("mail.example.org", { past: 80, future: 10.5 }),
      "the certificate has only 10 days left",
    ),
    certificate(
      "the certificate is for another name",
      () => trustedAuthority.issue("www.example.org"),
      "the certificate is not for mail\\.example\\.org",
    ),
  ].map((fault) => ({ faults: [{ ...fault, seen: [keyNotNamed, ...fault.seen] }], items: [tls] })),
  {
    faults: [
      {
        name: "the certificate comes without its intermediate one",
        put: "mkdir /root/other && cp -L /srv/tls/privkey.pem /root/other && sed '/END CERTIFICATE/q' /srv/tls/fullchain.pem >/root/other/fullchain.pem && /usr/local/lib/mailhost/tls deploy /root/other",
        mend: "rm -r /root/other; systemctl start mailhost-certificate",
        seen: everyPort("the certificate comes without its intermediate one"),
      },
    ],
    items: [tls],
  },
];
