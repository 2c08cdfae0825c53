import assert from "node:assert/strict";
import { it } from "node:test";
import { publishedTexts } from "../../components/dns/texts.ts";

const name = "_dmarc.example.org";
const text = "v=DMARC1; p=reject";

it("each keeper's texts are found in the state, in one form", () => {
  const set = { stdin: JSON.stringify({ name, type: "TXT" }), stdout: JSON.stringify([text]) };
  for (const [type, outputs] of [
    ["cloudflare:index/dnsRecord:DnsRecord", { name, type: "TXT", content: `"${text}"` }],
    ["aws:route53/record:Record", { name, type: "TXT", records: [text] }],
    ["command:local:Command", set],
    ["command:local:Command", { stdin: { value: set.stdin }, stdout: { value: set.stdout } }],
  ] as const)
    assert.deepEqual(publishedTexts(type, outputs), [[name, `"${text}"`]], type);
});

it("other resources, other types and what was never made have none", () => {
  for (const [type, outputs] of [
    ["cloudflare:index/dnsRecord:DnsRecord", { name, type: "A", content: "192.0.2.1" }],
    ["aws:route53/record:Record", { name, type: "MX", records: ["10 a.example."] }],
    ["command:local:Command", { stdin: JSON.stringify({ name, type: "TXT" }) }],
    ["command:local:Command", { stdin: "plain", stdout: "plain" }],
    ["aws:ec2/eip:Eip", {}],
  ] as const)
    assert.deepEqual(publishedTexts(type, outputs), [], type);
});

it("a step that brings the host's own zones has all of their texts; another step on the host none", () => {
  const stdin = `=== example.org\n$ORIGIN example.org.\n_dmarc 300 IN TXT "${text}"\n@ 300 IN TXT "v=spf1 mx -all"\n=== end\n`;
  const create = "sudo /usr/local/lib/mailhost/zones put dns";
  assert.deepEqual(publishedTexts("command:remote:Command", { create, stdin }), [
    [name, `"${text}"`],
    ["example.org", '"v=spf1 mx -all"'],
  ]);
  assert.deepEqual(publishedTexts("command:remote:Command", { create: "cat", stdin }), []);
});
