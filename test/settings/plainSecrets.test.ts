import assert from "node:assert/strict";
import { test } from "node:test";
import { plainSecrets } from "../../settings/plainSecrets.ts";

test("a hash or a password in plain text is named by its place, the name of a variable is not", () => {
  assert.deepEqual(
    plainSecrets({
      domains: {
        "example.org": {
          // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
          mailboxes: { ann: { passwordHash: "${ANN}" }, bob: { passwordHash: "$6$salt$hash" }, dora: {} },
        },
      },
      relay: { username: "customer", password: "in clear" },
      lockedStore: { passphrase: "in clear, too" },
    }),
    [
      ["domains", "example.org", "mailboxes", "bob", "passwordHash"],
      ["relay", "password"],
      ["lockedStore", "passphrase"],
    ],
  );
});
