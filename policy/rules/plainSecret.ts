import { passwordHashMistake } from "../../settings/hashes.ts";
import { secretWords } from "../../settings/plainSecrets.ts";
import type { OpenTextRule } from "../rule.ts";

const privateKey = /-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----/;

/** What a secret is called: `privateKey`, `CLOUDFLARE_API_TOKEN`. `httpTokens` is none. */
const secretName = new RegExp(`(${secretWords.join("|")}|secret_?key)$`, "i");

/** A word that has the form of a hash: nothing else begins so. */
const hashLike = /(?:\{[A-Z][A-Z0-9.-]+\})?\$(?:2[aby]|5|6|argon2id?|y)\$[^\s:"']+/g;

export const plainSecret: OpenTextRule = {
  name: "no-plain-secret",
  description: "Passwords, tokens, hashes and private keys are secrets to Pulumi, which encrypts them.",
  judgeOpen: (texts) =>
    texts.flatMap(({ path, text }) => {
      const what = kindOf(path.at(-1) ?? "", text);
      return what === undefined
        ? []
        : [
            `${path.join(".")} holds ${what} in plain text: it would stand so in the state, its history and in previews. Wrap the value in pulumi.secret(…); what comes from the stack file is set by \`pulumi config set --secret\`, or named as an environment variable.`,
          ];
    }),
};

/** Of Dovecot's list that opens nothing (files/etc/dovecot/dovecot.conf, "Who guesses"): nobody has the password. */
const decoy =
  /passdb decoy \{.{1,40}static_password = \S+?(?:\n|\\n) *result_success = return-fail(?:\n|\\n)\}/gs;

function kindOf(name: string, text: string): string | undefined {
  if (privateKey.test(text)) return "a private key";
  if (
    text
      .replace(decoy, "")
      .match(hashLike)
      ?.some((word) => passwordHashMistake(word) === undefined)
  )
    return "a password's hash";
  return text !== "" && secretName.test(name) ? "a secret" : undefined;
}
