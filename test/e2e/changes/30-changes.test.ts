import assert from "node:assert/strict";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../../../dns/client.ts";
import { eventually } from "../../eventually.ts";
import { cloudflare, zoneId } from "../cloudflare.ts";
import { count, imap, mailHost, otherSide, submit } from "../mail.ts";
import {
  aws,
  checkout,
  cloudInfo,
  mailhost,
  makeCheckout,
  onHost,
  type PreviewStep,
  previewSteps,
  resourceId,
  stackOutput,
  succeed,
  typed,
  up,
  withFile,
  withStack,
  world,
} from "../mailhost.ts";

/** What a preview would do to resources; the stack's own outputs are no news. */
async function previewedSteps(): Promise<readonly string[]> {
  return (await previewSteps())
    .map(({ op, name }) => `${op} ${name}`)
    .filter((step) => !step.endsWith(" mailhost-dev"))
    .toSorted();
}

/** PIDs and start times of the daemons that hold sessions. */
const daemons = () => onHost("ps -o pid=,lstart= -C master,dovecot,rspamd,redis-server,unbound,imap | sort");

test("mailboxes added, one with a password of ours and three with hashes from an old host: one host resource, no restart, their logins work at once, sessions stay", async () => {
  const before = await daemons();
  // Where Pulumi's history has a copy of the stack file, it is to have their names alone.
  const hashes = {
    sha512: (await onHost("openssl passwd -6 'old secret'")).trim(),
    blowfish: (await onHost("doveadm pw -s BLF-CRYPT -p 'old secret'")).trim().replace("{BLF-CRYPT}", ""),
    argon: (await onHost("doveadm pw -s ARGON2ID -p 'old secret'")).trim(),
  };
  const session = await imap(await mailHost(), "ann@example.org");
  await session.mailboxOpen("INBOX");
  await withStack(
    (stack) => {
      const mailboxes = ["config", "mailhost:domains", "example.org", "mailboxes"];
      stack.setIn([...mailboxes, "dora"], stack.createNode({}));
      for (const [name, passwordHash] of Object.entries(hashes)) {
        process.env[`HASH_${name}`] = passwordHash;
        stack.setIn([...mailboxes, name], stack.createNode({ passwordHash: `\${HASH_${name}}` }));
      }
    },
    async () => {
      assert.deepEqual(await previewedSteps(), [
        "create accounts-dora@example.org",
        "update host-accounts-secrets",
      ]);
      // As people type it: with a preview before it, in the same run of the engine.
      await succeed(["pulumi", "up", "--yes"]);
      const host = await mailHost();
      await submit(host, { from: "dora@example.org", to: "ann@example.org", subject: "from dora" });
      assert.equal(await count(host, "ann@example.org", "from dora"), 1);
      await (await imap(host, "dora@example.org")).logout();
      for (const name of Object.keys(hashes)) {
        await (await imap(host, `${name}@example.org`, "old secret")).logout();
        await assert.rejects(imap(host, `${name}@example.org`, "no secret"), /cannot log in/);
      }
      await session.noop();
      await session.logout();
      assert.equal(await daemons(), before);
    },
  );
  await up();
  await assert.rejects(imap(await mailHost(), "dora@example.org", "whatever"), /cannot log in/);
});

test("an option switched on: the preview shows what it brings, and nothing else", async () => {
  await withStack(
    (stack) => stack.setIn(["config", "mailhost:pop3s"], true),
    async () => {
      assert.deepEqual(await previewedSteps(), [
        "create host-pop3s",
        "create host-pop3s-files",
        // Mail programs that look for POP3 in the DNS find it; so does the page for people.
        "update dns-srv:_pop3s._tcp.example.com",
        "update dns-srv:_pop3s._tcp.example.org",
        "update firewall-group",
        "update host-nftables-confirm",
        "update host-nftables-confirmed",
        "update host-nftables-files",
        "update host-packages",
        "update host-sweep",
        "update host-sweep-packages",
        "update web-script",
      ]);
    },
  );
});

test("one line of a template changed: that line, and it alone, in the preview", async () => {
  const old = "smtpd_helo_required = yes";
  await withFile(
    "files/etc/postfix/main.cf",
    (text) => {
      assert.ok(text.includes(`\n${old}\n`));
      return text.replace(`\n${old}\n`, `\n${old}\nsmtpd_client_connection_count_limit = 40\n`);
    },
    async () => {
      const steps = (await previewSteps()).map(({ op, name }) => `${op} ${name}`);
      assert.deepEqual(steps, ["update host-postfix-files"]);
      const { stdout } = await succeed(["pulumi", "preview", "--diff", "--color", "never"]);
      const changed = stdout
        .split("\n")
        .filter((line) => /^\s+[-+] [^\s]/.test(line) && !/^\s+[-+~]+ \w+:/.test(line));
      assert.deepEqual(
        changed.map((line) => line.trim()),
        ["+ smtpd_client_connection_count_limit = 40"],
        stdout,
      );
    },
  );
});

test("a broken template line fails the deployment, names file and line, and the daemons never notice", async () => {
  const before = await daemons();
  const served = await onHost("sha256sum /etc/postfix/main.cf /etc/dovecot/dovecot.conf");
  for (const [path, line] of [
    ["/etc/postfix/main.cf", "smtpd_helo_reqired = yes"],
    ["/etc/dovecot/dovecot.conf", "mail_drivr = maildir"],
  ] as const) {
    await withFile(
      `files${path}`,
      (text) => `${text}${line}\n`,
      async () => {
        const ran = await mailhost(["pulumi", "up", "--yes", "--skip-preview"]);
        assert.notEqual(ran.code, 0);
        const said = ran.stdout + ran.stderr;
        assert.match(said, new RegExp(`${path.replaceAll(".", "\\.")}[: ]+(line )?\\d+`), said.slice(-3000));
      },
    );
  }
  assert.equal(await onHost("sha256sum /etc/postfix/main.cf /etc/dovecot/dovecot.conf"), served);
  assert.equal(await daemons(), before);
  await up();
  assert.deepEqual(await previewSteps(), []);
});

test("a stack file that is no YAML is named with its line, and nothing is touched", async () => {
  const path = join(checkout, "Pulumi.dev.yaml");
  const text = readFileSync(path, "utf8");
  try {
    writeFileSync(path, text.replace("owner: ann@example.org", 'owner: "ann@example.org'));
    const { code, stderr } = await mailhost(["pulumi", "preview"]);
    assert.equal(code, 1);
    assert.match(stderr, /^Pulumi\.dev\.yaml is no YAML\. Nothing was touched\.\n.*line \d+/);
  } finally {
    writeFileSync(path, text);
  }
});

test("ten mistakes in a stack file: ten messages, nothing touched", async () => {
  await withStack(
    (stack) => {
      const set = (path: readonly string[], value: unknown) =>
        stack.setIn(["config", ...path], stack.createNode(value));
      set(["mailhost:hostnam"], "x");
      set(["mailhost:owner"], "nobody at all");
      set(["mailhost:ssh"], { from: ["0.0.0.0/0"] });
      set(["mailhost:server"], { architecture: "mips", dataSize: -1 });
      set(["mailhost:network"], { cidr: "10.20.0.1/16" });
      set(["mailhost:acme"], { directory: "ftp://example.org" });
      set(["mailhost:domains", "example.org", "since"], "yesterday");
      set(["mailhost:domains", "example.org", "mailboxes", "Ann"], {});
      set(["mailhost:domains", "example.org", "aliases", "x"], "y");
      set(["mailhost:domains", "example.org", "aliases", "y"], "x");
    },
    async () => {
      const ran = await mailhost(["pulumi", "up", "--yes", "--skip-preview"]);
      assert.notEqual(ran.code, 0);
      const places = (ran.stdout + ran.stderr)
        .split("\n")
        .map((line) => /^\s+(mailhost:\S+): ./.exec(line)?.[1])
        .filter((place) => place !== undefined);
      assert.deepEqual(
        [...new Set(places)].toSorted(),
        [
          "mailhost:acme.directory",
          "mailhost:domains.example.org.aliases.x",
          // Beside `Ann`; the engine hands over the keys in their order, so the later one is named.
          "mailhost:domains.example.org.mailboxes.ann",
          "mailhost:domains.example.org.since",
          "mailhost:hostnam",
          "mailhost:network.cidr",
          "mailhost:owner",
          "mailhost:server.architecture",
          "mailhost:server.dataSize",
          "mailhost:ssh.from[0]",
        ],
        ran.stdout,
      );
      assert.doesNotMatch(ran.stdout, /\d+ (created|updated|deleted)/);
    },
  );
  assert.deepEqual(await previewSteps(), []);
});

/** A domain comes or goes: what is its own, the tables that know every domain, and nothing of other domains. */
function onlyOf(steps: readonly PreviewStep[], op: "create" | "delete"): void {
  const tables =
    /^(host-(accounts|aliases|postfix|reports|rspamd|dovecot)-(files|secrets)|web-script|mailhost-dev)$/;
  const own = steps.filter((step) => step.op === op).map(({ name }) => name);
  assert.ok(
    own.every((name) => /sub\.example\.com/.test(name)),
    own.join(", "),
  );
  for (const kind of [
    /^inbound-mx:/,
    /^dns-txt:sub/,
    /^dns-txt:\d+e\._domainkey/,
    /^dkim-\d+r/,
    /^accounts-eve@/,
  ])
    assert.ok(
      own.some((name) => kind.test(name)),
      `${kind} among ${own.join(", ")}`,
    );
  const others = steps.filter((step) => step.op !== op).map((step) => `${step.op} ${step.name}`);
  assert.ok(
    others.every((step) => step.startsWith("update ") && tables.test(step.slice("update ".length))),
    others.join(", "),
  );
}

test("a domain added and removed: its records, keys and mailboxes; its mail is kept", async () => {
  await withStack(
    (stack) =>
      stack.setIn(
        ["config", "mailhost:domains", "sub.example.com"],
        stack.createNode({ since: "2026-11-21", zone: "example.com", mailboxes: { eve: {} } }),
      ),
    async () => {
      onlyOf(await previewSteps(), "create");
      await up();
      const host = await mailHost();
      const sent = await (await otherSide()).send({
        from: "zoe@example.net",
        to: "eve@sub.example.com",
        subject: "for eve",
      });
      assert.ok(sent.accepted, sent.response);
      assert.equal(await count(host, "eve@sub.example.com", "for eve"), 1);
    },
  );
  onlyOf(await previewSteps(), "delete");
  await up();
  assert.match(
    (await succeed(["check"])).stdout,
    /the mail of eve@sub\.example\.com, which was removed on \S+, is kept on the host, in \/srv\/mail\/sub\.example\.com\/eve$/m,
  );
  const found = await onHost(
    "find /srv/mail/sub.example.com/eve -type f -path '*/new/*' -o -type f -path '*/cur/*' | wc -l",
  );
  assert.ok(Number(found) >= 1, "the stored mail is gone");
  const { resolver } = cloudInfo();
  const mx = await ask(resolver, "sub.example.com", "MX");
  assert.deepEqual(mx.answers, []);
});

interface ZoneRecord {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content: string;
}

test("a foreign record is named with its import line, and never overwritten", async () => {
  const zone = await zoneId("example.com");
  const foreign = await cloudflare<ZoneRecord>("POST", `/zones/${zone}/dns_records`, {
    type: "MX",
    name: "old.example.com",
    content: "mx.elsewhere.example",
    priority: 10,
    ttl: 3600,
  });
  const companion = await cloudflare<ZoneRecord>("POST", `/zones/${zone}/dns_records`, {
    type: "MX",
    name: "old.example.com",
    content: "alt.elsewhere.example",
    priority: 20,
    ttl: 3600,
  });
  await withStack(
    (stack) =>
      stack.setIn(
        ["config", "mailhost:domains", "old.example.com"],
        stack.createNode({ since: "2026-11-21", zone: "example.com", mailboxes: { old: {} } }),
      ),
    async () => {
      const refused = await mailhost(["pulumi", "preview"]);
      assert.notEqual(refused.code, 0);
      const said = refused.stdout + refused.stderr;
      const line =
        /npm run pulumi -- import (\S+ inbound-mx:old\.example\.com (\S+) --generate-code=false)/.exec(said);
      assert.ok(line?.[1], said);
      assert.equal(line[2], `${zone}/${foreign.id}`);
      assert.match(said, /Delete these, too[^\n]*\n[^\n]*alt\.elsewhere\.example/);
      // Taking the one over does not make the other one ours.
      await succeed(["pulumi", "import", ...line[1].split(" "), "--yes", "--skip-preview"]);
      const still = await mailhost(["pulumi", "preview"]);
      assert.notEqual(still.code, 0);
      assert.match(still.stdout + still.stderr, /alt\.elsewhere\.example/);
      await cloudflare("DELETE", `/zones/${zone}/dns_records/${companion.id}`);
      await up();
      const mx = await ask(cloudInfo().resolver, "old.example.com", "MX");
      assert.equal(mx.answers.length, 1);
    },
  );
  await up();
  for (const [domain, type, content] of [
    ["example.org", "A", "198.51.100.80"],
    // At a zone's own name Cloudflare answers for it with addresses.
    ["example.com", "CNAME", "sites.example.net"],
  ] as const) {
    const path = `/zones/${await zoneId(domain)}/dns_records?name=${domain}&type=${type}`;
    const sites = await cloudflare<readonly ZoneRecord[]>("GET", path);
    assert.deepEqual(
      sites.map((site) => site.content),
      [content],
      "the domain's web site",
    );
  }
});

test("another stack of the same domains, as after a lost state: refused with the import lines", async () => {
  const zone = await zoneId("example.org");
  const records = () => cloudflare<readonly ZoneRecord[]>("GET", `/zones/${zone}/dns_records?per_page=100`);
  const before = await records();
  const second = { env: { PULUMI_STACK: "second" } };
  makeCheckout();
  copyFileSync(join(checkout, "Pulumi.dev.yaml"), join(checkout, "Pulumi.second.yaml"));
  try {
    await succeed(["pulumi", "stack", "init", "second", "--no-select"], second);
    // First of all: may the token do what it will have to do?
    await world("cloudflare?workers=false");
    const early = await mailhost(["pulumi", "preview"], second);
    await world("cloudflare?workers=true");
    assert.notEqual(early.code, 0);
    assert.match(
      early.stdout + early.stderr,
      /does not let CLOUDFLARE_API_TOKEN at the Workers of the account [0-9a-f]+: .*Authentication error.*Workers Scripts → Edit.*mailhost:clientSetup: false and mailhost:mtaSts: false\. Nothing was touched/,
    );
    const preview = await mailhost(["pulumi", "preview"], second);
    assert.notEqual(preview.code, 0);
    const lines = [
      ...(preview.stdout + preview.stderr).matchAll(
        /npm run pulumi -- import (\S+ ((?:dns|inbound)-\S+) \S+ \S+)/g,
      ),
    ];
    // The engine goes no further than the first few refusals: any of them will do.
    const [, args = "", name] = lines.find(([, , each]) => each?.startsWith("dns-")) ?? [];
    assert.ok(name, preview.stdout.slice(-3000));
    // Not in a preview either: one record, so that no second machine is made.
    const urn = `**::${name}`;
    const target = [urn, "**::dns", "**::mark", "**::mark-id"].flatMap((each) => ["--target", each]);
    const up = await mailhost(["pulumi", "up", "--yes", "--skip-preview", ...target], second);
    assert.notEqual(up.code, 0);
    assert.match(up.stdout + up.stderr, /nothing was overwritten/);
    assert.deepEqual(await records(), before);
    // The line takes it over.
    await succeed(["pulumi", "import", ...args.split(" "), "--yes", "--skip-preview"], second);
    const taken = await mailhost(["pulumi", "preview", "--diff", ...target], second);
    assert.equal(taken.code, 0, taken.stdout + taken.stderr);
    assert.deepEqual(await records(), before);
  } finally {
    await mailhost(["pulumi", "stack", "rm", "second", "--force", "--yes", "--preserve-config"], second);
    rmSync(join(checkout, "Pulumi.second.yaml"));
  }
});

test("drift: a record edited, a rule added, a file changed by hand; shown, and put right", async () => {
  const zone = await zoneId("example.org");
  const [spf] = await cloudflare<readonly ZoneRecord[]>(
    "GET",
    `/zones/${zone}/dns_records?type=TXT&name=example.org`,
  );
  assert.ok(spf);
  await cloudflare("PATCH", `/zones/${zone}/dns_records/${spf.id}`, { content: '"v=spf1 +all"' });
  await aws("AuthorizeSecurityGroupIngress", {
    GroupId: await resourceId("firewall-group"),
    IpPermissions: [{ IpProtocol: "tcp", FromPort: 3306, ToPort: 3306, IpRanges: [{ CidrIp: "0.0.0.0/0" }] }],
  });
  await onHost("echo '# by hand' >>/etc/postfix/main.cf");
  // Left by a start with Debian's own settings, where a deployment was cut off early; it must not be in the way.
  const chroot = "/var/spool/postfix/etc";
  await onHost(`install -d ${chroot} && echo old >${chroot}/hosts && chown nobody ${chroot}/hosts`);

  const steps = (await previewSteps()).map(({ op, name }) => `${op} ${name}`);
  assert.ok(steps.includes("update dns-txt:example.org"), steps.join(", "));
  assert.ok(steps.includes("update firewall-group"), steps.join(", "));
  const checked = await mailhost(["check"]);
  assert.equal(checked.code, 1);
  assert.match(checked.stdout, /main\.cf/);
  assert.match(checked.stdout, /v=spf1/);

  // As a person types what the check says, quotes and all.
  const command = /main\.cf[\s\S]*?`(npm run pulumi -- up --replace [^`]+)`/.exec(checked.stdout)?.[1] ?? "";
  await typed(`${command} --yes --skip-preview`);
  assert.doesNotMatch(await onHost("cat /etc/postfix/main.cf"), /by hand/);
  await onHost(`rm ${chroot}/hosts`);
  await succeed(["check"]);
  assert.deepEqual(await previewSteps(), []);
});

/** Once, when sshd has its new rules: who fails often waits (PerSourcePenalties of sshd_config(5)). */
const knock = `
until journalctl -q --since @$since -u ssh | grep -q 'Server listening'; do sleep 0.2; done
ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null admin@127.0.0.1 true`;

/**
 * Runs on the host while rules of sshd and firewall are tried that let nobody in. It knocks at sshd from inside, which
 * the firewall lets through; and it spares the second minute: once the old files have come back by themselves, the
 * deployment tries once more, and that is put back by hand as soon as it is seen.
 */
const witness = (bundle: string) => `
folder=/var/lib/mailhost/rollback/${bundle}
# Before the first new file: sshd may have them the moment that this is seen.
since=$(date +%s)
until [ -e $folder/state.json ]; do sleep 0.2; done
began=$(date +%s)
${bundle === "sshd" ? knock : ""}
while [ -e $folder/state.json ]; do sleep 0.2; done
echo "${bundle} came back after $(($(date +%s) - began)) seconds"
until [ -e $folder/state.json ]; do sleep 0.2; done
/usr/local/lib/mailhost/apply --rollback ${bundle}`;

test("rules of firewall and sshd that would lock the operator out come back within their minute", async () => {
  const started = (await onHost("date +%s")).trim();
  for (const bundle of ["sshd", "nftables"]) {
    const script = Buffer.from(witness(bundle)).toString("base64");
    await onHost(
      `systemd-run -q --collect -u lockout-${bundle} -p RuntimeMaxSec=240 sh -c "echo ${script} | base64 -d | sh"`,
    );
  }
  const sshd = "files/etc/ssh/sshd_config.d/10-mailhost.conf";
  const served = await onHost("sha256sum /etc/nftables.conf /etc/ssh/sshd_config.d/10-mailhost.conf");
  await withFile(
    "files/etc/nftables.conf",
    // What is connected stays: it is the next login that fails, and so both changes arrive.
    (text) =>
      text.replace(
        /(ct state invalid drop\n)/,
        "$1                tcp dport 22 ct state new reject with tcp reset\n",
      ),
    () =>
      withFile(
        sshd,
        (text) => text.replace("AllowUsers {{user}}", "AllowUsers somebody-else"),
        async () => {
          const ran = await mailhost(["pulumi", "up", "--yes", "--skip-preview"]);
          assert.notEqual(ran.code, 0, "rules that let nobody in were accepted");
          assert.match(ran.stdout + ran.stderr, /the old files are back/);
        },
      ),
  );
  // No one's hand was needed for the way back; this login proves it.
  const journal = (unit: string) =>
    onHost(`journalctl --sync; journalctl -q -o cat --since @${started} -u ${unit}`);
  for (const bundle of ["sshd", "nftables"]) {
    await eventually(`${bundle} is as it was`, 90, async () => {
      const [, seconds] = /came back after (\d+) seconds/.exec(await journal(`lockout-${bundle}`)) ?? [];
      // The minute begins when the rules are in force, some seconds after the state is written down; and putting the old
      // ones back takes some.
      return seconds !== undefined && Number(seconds) <= 80;
    });
  }
  assert.match(await journal("ssh"), /admin from 127\.0\.0\.1 not allowed because not listed in AllowUsers/);
  assert.equal(await onHost("sha256sum /etc/nftables.conf /etc/ssh/sshd_config.d/10-mailhost.conf"), served);
  assert.doesNotMatch(await onHost("nft list ruleset; sshd -T"), /reject with tcp reset|somebody-else/);
  await up();
  await succeed(["check"]);
  assert.ok((await stackOutput()).ssh);
});

test("ssh.from without the network that deploys: the preview warns, and the way back is the one that it says", async () => {
  await withStack(
    (stack) => stack.setIn(["config", "mailhost:ssh", "from"], stack.createNode(["198.51.100.0/24"])),
    async () => {
      const { stdout, stderr } = await succeed(["pulumi", "preview"]);
      assert.match(stdout + stderr, /Port 22 closes for 203\.0\.113\.1\/32\..*interrupt it/);
      // As interrupted in the steps after the security group, where no login comes through.
      await succeed(["pulumi", "up", "--yes", "--skip-preview", "--target", "**::firewall-group"]);
      assert.notEqual((await mailhost(["host", "--", "true"])).code, 0);
    },
  );
  await up();
  await onHost("true");
  assert.deepEqual(await previewSteps(), []);
});
