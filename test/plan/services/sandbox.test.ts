import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../../plan/host.ts";
import { sampleSettings } from "./sample.ts";

const bundles = hostBundles(sampleSettings());

it("a changed drop-in restarts its daemon: systemd locks up what it starts, not what runs", () => {
  let seen = 0;
  for (const { files, units } of bundles)
    for (const { path } of files) {
      const name = /^\/etc\/systemd\/system\/([^/]+\.service)\.d\//.exec(path)?.[1];
      const daemon = units.find((unit) => unit.name === name);
      if (daemon === undefined) continue;
      seen += 1;
      assert.ok(daemon.restart.includes(path), path);
    }
  assert.ok(seen >= 6);
});

it("what sshd hands a login to is there before it does so", () => {
  const { files = [] } = bundles.find(({ name }) => name === "sshd") ?? {};
  const program = /^ForceCommand (.*)$/m.exec(files.map(({ content }) => content).join("\n"))?.[1];
  assert.equal(files.find(({ path }) => path === program)?.mode, "0755");
});
