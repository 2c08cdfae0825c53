import assert from "node:assert/strict";
import { it } from "node:test";
import { hostExits } from "../../plan/egress.ts";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

const rules = (keys: Readonly<Record<string, unknown>>) =>
  hostBundles(settingsWith(keys))
    .find(({ name }) => name === "egress")
    ?.files.find(({ path }) => path === "/etc/mailhost/egress.nft")?.content;

it("egress: open, there is nothing of it", () => {
  assert.equal(rules({}), undefined);
  assert.equal(hostExits(settingsWith({})), undefined);
});

it("egress: restricted, each service goes where it has to, and nobody anywhere else", () => {
  const text = rules({ egress: "restricted" }) ?? assert.fail();
  assert.match(text, /hook output priority filter; policy drop;/);
  assert.deepEqual(
    [...text.matchAll(/^ *(tcp|udp) dport \{ (.*) \} meta skuid \{ (.*) \} accept$/gm)].map((rule) =>
      rule.slice(1),
    ),
    [
      ["tcp", "25", "root, postfix"],
      ["udp", "53", "root, unbound"],
      ["tcp", "53", "root, unbound"],
      ["tcp", "80, 443", "root, _apt, _rspamd"],
      ["udp", "11335", "root, _rspamd"],
      ["udp", "123", "root, systemd-timesync"],
    ],
  );
});

it("egress: a nameserver tells its secondaries of changes", () => {
  const dns = { provider: "host", host: { secondaries: {} } };
  const exits = hostExits(settingsWith({ egress: "restricted", dns })) ?? [];
  const asking = exits.filter(({ ports }) => ports.includes(53)).map(({ users }) => users);
  assert.deepEqual(asking, [
    ["unbound", "knot"],
    ["unbound", "knot"],
  ]);
});

it("egress: the relay's port and the certificate authority's follow from the stack", () => {
  const text = rules({
    egress: "restricted",
    relay: { host: "smtp.relay.example.net", username: "customer", password: "secret", spf: [] },
    acme: { directory: "https://acme.example.net:14000/dir" },
  });
  assert.match(text ?? "", /tcp dport \{ 25, 587 \} meta skuid \{ root, postfix \} accept/);
  assert.match(text ?? "", /tcp dport \{ 14000 \} meta skuid \{ root \} accept/);
});

it("egress: Amazon SES is a relay like any other", () => {
  assert.match(rules({ egress: "restricted", relay: "ses" }) ?? "", /tcp dport \{ 25, 587 \}/);
});

it("egress: another word is none", () => {
  assert.throws(() => settingsWith({ egress: true }), /mailhost:egress: /);
});
