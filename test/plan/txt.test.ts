import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { quoteTxt, unquoteTxt } from "../../plan/txt.ts";

it("a short value is one string in quotes", () => {
  assert.equal(quoteTxt("v=spf1 mx -all"), '"v=spf1 mx -all"');
  assert.equal(quoteTxt(""), '""');
});

it("a long value is cut after 255 bytes, and no empty string follows a full one", () => {
  assert.equal(quoteTxt("a".repeat(255)), `"${"a".repeat(255)}"`);
  assert.equal(quoteTxt("a".repeat(256)), `"${"a".repeat(255)}" "a"`);
  assert.equal(quoteTxt("a".repeat(511)), `"${"a".repeat(255)}" "${"a".repeat(255)}" "a"`);
});

it("quotes, backslashes and bytes outside printable ASCII are escaped, and count as one byte each", () => {
  assert.equal(quoteTxt('a"b\\c\tdé'), '"a\\"b\\\\c\\009d\\195\\169"');
  assert.equal(quoteTxt('"'.repeat(255)), `"${'\\"'.repeat(255)}"`);
});

it("read back as RFC 1035 says, every value is itself, in strings of at most 255 bytes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 700 }), (value) => {
      const strings = readBack(quoteTxt(value));
      assert(strings.every((bytes) => bytes.length <= 255));
      assert.deepEqual(Buffer.concat(strings), Buffer.from(value, "utf8"));
    }),
  );
});

it("taken out of its quotes again, every text is itself, and one without quotes stays as it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 700 }), (value) => {
      assert.equal(unquoteTxt(quoteTxt(value)), value);
    }),
  );
  assert.equal(unquoteTxt("v=spf1 mx -all"), "v=spf1 mx -all");
});

function readBack(text: string): Buffer[] {
  return Array.from(text.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, inner = ""]) =>
    Buffer.from(
      inner.replace(/\\(\d{3})|\\(.)/g, (_, code?: string, character?: string) =>
        code === undefined ? (character ?? "") : String.fromCharCode(Number(code)),
      ),
      "latin1",
    ),
  );
}
