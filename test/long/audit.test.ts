/** What other people's auditors say of a host on default settings: lynis, ssh-audit and testssl, from Debian. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cloudInfo, onHost } from "../e2e/mailhost.ts";
import { ownCloud } from "./own-cloud.ts";

ownCloud(undefined, async () => {
  await onHost(
    "apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends lynis ssh-audit testssl.sh bsdextrautils dnsutils",
  );
  await onHost("cat >/root/issuer.pem", cloudInfo().issuerCa);
});

/** What lynis is told to leave out (lynis.cisofy.com, "skip-test"), with the reason. */
const leftOut: Readonly<Record<string, string>> = {
  "USB-3000": "asks for USBGuard; a machine of the cloud has no USB",
  "PKGS-7388":
    "looks for the one-line form of apt's sources, which Debian has left; apt itself is asked below",
  // The kernel is that of the machine which runs the container: some keys it shows and keeps, in others it says nothing.
  ...Object.fromEntries(
    [
      ...["dev.tty.ldisc_autoload", "fs.protected_fifos", "fs.protected_regular", "fs.protected_symlinks"],
      ...["kernel.core_uses_pid", "kernel.ctrl-alt-del", "kernel.kptr_restrict"],
      "kernel.unprivileged_bpf_disabled",
    ].map((key) => [`KRNL-6000:${key}`, "not a container's to set"]),
  ),
};

/** Its index from 0 to 100, and what it has to say. */
async function lynis(): Promise<{ readonly index: number; readonly said: readonly string[] }> {
  await onHost("lynis audit system --quiet --no-colors --no-log || true");
  const report = await onHost("cat /var/log/lynis-report.dat");
  const said = report.matchAll(/^(?:warning|suggestion)\[\]=([^|]+\|[^|]+)/gm);
  return {
    index: Number(/^hardening_index=(\d+)$/m.exec(report)?.[1]),
    said: [...said].map(([, what]) => what ?? ""),
  };
}

test("lynis gives 80 or more", async (t) => {
  t.diagnostic(`with nothing left out: ${(await lynis()).index}`);
  const profile = Object.keys(leftOut).map((test) => `skip-test=${test}`);
  await onHost("cat >/etc/lynis/custom.prf", `${profile.join("\n")}\n`);
  const { index, said } = await lynis();
  t.diagnostic(`without what cannot be here: ${index}`);
  for (const what of said) t.diagnostic(what);
  assert.ok(index >= 80, String(index));
  assert.match(await onHost("apt-cache policy"), /debian-security trixie-security\/main/);
});

test("ssh-audit finds nothing to say", async () => {
  const said = await onHost("ssh-audit --no-colors --level=warn 127.0.0.1 || true");
  assert.doesNotMatch(said, /\[(warn|fail)\]/);
});

/** Of medium severity or worse, by testssl's id, with the reason why it stays. */
const accepted: Readonly<Record<string, string>> = {
  cert_revocation:
    "the local cloud's authority names no list of revoked certificates; Let's Encrypt's certificates do",
};

/** testssl gives every server of STARTTLS a T, whatever else it finds: a program has to insist, as ours are told to. */
const cappedByStarttls = "Grade capped to T. STARTTLS is prone to MITM downgrade attacks.";

for (const [port, starttls] of [
  [465, false],
  [587, true],
  [993, false],
] as const)
  test(`testssl gives ${port} an A or better, and finds nothing of medium severity`, {
    timeout: 600_000,
  }, async (t) => {
    const way = starttls ? "--starttls smtp" : "";
    await onHost(
      `cd /root && rm -f ${port}.json && testssl --quiet --color 0 --warnings off --ip one --add-ca /root/issuer.pem --jsonfile ${port}.json ${way} mail.example.org:${port} >/dev/null 2>&1 || true`,
    );
    const findings = JSON.parse(await onHost(`cat /root/${port}.json`)) as readonly {
      id: string;
      severity: string;
      finding: string;
    }[];
    const grade = findings.find(({ id }) => id === "overall_grade")?.finding;
    t.diagnostic(`${port}: ${grade}`);
    const capped = findings.filter(({ id }) => id.startsWith("grade_cap_reason"));
    if (starttls)
      assert.ok(
        capped.every(({ finding }) => finding.startsWith(cappedByStarttls)),
        JSON.stringify(capped),
      );
    else assert.match(grade ?? "", /^A/);
    const bad = findings.filter(
      ({ id, severity }) =>
        ["MEDIUM", "HIGH", "CRITICAL"].includes(severity) &&
        accepted[id] === undefined &&
        !(starttls && id === "overall_grade"),
    );
    assert.deepEqual(
      bad.map(({ id, severity, finding }) => `${severity} ${id}: ${finding}`),
      [],
    );
  });
