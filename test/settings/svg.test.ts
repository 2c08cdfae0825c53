import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import fc from "fast-check";
import { XMLValidator } from "fast-xml-parser";
import { logoMistake } from "../../settings/svg.ts";
import { logo } from "../options/logo.ts";

const { validateSvg } = createRequire(import.meta.url)("mailauth/lib/bimi/validate-svg.js") as {
  readonly validateSvg: (svg: string) => boolean;
};

const having = (from: string | RegExp, to: string) => {
  const changed = logo.replace(from, to);
  assert.notEqual(changed, logo);
  return changed;
};
const inside = (more: string) => having("</svg>", `${more}</svg>`);

/** Whether mailauth, which judges logos for receivers, takes it. */
function isTaken(svg: string): boolean {
  try {
    return validateSvg(svg);
  } catch {
    return false;
  }
}

describe("logos of BIMI", () => {
  it("a right one is right, and to mailauth, too", () => {
    assert.equal(logoMistake(logo), undefined);
    assert.ok(isTaken(logo));
  });

  const wrong: Readonly<Record<string, readonly [svg: string, message: RegExp]>> = {
    "too large": [
      inside(`<desc>${"x".repeat(33_000)}</desc>`),
      /^has 33\d+ bytes, and mail programs take 32768/,
    ],
    "a script": [inside("<script>alert(1)</script>"), /^has <script>/],
    "a picture of pixels": [
      inside('<image width="1" height="1" xlink:href="data:image/png;base64,AA"/>'),
      /^has <image>/,
    ],
    "an animation": [inside('<animate attributeName="x"/>'), /^has <animate>/],
    "something of the web": [inside("<foreignObject/>"), /^has <foreignObject>/],
    "a link": [inside('<a xlink:href="https://example.net"/>'), /^has <a>/],
    "another SVG in it": [inside("<svg/>"), /^has <svg>/],
    "what leads outside": [
      inside('<use xlink:href="https://example.net/#a"/>'),
      /^leads outside itself by xlink:href= in <use>/,
    ],
    "a fill from outside": [
      having("url(#sea)", "url(https://example.net/#a)"),
      /^leads outside itself by fill= in <path>/,
    ],
    "a fill from outside, by numbers of characters": [
      having("url(#sea)", "u&#114;&#x6c;(https://example.net/#a)"),
      /^leads outside itself by fill= in <path>/,
    ],
    "a fill from outside, behind one from inside": [
      having("url(#sea)", "url(#sea) url(https://example.net/#a)"),
      /^leads outside itself by fill= in <path>/,
    ],
    "a fill from outside, by an escape of CSS": [
      having("url(#sea)", "\\\\75rl(https://example.net/#a)"),
      /^leads outside itself by fill= in <path>/,
    ],
    "a base outside": [
      having("<path", '<path xml:base="https://example.net/"'),
      /^leads outside itself by xml:base= in <path>/,
    ],
    "a source outside": [
      having("<path", '<path src="https://example.net/"'),
      /^leads outside itself by src= in <path>/,
    ],
    "a prefix of nobody's": [
      inside('<g><g xmlns:b="urn:b"/><use b:href="#sea"/></g>'),
      /^has b: in <use>, and no xmlns:b= in its first tag/,
    ],
    "a control character": [inside("<desc>\x07</desc>"), /^has a character that XML may not have/],
    "no character, by its number": [inside("<desc>&#0;</desc>"), /^has a character that XML may not have/],
    "no character, by its number in hex": [inside("<desc>&#x1F;</desc>"), /^has a character that XML/],
    "beyond all characters": [inside("<desc>&#x110000;</desc>"), /^has a character that XML may not have/],
    "a size without end": [having("0 0 100 100", "0 0 Infinity Infinity"), /^is not square/],
    "a size too few": [having("0 0 100 100", "0 100 100"), /^is not square/],
    "a size too many": [having("0 0 100 100", "0 0 100 100 100"), /^is not square/],
    "a size that is no plain number": [having("0 0 100 100", "0 0 1e2 1e2"), /^is not square/],
    "what acts": [having("<path", '<path onclick="x()"'), /^has onclick= in <path>/],
    "a style": [having("<path", '<path style="fill:red"'), /^has style= in <path>/],
    "another version": [
      having('version="1.2"', 'version="1.1"'),
      /^has version="1\.1" in its first tag; write version="1\.2"/,
    ],
    "no profile": [having(' baseProfile="tiny-ps"', ""), /^has no baseProfile in its first tag/],
    "another profile": [having("tiny-ps", "tiny"), /write baseProfile="tiny-ps"/],
    "no namespace": [having(' xmlns="http://www.w3.org/2000/svg"', ""), /^has no xmlns/],
    "not square": [having("0 0 100 100", "0 0 100 90"), /^is not square/],
    "no viewBox": [having(' viewBox="0 0 100 100"', ""), /^is not square, or does not say so/],
    "of another width": [having("viewBox", 'width="5" height="6" viewBox'), /^has another width than height/],
    "in a place": [having("viewBox", 'x="0" viewBox'), /^has x= in its first tag/],
    "no title": [having(/<title>.*<\/title>/, ""), /^has no title/],
    "an empty title": [having(/<title>.*<\/title>/, "<title> </title>"), /^has no title/],
    "a title elsewhere": [having(/<title>(.*)<\/title>/, "<g><title>$1</title></g>"), /^has no title/],
    "a document type": [
      having("<svg", '<!DOCTYPE svg [<!ENTITY x "y">]>\n<svg'),
      /^cannot be read from "<!DOCTYPE/,
    ],
    "an entity of nobody's": [having("&amp;", "&x;"), /^has an & that begins nothing/],
    "a tag that does not end": [having("</defs>", ""), /^ends <svg> where something else is open/],
    "nothing that ends": [having("</svg>", ""), /^does not end <svg>/],
    "two of them": [`${logo}<svg/>`, /^has more than one outermost tag/],
    "text beside it": [`${logo}x`, /^has text outside its tags/],
    "no XML": ["PNG", /^has text outside its tags/],
    HTML: ["<html/>", /^is no SVG/],
    nothing: ["", /^is no SVG/],
  };
  for (const [what, [svg, message]] of Object.entries(wrong))
    it(`${what}: said, with what to write`, () => {
      assert.match(logoMistake(svg) ?? "right", message);
      assert.match(logoMistake(svg) ?? "", /; (write|take|let)/);
    });

  it("what is right is XML, and right to mailauth; what is cut or mixed up is said in no time", () => {
    const pieces = logo.split(/(?=[<>"=])/);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(pieces.length), fc.constantFrom(...pieces, "")), { maxLength: 3 }),
        (changes) => {
          const changed = [...pieces];
          for (const [at, piece] of changes) changed[at] = piece;
          const svg = changed.join("");
          if (logoMistake(svg) !== undefined) return;
          assert.equal(XMLValidator.validate(svg), true, svg);
          assert.ok(isTaken(svg), svg);
        },
      ),
      { numRuns: 2000 },
    );
    const begun = Date.now();
    logoMistake(`<svg ${'a="b" '.repeat(5000)}`);
    logoMistake(`<!--${"-".repeat(30_000)}`);
    assert.ok(Date.now() - begun < 1000);
  });
});
