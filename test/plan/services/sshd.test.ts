import assert from "node:assert/strict";
import { it } from "node:test";
import { sshd } from "../../../plan/services/sshd.ts";
import { sampleSettings } from "./sample.ts";

const settings = sampleSettings();
const config = (from: readonly string[]) =>
  sshd({ ...settings, ssh: { from } }).files[0]?.content ?? assert.fail();

it("asks for a key and takes nothing else", () => {
  const text = config(["192.0.2.0/24"]);
  for (const line of [
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin no",
    "AuthenticationMethods publickey",
    "AllowUsers admin",
    "HostKey /etc/ssh/ssh_host_ed25519_key",
  ])
    assert.ok(text.split("\n").includes(line), line);
});

it("never keeps the operator's own networks waiting, and the whole world is nobody's own", () => {
  assert.match(
    config(["192.0.2.0/24", "2001:db8::/32"]),
    /^PerSourcePenaltyExemptList 192\.0\.2\.0\/24,2001:db8::\/32$/m,
  );
  assert.doesNotMatch(config(["0.0.0.0/0", "::/0"]), /PerSourcePenaltyExemptList/);
});

it("a mistake here would lock the operator out: it waits for a second login", () => {
  assert.equal(sshd(settings).confirm, true);
});
