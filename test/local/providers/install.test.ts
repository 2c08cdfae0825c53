import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { Provider } from "../../../local/providers/framework.ts";
import { installPlugins } from "../../../local/providers/install.ts";
import { PROVIDERS } from "../../../local/providers/names.ts";

const checkout = join(import.meta.dirname, "../../..");
const { dependencies } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
};

let folder: string;
let pulumiHome: string;
let userHome: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "install-test-"));
  pulumiHome = join(folder, "it's a home");
  userHome = join(folder, "user");
});
afterEach(() => rmSync(folder, { recursive: true }));

const folderOf = (name: string) =>
  join(pulumiHome, "plugins", `resource-${name}-v${dependencies[`@pulumi/${name}`]}`);
const executableOf = (name: string) => join(folderOf(name), `pulumi-resource-${name}`);

/** An official plugin in the user's own home. */
function official(name: string): string {
  const plugin = join(userHome, "plugins", `resource-${name}-v${dependencies[`@pulumi/${name}`]}`);
  mkdirSync(plugin, { recursive: true });
  writeFileSync(join(plugin, `pulumi-resource-${name}`), "official");
  chmodSync(join(plugin, `pulumi-resource-${name}`), 0o755);
  return plugin;
}

test("each provider is at its SDK's exact version, says its port and ends with its standard input", async () => {
  await installPlugins({ pulumiHome, names: PROVIDERS, checkout, userHome });
  for (const name of PROVIDERS) {
    const module: { provider: Provider } = await import(`../../../local/providers/${name}/provider.ts`);
    assert.equal(module.provider.name, name);
    assert.equal(module.provider.version, dependencies[`@pulumi/${name}`]);
    const child = spawn(executableOf(name), ["127.0.0.1:1"], { stdio: ["pipe", "pipe", "inherit"] });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    assert.match(line.toString(), /^\d+\n$/);
    const exited = once(child, "exit");
    child.stdin.end();
    assert.deepEqual(await exited, [0, null]);
  }
});

test("a second installation writes nothing", async () => {
  await installPlugins({ pulumiHome, names: ["tls"], checkout, userHome });
  const before = statSync(executableOf("tls"), { bigint: true }).mtimeNs;
  await installPlugins({ pulumiHome, names: ["tls"], checkout, userHome });
  assert.equal(statSync(executableOf("tls"), { bigint: true }).mtimeNs, before);
  assert.deepEqual(readdirSync(folderOf("tls")), ["pulumi-resource-tls"]);
});

test("the user's official plugin is linked, but never that of a cloud", async () => {
  await installPlugins({ pulumiHome, names: ["tls", "aws"], checkout, userHome });
  const plugin = official("tls");
  official("aws");
  official("cloudflare");
  const standIns = await installPlugins({
    pulumiHome,
    names: ["tls", "aws", "cloudflare"],
    checkout,
    userHome,
  });
  assert.deepEqual(standIns, ["aws", "cloudflare"]);
  assert.equal(realpathSync(folderOf("tls")), realpathSync(plugin));
  assert.equal(lstatSync(folderOf("aws")).isSymbolicLink(), false);
  assert.match(readFileSync(executableOf("aws"), "utf8"), /main\.ts' aws/);
  assert.match(readFileSync(executableOf("cloudflare"), "utf8"), /main\.ts' cloudflare/);
  rmSync(plugin, { recursive: true });
  await installPlugins({ pulumiHome, names: ["tls"], checkout, userHome });
  assert.match(readFileSync(executableOf("tls"), "utf8"), /main\.ts' tls/);
});

test("the user's own home is never written", async () => {
  await assert.rejects(
    installPlugins({ pulumiHome: userHome, names: ["tls"], checkout, userHome }),
    /is your own Pulumi home/,
  );
});
