/** The records and pages by which mail programs set themselves up, switched off and on again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cloudflare, zoneId } from "../e2e/cloudflare.ts";
import { mailhost, previewSteps, up, withStack } from "../e2e/mailhost.ts";
import { web, worldResolver } from "../e2e/web.ts";
import { ownCloud } from "./own-cloud.ts";

ownCloud();

test("off and on again: names and records go and come; a name that leads elsewhere is refused", async () => {
  const resolver = worldResolver();
  await withStack(
    (stack) => stack.setIn(["config", "mailhost:clientSetup"], false),
    async () => {
      await up();
      for (const name of ["autoconfig.example.org", "autodiscover.example.com"])
        await assert.rejects(resolver.resolve4(name), { code: "ENOTFOUND" });
      await assert.rejects(resolver.resolveSrv("_imaps._tcp.example.org"), /ENOTFOUND|ENODATA/);
      assert.deepEqual(await previewSteps(), []);
    },
  );
  const place = { type: "CNAME", name: "autoconfig.example.com", content: "old.example.net", ttl: 300 };
  const zone = await zoneId("example.com");
  const { id } = await cloudflare<{ id: string }>("POST", `/zones/${zone}/dns_records`, place);
  const refused = await mailhost(["pulumi", "preview"]);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stdout, /autoconfig\.example\.com CNAME old\.example\.net/);
  await cloudflare("DELETE", `/zones/${zone}/dns_records/${id}`);
  await up();
  const { status } = await web("https://autoconfig.example.com/");
  assert.equal(status, 200);
  assert.deepEqual(await previewSteps(), []);
});
