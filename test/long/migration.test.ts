/**
 * docs/migration.md between two servers: an old host, which is a plain Dovecot with names, separators and storage of its own in a
 * network of its own, and the new one. Mail comes to both while the domain moves; in the end the new one has each message once,
 * with its date, flags and keywords.
 */
import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { authority } from "../check/fixtures.ts";
import { cloudflare, zoneId } from "../e2e/cloudflare.ts";
import { mailHost, otherSide, received, submit, unique } from "../e2e/mail.ts";
import { askAnew, checkout, mailhost, onHost, succeed, up, withoutUpdates } from "../e2e/mailhost.ts";
import { eventually } from "../eventually.ts";
import { ownCloud } from "./own-cloud.ts";
import { typedPage } from "./typed.ts";

const carol = "carol@example.com";
const old = {
  address: "10.77.0.2",
  name: "imap.old.example",
  login: "carol@old.example",
  password: "her old password",
};
const page = typedPage("docs/migration.md", (text) =>
  text.replaceAll("~/accounts", join(checkout, "accounts")),
);

/** Neither the new host's separator nor its storage, and its folders have names of its own. */
const config = `dovecot_config_version = 2.4.1
dovecot_storage_version = 2.4.1
base_dir = /run/old-dovecot
state_dir = /var/lib/old/state
log_path = /var/lib/old/log
protocols {
  imap = yes
}
mail_driver = sdbox
mail_path = /var/lib/old/mail/%{user}
mail_uid = vmail
mail_gid = vmail
namespace inbox {
  inbox = yes
  separator = .
}
passdb old {
  driver = passwd-file
  passwd_file_path = /var/lib/old/users
}
userdb old {
  driver = static
  fields {
    home = /var/lib/old/mail/%{user}
  }
}
ssl = required
ssl_server_cert_file = /var/lib/old/cert.pem
ssl_server_key_file = /var/lib/old/key.pem
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = 993
    ssl = yes
  }
}
`;

/** Appends to a mailbox over IMAP, or says all that is in one, as JSON. */
const program = `import imaplib, json, re, ssl, sys
job = json.load(sys.stdin)
there = imaplib.IMAP4_SSL(job["host"], 993, ssl_context=ssl._create_unverified_context())
there.login(job["login"], job["password"])
for folder, message, flags, date in job.get("append", []):
    there.create(folder)
    said = there.append(folder, flags, '"%s"' % date, message.replace("\\n", "\\r\\n").encode())
    assert said[0] == "OK", said
for folder, subject, flags in job.get("flag", []):
    there.select(folder)
    found = there.search(None, "SUBJECT", '"%s"' % subject)[1][0].split()[0]
    there.store(found, "+FLAGS", flags)
found = []
for line in there.list()[1]:
    folder = re.search(r'\\) (?:"[^"]*"|NIL) "?(.*?)"?$', line.decode()).group(1)
    if there.select('"%s"' % folder, readonly=True)[0] != "OK":
        continue
    if there.search(None, "ALL")[1][0] == b"":
        continue
    for part in there.fetch("1:*", "(FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")[1]:
        if not isinstance(part, tuple):
            continue
        head = part[0].decode()
        flags = sorted(re.search(r"FLAGS \\(([^)]*)\\)", head).group(1).split())
        found.append([folder, re.search(r"<[^>]+>", part[1].decode()).group(0), re.search(r'INTERNALDATE "([^"]+)"', head).group(1),
            [flag for flag in flags if flag != "\\\\Recent"]])
json.dump(found, sys.stdout)
`;

type Found = readonly [folder: string, messageId: string, date: string, flags: readonly string[]];
interface Job {
  readonly append?: readonly (readonly [folder: string, message: string, flags: string, date: string])[];
  readonly flag?: readonly (readonly [folder: string, subject: string, flags: string])[];
}

async function mailbox(
  at: { host: string; login: string; password: string },
  job: Job = {},
): Promise<readonly Found[]> {
  return JSON.parse(
    await onHost("python3 /var/lib/old/mailbox.py", JSON.stringify({ ...at, ...job })),
  ) as readonly Found[];
}
const ofOld = (job?: Job) => mailbox({ host: old.address, login: old.login, password: old.password }, job);
async function ofNew(): Promise<readonly Found[]> {
  const { credentials } = await mailHost();
  return mailbox({ host: "127.0.0.1", login: carol, password: credentials[carol] ?? "" });
}

/** By the new host's names of folders. */
const comparable = (found: readonly Found[]) =>
  found.map(([folder, ...rest]) => JSON.stringify([folder.replaceAll(".", "/"), ...rest])).toSorted();

const letter = (number: string) => `Message-ID: <${number}@old.example>
From: zoe@example.net
To: carol@example.com
Subject: number ${number}

The words of number ${number}.
`;

const domain = "example.com";
interface ZoneRecord {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly content: string;
}
const recordsAt = async () => `/zones/${await zoneId(domain)}/dns_records`;
const published = async () => cloudflare<readonly ZoneRecord[]>("GET", `${await recordsAt()}?per_page=200`);
const mx = async () => (await published()).filter(({ type, name }) => type === "MX" && name === domain);
let before: readonly ZoneRecord[];

ownCloud(
  (stack) => stack.deleteIn(["config", "mailhost:domains", domain]),
  async () => {
    await withoutUpdates();
    const own = { name: domain, ttl: 60 };
    for (const record of [
      { ...own, type: "MX", content: "mx.old.example", priority: 10 },
      { ...own, type: "TXT", content: '"v=spf1 a:mx.old.example -all"' },
    ])
      await cloudflare("POST", await recordsAt(), record);
    before = await published();
    const ca = authority();
    const { key, cert } = ca.issue(old.name);
    await onHost(
      "mkdir -p /var/lib/old/mail /var/lib/old/state && chown vmail:vmail /var/lib/old/mail && cat >/var/lib/old/dovecot.conf",
      config,
    );
    await onHost("cat >/var/lib/old/mailbox.py", program);
    await onHost("umask 077; cat >/var/lib/old/key.pem", key);
    await onHost("cat >/var/lib/old/cert.pem", cert);
    await onHost(
      `cat >/var/lib/old/users; chmod 644 /var/lib/old/users`,
      `${old.login}:{PLAIN}${old.password}\n`,
    );
    // A public authority, as the host sees it.
    await onHost("cat >/usr/local/share/ca-certificates/old.crt && update-ca-certificates", ca.ca);
    await onHost(`echo '${old.address} ${old.name}' >>/etc/hosts
systemd-run --quiet --unit=old-host --property=PrivateNetwork=yes dovecot -F -c /var/lib/old/dovecot.conf
until [ -e /run/old-dovecot/master.pid ]; do sleep 0.1; done
pid=$(systemctl show -P MainPID old-host)
ip link add old0 type veth peer name old1
ip link set old1 netns "$pid"
ip address add 10.77.0.1/30 dev old0 && ip link set old0 up
nsenter -t "$pid" -n sh -c 'ip address add ${old.address}/30 dev old1 && ip link set old1 up'`);
  },
);

test("the mailbox is there before the switch, and nothing of the domain's records is touched", async () => {
  await page.type("From an old host");
  await page.type("The mailboxes first");
  assert.deepEqual(await published(), before);
  assert.deepEqual(await ofNew(), []);
});

test("the first copy brings each message, with folder, date, flags and keywords", async () => {
  const had = await eventually("the old host answers", 30, () =>
    ofOld({
      append: [
        ["INBOX", letter("1"), "(\\Seen)", "17-Jul-2019 02:44:25 +0000"],
        ["INBOX", letter("2"), "(\\Flagged \\Answered)", "18-Jul-2021 10:00:00 +0000"],
        ["INBOX", letter("3"), "()", "19-Jul-2024 10:00:00 +0000"],
        ["Sent", letter("4"), "(\\Seen)", "20-Jul-2024 10:00:00 +0000"],
        ["Customers.2023", letter("5"), "(\\Seen $Forwarded $label1)", "01-Jan-2023 00:00:01 +0000"],
        ["Drafts", letter("6"), "(\\Draft)", "02-Jan-2026 00:00:00 +0000"],
      ],
    }),
  );
  assert.equal(had.length, 6);
  await page.type("The copy", 0, 1);
  assert.equal(statSync(join(checkout, "accounts")).mode & 0o777, 0o600);
  writeFileSync(join(checkout, "accounts"), `${carol} ${old.login} ${old.password}\n`);
  assert.match(await page.type("The copy", 1, 3), /carol@example\.com is copied/);
  assert.deepEqual(comparable(await ofNew()), comparable(had));
  assert.match(await page.type("The copy", 3), /INBOX messages=3/);
});

test("before the switch a further copy brings what has changed in the old place", async () => {
  const had = await ofOld({
    append: [["INBOX", letter("7"), "()", "20-Nov-2026 10:00:00 +0000"]],
    flag: [["INBOX", "number 3", "(\\Seen $label1)"]],
  });
  await page.type("The copy", 2, 3);
  assert.deepEqual(comparable(await ofNew()), comparable(had));
});

test("the day: the records are changed where they are, and the world's mail comes to what is there already", async () => {
  const had = await ofNew();
  const [was] = await mx();
  await page.type("The day");
  const taken = new Set<string>();
  // The engine stops at the first few.
  for (;;) {
    const { code, stdout, stderr } = await mailhost(["pulumi", "preview"]);
    if (code === 0) break;
    const lines = [...(stdout + stderr).matchAll(/npm run pulumi -- import (\S+ \S+ \S+ \S+)/g)]
      .map(([, line = ""]) => line)
      .filter((line) => !taken.has(line));
    assert.ok(lines.length > 0, stdout + stderr);
    for (const line of new Set(lines)) {
      await succeed(["pulumi", "import", ...line.split(" "), "--yes", "--skip-preview"]);
      taken.add(line);
    }
  }
  assert.equal(taken.size, 2);
  await up();
  assert.deepEqual(
    (await mx()).map(({ id, content }) => [id, content]),
    [[was?.id, "mail.example.org"]],
  );
  await askAnew(domain);
  assert.deepEqual(await ofNew(), had);
  const subject = unique("from the world");
  await (await otherSide()).send({ from: "zoe@example.net", to: carol, subject });
  await received(await mailHost(), carol, subject);
});

test("in the overlap mail comes to both: the copies that follow add what is new, nothing twice, and take nothing away", async () => {
  const host = await mailHost();
  for (const round of ["a", "b"]) {
    // Somebody still has the old MX record, and somebody has the new one.
    await ofOld({
      append: [
        ["INBOX", letter(`late-${round}`), "()", "21-Nov-2026 10:00:00 +0000"],
        ["Sent", letter(`sent-late-${round}`), "(\\Seen)", "21-Nov-2026 10:00:01 +0000"],
      ],
    });
    await submit(host, {
      from: "bob@example.org",
      to: carol,
      raw: `Message-ID: <new-${round}@example.org>\nFrom: bob@example.org\nTo: ${carol}\nSubject: to the new one\n\nWords.\n`,
    });
    await eventually("it is there", 20, async () =>
      (await ofNew()).some(([, id]) => id === `<new-${round}@example.org>`),
    );
    await page.type("The copy", 2, 3);
  }
  const there = await ofNew();
  const brought = there.filter(([, id]) => id.endsWith("@old.example>"));
  assert.deepEqual(comparable(brought), comparable(await ofOld()));
  assert.equal(brought.length, 11);
  assert.deepEqual(
    there
      .filter(([, id]) => id.endsWith("@example.org>"))
      .map(([, id]) => id)
      .toSorted(),
    ["<new-a@example.org>", "<new-b@example.org>"],
  );
});

test("filters come along, and what they say is done", async () => {
  writeFileSync(
    join(checkout, "rules.sieve"),
    'require "fileinto";\nif header :contains "subject" "invoice" { fileinto "Customers/2023"; }\n',
  );
  assert.match(await page.type("Filters"), /rules ACTIVE/);
  await submit(await mailHost(), {
    from: "bob@example.org",
    to: carol,
    raw: `Message-ID: <filed@example.org>\nFrom: bob@example.org\nTo: ${carol}\nSubject: invoice 7\n\nWords.\n`,
  });
  await eventually("it is filed", 20, async () =>
    (await ofNew()).some(([folder, id]) => folder === "Customers/2023" && id === "<filed@example.org>"),
  );
});

test("nothing is left of it, and the host is all right", async () => {
  await onHost("systemctl stop old-host; sed -i '/old\\.example/d' /etc/hosts");
  await page.type("When all is over");
  assert.doesNotMatch(await onHost("ls /root"), /accounts|copy/);
  assert.deepEqual(page.left(), []);
});
