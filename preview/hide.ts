/** What a comment must never show, whatever it comes in. The engine masks what it knows as secret; this is for what it does not. */
import { SECRET } from "./types.ts";

/** Names of properties whose values are nobody's business. */
const SECRET_NAME =
  /^(?!httpTokens$)\w*(passw|passphrase|secret|private_?key|token|credential|hash$|user_?data|^connection$|api_?key|access_?key)\w*$/i;

/** A bundle's secret files (`plan/bundle.ts`). */
const SECRETS_DOCUMENT = /^mailhost bundle \S+ secrets\n/;

/** An object of properties, or any value in one, without what is secret by its name, its form or its company. */
export function hidden(value: unknown): unknown {
  if (typeof value === "string") return SECRETS_DOCUMENT.test(value) ? SECRET : hiddenText(value);
  if (Array.isArray(value)) return value.map(hidden);
  if (typeof value !== "object" || value === null) return value;
  // A step on the host that keeps quiet does so for its input's sake (`components/remote.ts`).
  const isQuiet = "logging" in value && value.logging === "none";
  return Object.fromEntries(
    Object.entries(value).map(([key, content]) => {
      const isSecret = (isQuiet && key === "stdin") || SECRET_NAME.test(key);
      return [key, isSecret && typeof content !== "boolean" ? SECRET : hidden(content)];
    }),
  );
}

/** Forms that only secrets have. */
const FORMS: readonly RegExp[] = [
  // Keys in PEM, in one line or with its line breaks written out; the rest of one that was cut off, too.
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$(?![\s\S]))/g,
  // PKCS#8, SEC 1, PKCS#1 and OpenSSH keys without their frame begin with these.
  /\b(?:M(?:C4CAQA|FECAQE)wBQYDK2Vw|MIG[A-Za-z0-9]AgE[AB]|MHcCAQEE|MII[A-Za-z0-9+/]{3}IBA[AD]|b3BlbnNzaC1rZXktdjEA)[A-Za-z0-9+/=]*(?:\s+[A-Za-z0-9+/]{20,})*(?:\s*[A-Za-z0-9+/]*={1,2})?/g,
  // Hashes as crypt(5) and Dovecot write them.
  /(?:\{[A-Z0-9.-]+\})?\$(?:2[abxy]?|[1567y]|gy|argon2\w*|scrypt|pbkdf2[\w-]*)\$[^\s"'`,:;<>|]+/g,
  /\{(?:PLAIN|CLEARTEXT|CRYPT|S?SHA\d*|S?MD5|SCRAM-SHA-\d+|PBKDF2|ARGON2\w*|BLF-CRYPT|SHA\d+-CRYPT)[A-Z0-9.-]*\}[^\s"'`,:;<>|]+/g,
  // Tokens of Pulumi, GitHub, GitLab and AWS's two kinds of key ids.
  /\b(?:pul-[0-9a-f]{20,}|gh[opsu]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|A[KS]IA[A-Z0-9]{16})\b/g,
  // What follows the word in a header or an address.
  /(?<=\b(?:Bearer|Basic) )[A-Za-z0-9+/=._~-]{8,}/g,
  /(?<=\w:\/\/[^/\s:@]*:)[^/\s@]+(?=@)/g,
];

/**
 * A text without what has the form of a secret, and without these very words.
 * @param secrets values that are known to be secret, such as tokens of the environment; also looked for in base64 and as JSON writes them
 */
export function hiddenText(text: string, secrets: readonly string[] = []): string {
  const forms = FORMS.reduce((rest, form) => rest.replace(form, SECRET), text);
  return secrets
    .flatMap((secret) => [
      secret,
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString("base64"),
    ])
    .filter((secret) => secret.length >= 8)
    .reduce((rest, secret) => rest.replaceAll(secret, SECRET), forms);
}

/**
 * The same, without what a terminal or a browser would obey instead of showing it: who wrote a line of a file need not be
 * who looks at it.
 */
export function publishable(text: string, secrets: readonly string[] = []): string {
  const shown = text.replaceAll(/(?![\n\t])\p{Cc}(?:\[[0-9;]*[A-Za-z])?|\p{Bidi_Control}/gu, "");
  return hiddenText(shown, secrets);
}

/** Values of variables whose names say that they are secret; of one in several lines each line, too. */
export function secretsOf(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && value.length >= 8 && /TOKEN|SECRET|PASS|HASH|PRIVATE|_KEY$/i.test(name)
      ? [value, ...value.split("\n").filter((line) => line !== value && line.length >= 20)]
      : [],
  );
}
