import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { COMMENT_MARK, conflicts, type ExistingRecord } from "../../plan/conflicts.ts";

const existing = (type: string, content: string, comment = ""): ExistingRecord => ({
  id: content,
  name: "example.org",
  type,
  content,
  comment,
});

const found = (type: "A" | "AAAA" | "MX" | "TXT", content: string, others: readonly ExistingRecord[]) =>
  conflicts({ name: "example.org", type }, content, others).map(({ id }) => id);

describe("records that stand where one of ours is to be", () => {
  it("names every other MX, the same one too", () => {
    const others = [
      existing("MX", "aspmx.example.net"),
      existing("MX", "alt1.example.net"),
      existing("MX", "mail.example.org"),
    ];
    assert.deepEqual(found("MX", "mail.example.org", others), [
      "aspmx.example.net",
      "alt1.example.net",
      "mail.example.org",
    ]);
  });

  it("takes TXT records of one kind only for each other", () => {
    const others = [
      existing("TXT", '"google-site-verification=x"'),
      existing("TXT", '"v=spf1 include:example.net -all"'),
    ];
    assert.deepEqual(found("TXT", "v=spf1 mx -all", others), ['"v=spf1 include:example.net -all"']);
  });

  it("minds an address of either kind, and a CNAME always", () => {
    assert.deepEqual(found("A", "198.51.100.1", [existing("AAAA", "2001:db8::1")]), ["2001:db8::1"]);
    assert.deepEqual(found("MX", "mail.example.org", [existing("CNAME", "elsewhere.example")]), [
      "elsewhere.example",
    ]);
    assert.deepEqual(found("MX", "mail.example.org", [existing("A", "198.51.100.80")]), []);
  });

  it("leaves alone what carries our mark, and other names", () => {
    assert.deepEqual(found("MX", "mail.example.org", [existing("MX", "x", `${COMMENT_MARK}because`)]), []);
    assert.deepEqual(
      conflicts({ name: "www.example.org", type: "A" }, "198.51.100.1", [existing("A", "198.51.100.80")]),
      [],
    );
  });
});
