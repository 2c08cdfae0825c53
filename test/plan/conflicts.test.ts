import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { conflicts, type ExistingRecord, markIn, markOf } from "../../plan/conflicts.ts";

const existing = (type: string, content: string, comment = ""): ExistingRecord => ({
  id: content,
  name: "example.org",
  type,
  content,
  comment,
});

const found = (type: "A" | "AAAA" | "MX" | "TXT", content: string, others: readonly ExistingRecord[]) =>
  conflicts({ name: "example.org", type, zone: "example.org" }, content, others, markOf("own123")).map(
    ({ id }) => id,
  );

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

  it("minds an address of either kind, and a CNAME but where it is a zone's web site", () => {
    assert.deepEqual(found("A", "198.51.100.1", [existing("AAAA", "2001:db8::1")]), ["2001:db8::1"]);
    const site = existing("CNAME", "elsewhere.example");
    assert.deepEqual(found("A", "198.51.100.1", [site]), ["elsewhere.example"]);
    assert.deepEqual(found("MX", "mail.example.org", [site]), []);
    assert.deepEqual(found("TXT", "v=spf1 mx -all", [site]), []);
    const below = { name: "example.org", type: "MX", zone: "org" } as const;
    assert.deepEqual(conflicts(below, "mail.example.org", [site], undefined), [site]);
    assert.deepEqual(found("MX", "mail.example.org", [existing("A", "198.51.100.80")]), []);
  });

  it("leaves alone what carries this stack's mark, and other names", () => {
    assert.deepEqual(found("MX", "mail.example.org", [existing("MX", "x", "mailhost own123: because")]), []);
    assert.deepEqual(
      conflicts(
        { name: "www.example.org", type: "A", zone: "example.org" },
        "198.51.100.1",
        [existing("A", "198.51.100.80")],
        undefined,
      ),
      [],
    );
  });

  it("takes another stack's records, and those of a lost state, for foreign", () => {
    const other = existing("MX", "mail.example.org", "mailhost other1: because");
    assert.deepEqual(found("MX", "mail.example.org", [other]), ["mail.example.org"]);
    assert.deepEqual(
      conflicts({ name: "example.org", type: "MX", zone: "example.org" }, "x", [other], undefined),
      [other],
    );
  });

  it("reads the mark out of a comment", () => {
    assert.equal(markIn(`${markOf("a1b2c3")}why: because`), "mailhost a1b2c3: ");
    assert.equal(markIn("mailhost is here: x"), undefined);
  });
});
