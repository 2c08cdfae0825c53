import assert from "node:assert/strict";
import { it } from "node:test";
import { nftables } from "../../../plan/services/nftables.ts";
import type { Port } from "../../../plan/types.ts";

const port = (name: string, number: number, from: Port["from"]): Port => ({
  name,
  number,
  protocol: "tcp",
  from,
  why: `Says ${name}.`,
});
const rules = (...ports: Port[]) => nftables(ports).files[0]?.content ?? assert.fail();
/** The rules of one chain, without comments. */
const chain = (text: string, name: string) =>
  (new RegExp(`chain ${name} \\{\\n([^}]*(?:\\{[^}]*\\}[^}]*)*?)\\n {8}\\}`).exec(text)?.[1] ?? assert.fail())
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));

it("drops what comes in unasked, forwards nothing, sends everything", () => {
  const text = rules();
  assert.equal(chain(text, "input")[0], "type filter hook input priority filter; policy drop;");
  assert.deepEqual(chain(text, "forward"), ["type filter hook forward priority filter; policy drop;"]);
  assert.deepEqual(chain(text, "output"), ["type filter hook output priority filter; policy accept;"]);
  assert.doesNotMatch(text, /dport \d/);
});

it("opens a port to everybody in both families at once", () => {
  assert.deepEqual(chain(rules(port("smtp", 25, "anywhere")), "input").slice(-1), ["tcp dport 25 accept"]);
});

it("opens a port to networks, each in its own family, and to nobody else", () => {
  const text = rules(port("x", 7, ["192.0.2.0/24", "2001:db8::/32", "198.51.100.1/32"]));
  assert.deepEqual(
    chain(text, "input").filter((line) => line.includes("dport 7")),
    [
      "ip saddr { 192.0.2.0/24, 198.51.100.1/32 } tcp dport 7 accept",
      "ip6 saddr { 2001:db8::/32 } tcp dport 7 accept",
    ],
  );
  assert.doesNotMatch(rules(port("x", 7, ["192.0.2.0/24"])), /ip6 saddr \{/);
});

it("counts new SSH connections of each source before it lets one in, from wherever the operator is now", () => {
  const lines = chain(rules(port("ssh", 22, ["192.0.2.0/24"])), "input").filter((line) =>
    line.includes("dport 22"),
  );
  assert.equal(lines.length, 3);
  assert.match(lines[0] ?? "", /ct state new add @ssh_sources_v4 .* drop$/);
  assert.match(lines[1] ?? "", /ct state new add @ssh_sources_v6 .* drop$/);
  assert.equal(lines[2], "tcp dport 22 accept");
});

it("each port says why it is open", () => {
  assert.match(rules(port("smtp", 25, "anywhere")), /# smtp: Says smtp\.\n {16}tcp dport 25 accept/);
});

it("a mistake here would lock the operator out: it waits for a second login", () => {
  assert.equal(nftables([]).confirm, true);
});
