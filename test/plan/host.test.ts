import assert from "node:assert/strict";
import { it } from "node:test";
import { bundle, bundleDocument } from "../../plan/bundle.ts";
import { hostBundles, hostPackages } from "../../plan/host.ts";
import { hostPorts } from "../../plan/ports.ts";
import { sampleSettings } from "./services/sample.ts";

const bundles = hostBundles(sampleSettings());

it("every bundle can be written down, the same each time", () => {
  for (const [index, again] of hostBundles(sampleSettings()).entries())
    assert.equal(bundleDocument(bundles[index] ?? assert.fail()), bundleDocument(again));
});

it("no file belongs to two bundles", () => {
  const paths = bundles.flatMap(({ files, secretFiles }) =>
    [...files, ...secretFiles].map(({ path }) => path),
  );
  assert.deepEqual(
    paths.filter((path, index) => paths.indexOf(path) !== index),
    [],
  );
});

it("no file names a network interface: EC2 and the local cloud call it differently", () => {
  for (const { files } of bundles)
    for (const { path, content } of files)
      assert.doesNotMatch(content, /\b(ens?\d|eth\d|enp\d|host0)\b/, path);
});

it("what restarts or reloads a unit includes the unit's own file and drop-ins", () => {
  for (const { name, files, units } of bundles)
    for (const { path } of files) {
      const service = /^\/etc\/systemd\/system\/([^/]+)\.d\//.exec(path)?.[1];
      if (service === undefined) continue;
      // A bus is not restarted.
      const own = units.find((unit) => unit.name === service);
      assert.ok(own !== undefined || service === "dbus.service", `${name}: ${path}`);
    }
});

it("what a second login has to confirm comes after the unit that puts back what was not confirmed", () => {
  const confirmed = bundles.filter(({ confirm }) => confirm);
  assert.deepEqual(confirmed.map(({ name }) => name).toSorted(), ["nftables", "sshd"]);
  for (const { name, after } of confirmed) assert.ok(after.includes("base"), name);
});

it("the folder of each of Dovecot's sockets is there before Dovecot reads of it: a reload dies where it is missing", () => {
  const sockets = bundles.flatMap(({ name, files }) =>
    files.flatMap(({ content }) =>
      [...content.matchAll(/^ *(?:unix|fifo)_listener (\S+\/)\S+ \{$/gm)].map(([, folder = ""]) => ({
        name,
        folder: (folder.startsWith("/") ? folder : `/run/dovecot/${folder}`).replace(/\/$/, ""),
      })),
    ),
  );
  assert.ok(sockets.length >= 2);
  for (const { name, folder } of sockets) {
    const { directories = [] } = bundles.find((bundle) => bundle.name === name) ?? {};
    // Postfix's own folders come with its package, before any bundle.
    const isThere =
      directories.some(({ path }) => path === folder) || folder.startsWith("/var/spool/postfix/");
    assert.ok(isThere, `${name}: ${folder}`);
  }
});

it("packages are named once, in order", () => {
  const packages = hostPackages(bundles);
  assert.deepEqual(packages, [...new Set(packages)].toSorted());
  assert.ok(packages.includes("postfix") && packages.includes("dns-root-data"));
});

it("ports come by number, and a port has one owner", () => {
  assert.deepEqual(
    hostPorts(bundles).map(({ number, from }) => [number, from]),
    [
      [22, ["203.0.113.7/32"]],
      [25, "anywhere"],
      [80, "anywhere"],
      [465, "anywhere"],
      [587, "anywhere"],
      [993, "anywhere"],
    ],
  );
  const ports = hostPorts(bundles).slice(0, 1);
  assert.throws(
    () => hostPorts([bundle({ name: "a", why: "-", ports }), bundle({ name: "b", why: "-", ports })]),
    { message: "bundles a and b both listen on 22/tcp" },
  );
});
