import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { parseSettings, SettingsError } from "../../settings/parse.ts";
import { schema } from "../../settings/schema.ts";

const anything = fc.oneof(
  fc.anything({ maxDepth: 3, withNullPrototype: false }),
  fc.constantFrom(
    "",
    "x",
    "0.0.0.0/0",
    "8",
    "true",
    `\${NAME}`,
    `\${`,
    null,
    {},
    [],
    [[]],
    "ann",
    "ann@a.example",
  ),
);

/** Settings of the right keys, most values nearly right. */
const name = fc.constantFrom(
  "ann",
  "Ann",
  "bob",
  "info",
  "postmaster",
  "a+b",
  "x@b.example",
  "__proto__",
  "constructor",
);
const address = fc.constantFrom(
  "ann",
  "bob",
  "info",
  "nobody",
  "x@elsewhere.example",
  "ann@a.example",
  "ann@b.example",
  "a@mail.a.example",
);
const hash = fc
  .tuple(
    fc.constantFrom("$6$", "$2y$05$", "$argon2id$", "{PLAIN}", "{SSHA512}", "{", "$y$", ""),
    fc.stringMatching(/^[a-z0-9$:. ]{12,40}$/),
  )
  .map(([scheme, rest]) => `${scheme}HASH${rest}`);
const nearly = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: value }, { weight: 1, arbitrary: anything });

const domain = fc.record(
  {
    since: nearly(fc.constantFrom("2026-11-21", "2026-13-01")),
    zone: nearly(fc.constantFrom("a.example", "example", "b.example")),
    mailboxes: nearly(fc.dictionary(name, nearly(fc.record({ passwordHash: hash }, { requiredKeys: [] })))),
    aliases: nearly(
      fc.dictionary(name, nearly(fc.oneof(address, fc.array(nearly(address), { maxLength: 3 })))),
    ),
    catchAll: nearly(address),
    dmarc: nearly(
      fc.record({ policy: nearly(fc.constant("none")), reportsTo: nearly(address) }, { requiredKeys: [] }),
    ),
  },
  { requiredKeys: ["since"] },
);
const domainKey = fc.constantFrom(
  "a.example",
  "A.example",
  "b.example",
  "__proto__",
  "toString",
  "mail.a.example",
  "c",
);
const file = fc.record(
  {
    hostname: nearly(fc.constantFrom("mail.a.example", "a.example", "x")),
    hostnameZone: nearly(fc.constantFrom("a.example", "c.example")),
    owner: nearly(address),
    ssh: nearly(
      fc.record({
        from: nearly(
          fc.oneof(fc.array(fc.constantFrom("1.2.3.4/32", "::/0", "x")), fc.constant("the-whole-internet")),
        ),
      }),
    ),
    server: nearly(
      fc.record(
        { architecture: nearly(fc.constant("amd64")), rootSize: nearly(fc.constantFrom(8, "9")) },
        { requiredKeys: [] },
      ),
    ),
    network: anything,
    acme: anything,
    resolver: anything,
    domains: nearly(fc.dictionary(domainKey, nearly(domain), { maxKeys: 3 })),
  },
  { requiredKeys: [] },
);

const valid = {
  hostname: "mail.a.example",
  owner: "ann@a.example",
  ssh: { from: "1.2.3.4/32" },
  domains: { "a.example": { since: "2026-11-21", mailboxes: { ann: {} } } },
};

/** Every text that stands where a password hash belongs, and could be told from the rest of a message. */
function hashesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "passwordHash" && typeof inner === "string" && inner.includes("HASH") ? [inner] : hashesIn(inner),
  );
}

function parsed(raw: Record<string, unknown>): {
  settings?: ReturnType<typeof parseSettings>;
  message?: string;
} {
  try {
    return { settings: parseSettings(raw, { NAME: "value" }) };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return { message: error.message };
  }
}

it("whatever the file says, only SettingsError is thrown, and no message shows a hash", () => {
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.oneof(file, fc.dictionary(fc.constantFrom(...Object.keys(schema.shape), "x"), anything)),
      (raw) => {
        const { settings, message } = parsed(raw);
        if (settings) accepted += 1;
        for (const hash of hashesIn(raw)) {
          assert(
            !message?.includes(hash) && !message?.includes(hash.slice(0, 12)),
            `shows ${hash}:\n${message}`,
          );
        }
      },
    ),
    { numRuns: 3000, examples: [[valid]] },
  );
  assert(accepted > 0, "no file was ever accepted: the property says nothing about right ones");
});

it("settings that were accepted lead every alias, catch-all and owner to a mailbox or elsewhere", () => {
  const twoDomains = fc.record({ "a.example": graph(), "b.example": graph() });
  let accepted = 0;
  fc.assert(
    fc.property(twoDomains, address, (domains, owner) => {
      const raw = { ...valid, hostname: "mail.host.example", owner, domains };
      const { settings } = parsed(raw);
      if (!settings) return;
      accepted += 1;
      // Counts steps instead of asking the parser's own graph whether it has loops.
      const boxes = new Set(settings.domains.flatMap((one) => one.mailboxes.map((box) => box.address)));
      const follow = (target: string, steps: number): void => {
        assert(steps < 50, `never ends at ${target}`);
        const at = target.split("@")[1];
        const home = settings.domains.find((one) => one.name === at);
        if (!home || boxes.has(target)) return;
        const alias = home.aliases.find((one) => one.address === target);
        const isRole = /^(postmaster|abuse|dmarc)@/.test(target);
        const next = alias?.to ?? (isRole ? [settings.owner] : home.catchAll ? [home.catchAll] : undefined);
        assert(next, `nobody takes ${target}`);
        for (const one of next) follow(one, steps + 1);
      };
      for (const one of settings.domains) {
        for (const role of ["postmaster", "abuse", "dmarc"]) follow(`${role}@${one.name}`, 0);
        for (const alias of one.aliases) follow(alias.address, 0);
        if (one.catchAll) follow(one.catchAll, 0);
      }
    }),
    { numRuns: 3000 },
  );
  assert(accepted > 100, `only ${accepted} files were accepted: the property says little`);
});

function graph() {
  const targets = fc.constantFrom(
    "ann",
    "bob",
    "info",
    "ann@a.example",
    "info@b.example",
    "x@elsewhere.example",
    "postmaster",
  );
  return fc.record(
    {
      since: fc.constant("2026-11-21"),
      mailboxes: fc.constantFrom({ ann: {} }, { ann: {}, bob: {} }, { postmaster: {} }),
      aliases: fc.dictionary(
        fc.constantFrom("info", "sales", "abuse", "bob"),
        fc.array(targets, { minLength: 1, maxLength: 2 }),
        { maxKeys: 3 },
      ),
      catchAll: targets,
    },
    { requiredKeys: ["since", "mailboxes", "aliases"] },
  );
}
