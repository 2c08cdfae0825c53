import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { joinSpf, lookUps, ownSpf, partSpf, type SpfPart, spfTrouble } from "../../plan/spf.ts";
import { spfAlls } from "../../settings/spf.ts";

const mx: SpfPart = { own: ["mx"] };
const joined = (text: string, part: SpfPart = mx) => joinSpf(text, part).text;

it("the host comes first, and all else stays letter by letter", () => {
  assert.equal(
    joined("v=spf1 include:_spf.others.example ~all"),
    "v=spf1 mx include:_spf.others.example ~all",
  );
  assert.equal(
    joined("V=SPF1  -ip4:192.0.2.1   ?all exp=why.example"),
    "V=SPF1 mx  -ip4:192.0.2.1   ?all exp=why.example",
  );
  assert.equal(joined("v=spf1 redirect=_spf.others.example"), "v=spf1 mx redirect=_spf.others.example");
  assert.equal(joined("v=spf1"), "v=spf1 mx");
});

it("what is there already is not there twice, unless it counts for nothing where it is", () => {
  const part = { own: ["mx", "include:relay.example"] };
  assert.equal(joined("v=spf1 +MX a ~all", part), "v=spf1 include:relay.example +MX a ~all");
  assert.equal(joined("v=spf1 ~all mx", mx), "v=spf1 mx ~all mx");
  assert.equal(joined("v=spf1 ?mx ~all", mx), "v=spf1 mx ?mx ~all");
  assert.equal(joined(joined("v=spf1 a ~all", part), part), joined("v=spf1 a ~all", part));
});

it("what is said of all others stays, unless the stack file says it", () => {
  assert.equal(joined("v=spf1 a ~all", { ...mx, all: "-all" }), "v=spf1 mx a -all");
  assert.equal(joined("v=spf1 a", { ...mx, all: "?all" }), "v=spf1 mx a ?all");
  assert.equal(joined("v=spf1 a -ALL", { ...mx, all: "-all" }), "v=spf1 mx a -ALL");
  assert.equal(ownSpf(mx), "v=spf1 mx -all");
  assert.equal(ownSpf({ ...mx, all: "~all" }), "v=spf1 mx ~all");
});

it("a record that has been changed by hand keeps that, and loses what was put in", () => {
  const { change } = joinSpf("v=spf1 a ~all", { own: ["mx", "include:relay.example"], all: "-all" });
  assert.equal(partSpf("v=spf1 mx include:relay.example a -all", change), "v=spf1 a ~all");
  assert.equal(partSpf("v=spf1 a include:new.example mx -all", change), "v=spf1 a include:new.example ~all");
  assert.equal(partSpf("v=spf1 include:new.example ?all", change), "v=spf1 include:new.example ?all");
  // One of its own, which somebody has put in beside it.
  assert.equal(partSpf("v=spf1 mx a mx -all", change), "v=spf1 a mx ~all");
});

it("whatever a record says, it is again what it was, byte for byte", () => {
  const term = fc.constantFrom(
    "mx",
    "MX",
    "+mx",
    "a",
    "a:x.example/24",
    "include:relay.example",
    "~all",
    "-all",
    "all",
    "redirect=x.example",
    "exp=y",
    "",
  );
  const text = fc.array(term, { maxLength: 8 }).map((terms) => ["v=spf1", ...terms].join(" "));
  const own = fc.uniqueArray(fc.constantFrom("mx", "a:mail.example.org", "include:relay.example"), {
    minLength: 1,
  });
  const all = fc.constantFrom(...spfAlls, undefined);
  fc.assert(
    fc.property(text, own, all, (text, own, all) => {
      const { text: together, change } = joinSpf(text, { own, ...(all && { all }) });
      assert.equal(partSpf(together, change), text);
    }),
    { numRuns: 2000 },
  );
});

it("what cannot be one record with the host's is said with its reason", () => {
  const trouble = (text: string, part: SpfPart = mx) => spfTrouble(text, part) ?? "none";
  assert.equal(
    trouble(
      "v=spf1 include:%{d}.x.example ip4:192.0.2.0/24 ip6:2001:db8::/32 a:b/24//64 ptr exists:%{i}.x ra=x -all",
    ),
    "none",
  );
  assert.match(trouble("v=spf1 ipv4:192.0.2.1 -all"), /^has `ipv4:192\.0\.2\.1` in it, which is no SPF/);
  assert.match(trouble("v=spf1 a +all"), /^lets everybody send \(`\+all`\)/);
  assert.equal(trouble("v=spf1 a all", { ...mx, all: "~all" }), "none");
  assert.match(
    trouble("v=spf1 a redirect=x.example", { ...mx, all: "-all" }),
    /`redirect=`, which no longer counts/,
  );
  assert.equal(trouble("v=spf1 a redirect=x.example"), "none");
});

it("its look-ups are counted, those of what it includes among them, and a circle ends", async () => {
  const records: Readonly<Record<string, string>> = {
    "a.example": "v=spf1 a mx ptr exists:%{i}.x.example ip4:192.0.2.1 -all",
    "b.example": "v=spf1 include:c.example ~all",
    "c.example": "v=spf1 include:b.example redirect=gone.example",
  };
  const spfOf = (name: string) => Promise.resolve(records[name]);
  const cost = (text: string) => lookUps(text, spfOf, ["example.org"]);
  assert.deepEqual(await cost("v=spf1 mx include:a.example -all"), { count: 6, missing: [] });
  assert.deepEqual(await cost("v=spf1 include:b.example -all"), { count: 4, missing: ["gone.example"] });
});
