import { z } from "zod";
import { option } from "./option.ts";

/** What comes through a line unharmed and is not guessed (files/usr/local/lib/mailhost/store asks for the same). */
const passphrase = z
  .string()
  // What is wrong with it is said without showing it.
  .refine((value) => value.length >= 12 && value.trim() === value && !/\p{C}/u.test(value), {
    message:
      "is no passphrase; write one of at least 12 characters, without control characters and without blanks at its ends",
  });

/**
 * Everything that the host keeps lies encrypted on the data volume, and is open only after somebody said the passphrase.
 * It is woven into the storage bundle, which comes before the volume: `plan/services/storage.ts`.
 */
export const lockedStore = option({
  key: "lockedStore",
  schema: z
    .union([
      z.literal([false, true]),
      z.strictObject({
        passphrase: passphrase.optional().meta({
          description:
            "The store's passphrase, which `pulumi up` and `npm run unlock` then do not ask for: a secret of the stack (`pulumi config set --secret --path mailhost:lockedStore.passphrase`), or an environment variable.",
          // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
          examples: ["${STORE_PASSPHRASE}"],
        }),
      }),
    ])
    .default(false)
    .meta({
      description:
        "Whether mail, queue, keys and all else that quotes mail lies in an encrypted store, whose passphrase is not on the host: after each boot the host takes no mail until `npm run unlock` opens it. Only a new data volume can begin with it, and it cannot be taken off again; either is refused, and nothing is lost.",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a stack file
      examples: [true, { passphrase: "${STORE_PASSPHRASE}" }],
    }),
  agree(value, _settings, report, others) {
    const { swap } = others as { readonly swap?: unknown };
    if (value !== false && typeof swap === "object") {
      report(
        [],
        "keeps what quotes mail off the root disk, while `swap` writes to it; take `swap` out, or write `swap: false`",
      );
    }
  },
});
