import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { routes } from "../../settings/routes.ts";
import { settingsWith } from "./settings.ts";

function planned(keys: Readonly<Record<string, unknown>>) {
  const settings = settingsWith(keys);
  const bundles = hostBundles(settings);
  const files = new Map(bundles.flatMap(({ files }) => files).map(({ path, content }) => [path, content]));
  return {
    bundle: bundles.find(({ name }) => name === "reports"),
    main: files.get("/etc/postfix/main.cf") ?? "",
    users: files.get("/etc/sysusers.d/mailhost.conf") ?? "",
    config: files.get("/etc/mailhost/reports.json"),
    to: Object.fromEntries(routes(settings).map(({ address, to }) => [address, to.join()])),
  };
}

it("reports: off nothing is there for them, and their addresses lead to the owner", () => {
  const { bundle, main, users, to } = planned({ reports: false });
  assert.equal(bundle, undefined);
  assert.doesNotMatch(main, /^transport_maps/m);
  assert.doesNotMatch(users, /^u reports/m);
  assert.equal(to["dmarc@example.org"], "ann@example.org");
  assert.equal(to["tls-reports@example.org"], "ann@example.org");
});

it("reports: by default both addresses lead to the program, which knows the domains", () => {
  const { bundle, main, users, config, to } = planned({});
  assert.ok(bundle);
  assert.match(
    main,
    /^transport_maps = inline:\{ \{ reports@mail\.example\.org = lmtp:unix:\/run\/mailhost-reports\.sock \} \}$/m,
  );
  assert.match(users, /^u reports +810 /m);
  assert.deepEqual(JSON.parse(config ?? ""), {
    hostname: "mail.example.org",
    domains: ["example.org", "mail.example.org"],
    keepDays: 400,
  });
  assert.equal(to["dmarc@example.org"], "reports@mail.example.org");
  assert.equal(to["tls-reports@example.org"], "reports@mail.example.org");
  assert.equal(to["abuse@example.org"], "ann@example.org");
  assert.match(planned({ reports: { keepDays: 90 } }).config ?? "", /"keepDays": 90/);
});

it("reports: beside domains of others whose mail waits here there is one table for both", () => {
  const { main } = planned({ backupMx: { "friend.example": "mx.friend.example" } });
  assert.equal(main.match(/^transport_maps =/gm)?.length, 1);
  assert.match(main, /^transport_maps = inline:\{.*\} texthash:\/etc\/postfix\/backup-mx$/m);
});
