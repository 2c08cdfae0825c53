import assert from "node:assert/strict";
import { it } from "node:test";
import { unbound } from "../../../plan/services/unbound.ts";
import { sampleSettings } from "./sample.ts";

const contents = (resolver: { rootHints?: string; trustAnchor?: string }) =>
  new Map(unbound({ ...sampleSettings(), resolver }).files.map(({ path, content }) => [path, content]));
const config = "/etc/unbound/unbound.conf";

it("begins at the internet's root, with Debian's hints and a key that unbound keeps up to date", () => {
  const files = contents({});
  assert.match(files.get(config) ?? "", /root-hints: "\/usr\/share\/dns\/root\.hints"/);
  assert.match(files.get(config) ?? "", /^ +auto-trust-anchor-file: "\/var\/lib\/unbound\/root\.key"$/m);
  assert.deepEqual(
    [...files.keys()],
    [config, "/etc/resolv.conf", "/etc/systemd/system/unbound.service.d/mailhost.conf"],
  );
});

it("begins at another root where the stack gives one", () => {
  const files = contents({ rootHints: ". 3600 NS a.root.\n", trustAnchor: ". 3600 IN DS 1 13 2 AB\n" });
  assert.match(files.get(config) ?? "", /root-hints: "\/etc\/unbound\/root\.hints"/);
  assert.match(files.get(config) ?? "", /^ +trust-anchor-file: "\/etc\/unbound\/root\.anchor"$/m);
  assert.doesNotMatch(files.get(config) ?? "", /auto-trust/);
  assert.equal(files.get("/etc/unbound/root.hints"), ". 3600 NS a.root.\n");
  assert.equal(files.get("/etc/unbound/root.anchor"), ". 3600 IN DS 1 13 2 AB\n");
});

it("answers this host alone, and the host asks nobody else", () => {
  const files = contents({});
  assert.deepEqual(
    files
      .get(config)
      ?.match(/^ +interface: .*$/gm)
      ?.map((line) => line.trim()),
    ["interface: 127.0.0.1", "interface: ::1"],
  );
  assert.deepEqual(files.get("/etc/resolv.conf")?.match(/^nameserver .*$/gm), [
    "nameserver 127.0.0.1",
    "nameserver ::1",
  ]);
});
