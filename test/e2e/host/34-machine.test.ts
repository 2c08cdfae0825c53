/** The machine itself: what runs and listens on it, how it is locked up, and who gets in. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { connect } from "node:net";
import { test } from "node:test";
import { networkOf, runInside } from "../../../local/world/network.ts";
import { hostBundles } from "../../../plan/host.ts";
import { hostPorts } from "../../../plan/ports.ts";
import { eventually } from "../../eventually.ts";
import { settingsWith } from "../../options/settings.ts";
import { exposedAbove, running } from "../exposure.ts";
import { mailHost } from "../mail.ts";
import { askAnew, cloudInfo, mailhost, onHost, publish, succeed } from "../mailhost.ts";

const host = await mailHost();
const lines = (text: string) => text.split("\n").filter((line) => line !== "");

/** What is on the host without any option that is off by default. */
const daemons = [
  "dbus",
  "dovecot",
  "mailhost-bans",
  "postfix",
  "postsrsd",
  "redis-server",
  "rspamd",
  "ssh",
  "systemd-journald",
  "systemd-logind",
  "systemd-networkd",
  "systemd-timesyncd",
  "unbound",
].map((name) => `${name}.service`);

/** Some start for a moment when they are asked, or not in a container at all: they may run, and need not. */
const passing = [
  "apt-daily.service",
  "apt-daily-upgrade.service",
  "systemd-hostnamed.service",
  "systemd-timesyncd.service",
  "mailhost-certificate.service",
];

/** With a port of their own that the world reaches; the last two while they ask for a certificate. */
const doors = ["ssh", "postfix", "dovecot", "mailhost-certificate"].map((name) => `${name}.service`);

/** A server that tells the time once (RFC 5905 section 7.3), at the address that it is given. */
const timeServer = `
import socket, struct, sys, time
door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
door.bind((sys.argv[1], 123))
door.settimeout(20)
asked, client = door.recvfrom(512)
now = int((time.time() + 2208988800) * 2**32)
stamp = struct.pack("!Q", now)
door.sendto(bytes([0x24, 1, 6, 0xEC]) + bytes(8) + b"TEST" + stamp + asked[40:48] + stamp + stamp, client)
`;

test("nothing runs but what is on the list", async () => {
  const now = await running();
  assert.deepEqual(
    now.filter((unit) => !passing.includes(unit)).sort(),
    daemons.filter((unit) => !passing.includes(unit)),
  );
});

test("nothing listens but the plan's ports, and on the inside those that are listed", async () => {
  const open = hostPorts(hostBundles(settingsWith({})))
    .map(({ protocol, number }) => `${protocol} ${number}`)
    // While a certificate is asked for, and no longer.
    .filter((port) => port !== "tcp 80");
  const said = lines(await onHost("ss -Hltnu | awk '{print $1, $5}'"));
  const inside = said.filter((line) => /^\w+ (127\.|\[::1\])/.test(line));
  assert.deepEqual(
    [
      ...new Set(said.filter((line) => !inside.includes(line)).map((line) => line.replace(/ .*:/, " "))),
    ].sort(),
    open.sort(),
  );
  // Besides resolver and filter: Postfix's way around for forwarded mail, and postsrsd's two tables.
  assert.deepEqual(inside.sort(), [
    "tcp 127.0.0.1:10001",
    "tcp 127.0.0.1:10002",
    "tcp 127.0.0.1:10026",
    "tcp 127.0.0.1:11332",
    "tcp 127.0.0.1:53",
    "tcp [::1]:53",
    "udp 127.0.0.1:53",
    "udp [::1]:53",
  ]);
});

test("there is no compiler", async () => {
  const names = ["cc", "gcc", "g++", "clang", "make", "as", "ld", "go", "rustc"];
  assert.equal(await onHost(`for each in ${names.join(" ")}; do command -v $each; done; true`), "");
});

test("systemd locks up every daemon: 4.0 at most with an open port, 5.0 without", async () => {
  const inside = [...new Set([...daemons, ...(await running())])].filter(
    (unit) => !doors.includes(unit) && !/^apt-/.test(unit),
  );
  assert.equal(await exposedAbove(40, doors), "");
  assert.equal(await exposedAbove(50, inside), "");
});

test("sshd knows modern algorithms alone, and says nothing of the system", async () => {
  const known = new Map(
    lines(await onHost("sshd -T")).map((line) => line.split(/ (.*)/) as [string, string]),
  );
  assert.equal(
    known.get("kexalgorithms"),
    "mlkem768x25519-sha256,sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org",
  );
  assert.equal(
    known.get("ciphers"),
    "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com",
  );
  assert.equal(known.get("macs"), "hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com");
  assert.equal(known.get("hostkeyalgorithms"), "ssh-ed25519");
  assert.equal(known.get("permitrootlogin"), "no");
  assert.equal(known.get("passwordauthentication"), "no");
  const greeting = await new Promise<string>((done, failed) => {
    const socket = connect(22, host.publicIp).setEncoding("latin1").setTimeout(10_000);
    socket.once("data", (text: string) => {
      done(text);
      socket.destroy();
    });
    socket.on("timeout", () => socket.destroy(new Error("no greeting in 10 s")));
    socket.on("error", failed);
  });
  assert.match(greeting, /^SSH-2\.0-OpenSSH_[\d.p]+\r\n$/);
});

for (const [what, options, refusal] of [
  ["an old key exchange", ["KexAlgorithms=diffie-hellman-group14-sha256"], /no matching key exchange/],
  ["an old cipher", ["Ciphers=aes128-ctr"], /no matching cipher/],
  ["a password", ["PubkeyAuthentication=no"], /Permission denied \(publickey\)/],
] as const)
  test(`sshd refuses ${what}`, () => {
    const trust = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", ...options];
    const { status, stderr } = spawnSync(
      "ssh",
      ["-F", "none", ...trust.flatMap((option) => ["-o", option]), `admin@${host.publicIp}`, "true"],
      { encoding: "utf8", timeout: 20_000 },
    );
    assert.equal(status, 255);
    assert.match(stderr, refusal);
  });

test("a login is not in sshd's sandbox: input, output, result and root's rights are whole", async () => {
  const text = `${"ü $HOME %h 'x' \\\n".repeat(20_000)}`;
  const { stdout } = await succeed(["host", "--", "cat"], { input: text });
  assert.equal(stdout.length, text.length);
  const failing = await mailhost(["host", "--", "echo out; echo err >&2; echo '$5 %n' \"$HOME\"; exit 7"]);
  assert.equal(failing.code, 7);
  assert.match(failing.stdout, /^out\n\$5 %n \/home\/admin$/m);
  assert.match(failing.stderr, /^err$/m);
  const said = await onHost(
    "touch /etc/.here && rm /etc/.here && unshare --mount true && grep -h CapBnd /proc/self/status /proc/1/status",
  );
  const [own, whole] = lines(said);
  assert.equal(own, whole);
});

test("a shell without a terminal does what it is given, and ends with that", async () => {
  const { stdout } = await succeed(["host"], { input: "id -un\n" });
  assert.match(stdout, /^admin$/m);
});

test("who logged in, and with which key, is in the log", async () => {
  const said = await onHost("journalctl --sync; journalctl -u ssh -b --grep=^Accepted -n 1 -o cat");
  assert.match(said, /^Accepted publickey for admin from 203\.0\.113\.1 port \d+ ssh2: \w+ SHA256:/m);
});

test("the kernel is set as the file says, where it lets itself be set here", async () => {
  const said = await onHost(
    "sysctl -n net.ipv4.ip_forward net.ipv4.conf.all.rp_filter net.ipv4.conf.all.send_redirects net.ipv4.conf.all.accept_redirects net.ipv4.tcp_syncookies",
  );
  assert.deepEqual(lines(said), ["0", "1", "0", "0", "1"]);
  // The kernel takes the larger of an interface's and of "all".
  assert.deepEqual(lines(await onHost("sysctl -n net.ipv4.conf.host0.rp_filter")), ["1"]);
});

test("a login's shell ends by itself, and writes no copy of its memory", async () => {
  const said = await onHost(`su -l admin -s /bin/bash -c 'echo "$TMOUT"; ulimit -H -c'`);
  assert.deepEqual(lines(said), ["1800", "0"]);
});

test("security updates come by themselves, and keep what is deployed", async () => {
  const said = await onHost("apt-config dump; systemctl is-enabled apt-daily.timer apt-daily-upgrade.timer");
  assert.match(said, /^Unattended-Upgrade::Automatic-Reboot-Time "04:00";$/m);
  assert.match(said, /^DPkg::Options:: "--force-confold";$/m);
  assert.match(said, /^enabled\nenabled$/m);
  // By its own word, and no further: the rest takes it 20 seconds.
  assert.equal(
    await onHost("unattended-upgrade --dry-run -d 2>&1 | sed -n '/^Allowed origins/{p;q}'"),
    "Allowed origins are: origin=Debian,codename=trixie-security,label=Debian-Security\n",
  );
});

test("the clock is kept right over NTP, by the name that Debian gives; only here, where it is another's, is it left alone", async () => {
  const unit = "systemd-timesyncd.service";
  const state = () =>
    onHost(
      `systemctl start ${unit}; systemctl is-enabled ${unit}; systemctl is-active ${unit}; systemctl show -P ConditionResult ${unit}`,
    );
  // A machine of the local cloud may not set the clock that it shares; a real one may.
  assert.deepEqual(lines(await state()), ["enabled", "inactive", "no"]);
  assert.match(
    await onHost(`journalctl -q -o cat -u ${unit} -g 'unmet condition' -n 1`),
    /unmet condition check ConditionVirtualization=!container$/m,
  );

  // Let it run all the same, without that right: whom it asks, and that it understands the answer, is its own word.
  const name = "0.debian.pool.ntp.org";
  const folder = `/run/systemd/system/${unit}.d`;
  const dropIn = [
    "[Unit]",
    "ConditionCapability=",
    "ConditionVirtualization=",
    "[Service]",
    "AmbientCapabilities=",
    "CapabilityBoundingSet=",
  ];
  const { slot, peer } = cloudInfo();
  const answered = runInside(networkOf(slot).internet, ["python3", "-c", timeServer, peer.address]);
  await publish(name, peer.address);
  await askAnew("org");
  try {
    await onHost(`mkdir -p ${folder}; cat >${folder}/test.conf; systemctl daemon-reload`, dropIn.join("\n"));
    await onHost(`systemctl start ${unit}`);
    await answered;
    await eventually("it has heard the answer", 20, async () =>
      (await onHost(`journalctl --sync; journalctl -q -o cat -u ${unit}`)).includes(
        `Contacted time server ${peer.address}:123 (${name}).`,
      ),
    );
  } finally {
    await onHost(`systemctl stop ${unit}; rm -r ${folder}; systemctl daemon-reload`);
    await publish(name);
  }
  assert.deepEqual(lines(await state()), ["enabled", "inactive", "no"]);
});

test("a key is tried three times at most, and nobody changes Redis's settings through its socket", async () => {
  const said = await onHost(
    "sshd -T | grep -E '^(maxauthtries|tcpkeepalive) '; redis-cli -s /run/redis/redis-server.sock CONFIG GET dir",
  );
  assert.match(said, /^maxauthtries 3\ntcpkeepalive no\nERR unknown command 'CONFIG'/);
});

test("a library's update reaches who runs with it, and leaves who is logged in", async () => {
  const daemons = ["dovecot", "postfix", "rspamd", "redis-server", "unbound", "ssh"];
  const running = async () =>
    lines(await onHost(`systemctl show -P MainPID ${daemons.join(" ")}`)).filter(Boolean);
  const before = await running();
  assert.equal(before.length, daemons.length);
  // By apt's own hook, as after unattended-upgrade.
  await onHost("DEBIAN_FRONTEND=noninteractive apt-get -qy install --reinstall libc6 libssl3t64");
  const kept = (await running()).filter((pid) => before.includes(pid));
  assert.deepEqual(kept, []);
  await eventually("every unit is up", 60, async () => {
    const state = await onHost("systemctl is-system-running || true");
    return state.trim() === "running";
  });
});
