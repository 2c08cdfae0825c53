import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

function files(lists?: unknown): ReadonlyMap<string, string> {
  const bundles = hostBundles(settingsWith(lists === undefined ? {} : { lists }));
  const own = bundles.find(({ name }) => name === "lists") ?? assert.fail();
  return new Map(own.files.map(({ path, content }) => [path, content]));
}

const rspamd = "/etc/rspamd/local.d";
const maps = "/etc/mailhost/lists";

it("lists: of themselves, nobody is refused or welcome; refusals name the lists of Debian's package", () => {
  const found = files();
  assert.deepEqual([...found.keys()], ["/etc/rspamd/lua.local.d/refusals.lua"]);
  assert.match(
    found.get("/etc/rspamd/lua.local.d/refusals.lua") ?? "",
    /'zen\.spamhaus\.org', 'https:\/\/check\.spamhaus\.org\/'/,
  );
});

it("lists: a domain means all below it, an address itself, and neither matches what only ends alike", () => {
  const found = files({ refuse: ["Spam.Example", "ads@shop.example"], welcome: ["müller.example"] });
  const expressions = (name: string) =>
    [...(found.get(`${maps}/${name}.map`) ?? "").matchAll(/^\/(.*)\/i$/gm)].map(
      ([, source]) => new RegExp(source ?? "", "i"),
    );
  const isRefused = (address: string) => expressions("refused-senders").some((each) => each.test(address));
  for (const address of ["x@spam.example", "x@eu.spam.example", "ads@shop.example", "Ads@Shop.Example"])
    assert.ok(isRefused(address), address);
  for (const address of ["x@nospam.example", "x@spam.example.net", "x@spam-example", "bads@shop.example"])
    assert.ok(!isRefused(address), address);
  assert.ok(expressions("welcome-senders").some((each) => each.test("a@xn--mller-kva.example")));
  assert.match(found.get(`${rspamd}/multimap.conf`) ?? "", /REFUSED_SENDER \{[\s\S]*WELCOME_SENDER \{/);
  assert.doesNotMatch(found.get(`${rspamd}/multimap.conf`) ?? "", /_NETWORK/);
});

it("lists: networks stand in maps of their own", () => {
  const found = files({ refuse: ["192.0.2.0/24"], welcome: ["2001:db8:7::/48"] });
  assert.match(found.get(`${maps}/refused-networks.map`) ?? "", /^192\.0\.2\.0\/24$/m);
  assert.match(found.get(`${maps}/welcome-networks.map`) ?? "", /^2001:db8:7::\/48$/m);
  assert.match(found.get(`${rspamd}/multimap.conf`) ?? "", /REFUSED_NETWORK \{[\s\S]*WELCOME_NETWORK \{/);
});

it("lists: a list in the DNS with its weight, its answers and its way out", () => {
  const found = files({
    dns: [
      { zone: "bl.example.net", score: 15, codes: ["127.0.0.2", "127.0.0.3"] },
      { zone: "b-l.example.net", of: "domains", remove: "https://b-l.example.net/" },
    ],
  });
  const rbl = found.get(`${rspamd}/rbl.conf`) ?? "";
  assert.match(rbl, /rbl = "bl\.example\.net";\n {4}checks = \["from"\]/);
  assert.match(rbl, /OWN_LIST_BL_EXAMPLE_NET = \["127\.0\.0\.2", "127\.0\.0\.3"\];/);
  assert.match(rbl, /rbl = "b-l\.example\.net";\n {4}checks = \["dkim", "emails", "helo", "rdns", "urls"\]/);
  // Lua's patterns of these, where `%` is its backslash: all answers but those of a list that does not answer.
  const patterns = [...rbl.matchAll(/"(127%[^"]*)"/g)].map(
    ([, text]) => new RegExp(`^${(text ?? "").replaceAll("%d", "\\d").replaceAll("%.", "\\.")}$`),
  );
  const counts = (answer: string) => patterns.some((pattern) => pattern.test(answer));
  for (const answer of ["127.0.0.2", "127.0.1.2", "127.10.0.1", "127.254.9.9", "127.200.0.1", "127.199.0.1"])
    assert.ok(counts(answer), answer);
  for (const answer of ["127.255.255.254", "127.255.0.1"]) assert.ok(!counts(answer), answer);
  const weights = found.get(`${rspamd}/rbl_group.conf`) ?? "";
  assert.match(weights, /"OWN_LIST_BL_EXAMPLE_NET" \{\n {4}weight = 15;/);
  assert.match(weights, /"OWN_LIST_B__L_EXAMPLE_NET" \{\n {4}weight = 4;/);
  const texts = found.get("/etc/rspamd/lua.local.d/refusals.lua") ?? "";
  assert.match(texts, /'\^OWN_LIST_BL_EXAMPLE_NET\$', 'bl\.example\.net', nil/);
  assert.match(
    texts,
    /'\^OWN_LIST_B__L_EXAMPLE_NET\$', 'b-l\.example\.net', 'https:\/\/b-l\.example\.net\/'/,
  );
});

it("lists: what is no sender, no zone, no answer, of this host, or named twice is said", () => {
  const mistakes = [
    [{ refuse: ["spam"] }, /mailhost:lists\.refuse\[0\]: is no sender; write a domain/],
    [{ refuse: ["0.0.0.0/0"] }, /mailhost:lists\.refuse\[0\]: is no sender/],
    [{ refuse: ["example.org"] }, /mailhost:lists\.refuse\[0\]: is of this host \(example\.org\)/],
    [{ refuse: ["org"] }, /mailhost:lists\.refuse\[0\]/],
    [{ refuse: ["a.example"], welcome: ["A.example"] }, /mailhost:lists\.refuse\[0\]: is welcome as well/],
    [{ dns: [{ zone: "bl" }] }, /mailhost:lists\.dns\[0\]\.zone: is no zone of a list/],
    [
      { dns: [{ zone: "bl.example.net", codes: ["127.0.0"] }] },
      /dns\[0\]\.codes\[0\]: is no answer of a list/,
    ],
    [{ dns: [{ zone: "bl.example.net" }, { zone: "bl.example.net" }] }, /dns\[1\]\.zone: is named twice/],
    [{ dns: [{ zone: "bl.example.net", remove: "ask us" }] }, /mailhost:lists\.dns\[0\]\.remove: /],
    [{ dns: [{ zone: "bl.example.net", remove: "https://x/'" }] }, /remove: has a quote/],
  ] as const;
  for (const [lists, message] of mistakes) assert.throws(() => settingsWith({ lists }), message);
});
