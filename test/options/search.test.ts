import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles, hostPackages } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

const of = (search?: unknown) => {
  const bundles = hostBundles(settingsWith(search === undefined ? {} : { search }));
  const own = bundles.find(({ name }) => name === "search");
  return {
    packages: hostPackages(bundles),
    units: own?.units.map(({ name }) => name),
    conf: own?.files.find(({ path }) => path.endsWith(".conf"))?.content ?? "",
  };
};

it("search: off it is absent", () => {
  const { packages, units } = of(false);
  assert.equal(packages.includes("dovecot-flatcurve"), false);
  assert.equal(units, undefined);
});

it("search: by default four languages, and the index grows at night", () => {
  const { packages, units, conf } = of();
  assert.ok(packages.includes("dovecot-flatcurve"));
  assert.deepEqual(units, ["dovecot.service", "mailhost-index.timer"]);
  assert.deepEqual(
    [...conf.matchAll(/^language (\w+) \{/gm)].map(([, name]) => name),
    ["en", "de", "es", "fr"],
  );
});

it("search: the first language stands for unknown ones, and each stands once", () => {
  const { conf } = of({ languages: ["nl", "en", "nl"] });
  assert.ok(conf.endsWith("language nl {\n  default = yes\n}\nlanguage en {\n}\n"), conf);
});

it("search: a language that Dovecot does not know is a mistake, and so is none", () => {
  assert.throws(() => settingsWith({ search: { languages: ["en", "xx"] } }), /mailhost:search/);
  assert.throws(() => settingsWith({ search: { languages: [] } }), /mailhost:search/);
});
