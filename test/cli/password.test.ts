/** One mailbox's login, as text and as a picture. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import jsQR from "jsqr";
import { encode, renderUnicodeCompact } from "uqr";
import { accountCode, loginLines, loginOf } from "../../cli/password.ts";
import type { StackOutputs } from "../../local/stack.ts";
import { clientSettings } from "../../plan/clientSettings.ts";

const outputs = {
  credentials: { "ann@example.org": "Secret1", "ann@example.org/phone": "Secret2" },
  mailboxes: { "ann@example.org": "generated password", "bob@example.org": "password of its owner's" },
  clientSettings: clientSettings("mail.example.org"),
  setupPages: { "example.org": "https://autoconfig.example.org/" },
} as unknown as StackOutputs;
const ann = (device?: string, isShown = true) => loginOf(outputs, "ann@example.org", device, isShown, "home");

it("the text has all that is typed into a mail program", () => {
  assert.deepEqual(loginLines(ann()), [
    "address   ann@example.org",
    "login     ann@example.org",
    "password  Secret1",
    "IMAP      mail.example.org, port 993, SSL/TLS",
    "SMTP      mail.example.org, port 465, SSL/TLS; or port 587, STARTTLS",
    "",
    "Most programs find the servers by themselves. For people: https://autoconfig.example.org/",
  ]);
  assert.match(loginLines(ann("phone")).join("\n"), /^password +Secret2$/m);
});

it("a password that is not to be shown is nowhere in it", () => {
  assert.doesNotMatch(JSON.stringify([ann(undefined, false), loginLines(ann("phone", false))]), /Secret/);
});

describe("what cannot be shown", () => {
  for (const [address, device, reason] of [
    [
      "bob@example.org",
      undefined,
      /of which the stack has the hash alone: .* npx mailhost mailbox passwd bob@example\.org --stack home$/,
    ],
    [
      "carol@example.org",
      undefined,
      /The host has no mailbox carol@example\.org\. It has: ann@example\.org, bob@/,
    ],
    // What each object of JavaScript has.
    ["constructor", undefined, /The host has no mailbox constructor\./],
    ["ann@example.org", "laptop", /ann@example\.org has no device laptop\. It has: phone\./],
  ] as const)
    it(`is told why: ${address} ${device ?? ""}`, () => {
      assert.throws(() => loginOf(outputs, address, device, true, "home"), { message: reason });
    });
});

describe("the picture", () => {
  /** What a phone reads, of dark modules and of what is printed. */
  const read = (text: string) => {
    const { data } = encode(text, { border: 2 });
    const printed = renderUnicodeCompact(text, { border: 2 }).split("\n");
    // A sign is two modules, one over the other; a block is light, as on a dark terminal.
    const lit = { " ": [0, 0], "▀": [1, 0], "▄": [0, 1], "█": [1, 1] } as Readonly<Record<string, number[]>>;
    const shown = data.map((row, y) =>
      row.map((_, x) => lit[[...(printed[y >> 1] ?? "")][x] ?? ""]?.[y & 1] !== 1),
    );
    assert.deepEqual(shown, data);
    const [size, scale] = [data.length, 4];
    const pixels = new Uint8ClampedArray(size * scale * size * scale * 4).fill(255);
    for (let y = 0; y < size * scale; y += 1)
      for (let x = 0; x < size * scale; x += 1)
        if (data[Math.floor(y / scale)]?.[Math.floor(x / scale)])
          pixels.fill(0, 4 * (y * size * scale + x), 4 * (y * size * scale + x) + 3);
    return (jsQR as unknown as typeof jsQR.default)(pixels, size * scale, size * scale)?.data;
  };

  it("of a password is that password", () => assert.equal(read("Secret1"), "Secret1"));

  it("of an account is read as Thunderbird's format has it", () => {
    const [version, misc, incoming, groups] = JSON.parse(read(accountCode(ann())) ?? "") as unknown[];
    assert.deepEqual([version, misc], [1, [1, 1]]);
    assert.deepEqual(incoming, [0, "mail.example.org", 993, 3, 1, "ann@example.org", "", "Secret1"]);
    assert.deepEqual(groups, [
      [
        [0, "mail.example.org", 465, 3, 1, "ann@example.org", "Secret1"],
        ["ann@example.org", "ann"],
      ],
    ]);
  });
});
