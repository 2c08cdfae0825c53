import assert from "node:assert/strict";
import { it } from "node:test";
import { render, verbatim } from "../../plan/template.ts";

const conf = "etc/mailhost/certificate.conf";
const model = {
  names: "mail.example.org",
  directory: "https://acme.example/d?a=1&b=2",
  contact: "a@b.example",
  key: "tls-20261121",
  byDns: false,
};

it("fills in a template as it is, without escaping", () => {
  assert.match(
    render(conf, { ...model, ca: false }),
    /^ACME_DIRECTORY=https:\/\/acme\.example\/d\?a=1&b=2$/m,
  );
});

it("leaves no line behind where a block's tag stood, nor where the block was left out", () => {
  const [without, with_] = [false, "/ca.pem"].map((ca) => render(conf, { ...model, ca }).split("\n"));
  assert.equal(with_?.length, (without?.length ?? 0) + 2);
  for (const lines of [without, with_])
    assert.deepEqual(
      lines?.slice(0, -1).filter((line) => line === ""),
      [],
    );
});

it("names the template and the field that the model lacks", () => {
  const { contact: _, ...rest } = model;
  assert.throws(
    () => render(conf, { ...rest, ca: false }),
    /^Error: files\/etc\/mailhost\/certificate\.conf: .*contact/,
  );
  assert.throws(() => render(conf, model), /certificate\.conf: line \d+: #if has nothing/);
});

it("says which template is not there", () => {
  assert.throws(() => verbatim("etc/nothing"), /etc\/nothing/);
});
