/** What a comment must never show, whatever it comes in. The engine masks what it knows as secret; this is for what it does not. */
import { secretWords } from "../settings/plainSecrets.ts";
import type { Line } from "./lines.ts";
import { SECRET } from "./types.ts";

/** Names of properties whose values are nobody's business. */
const SECRET_NAME = new RegExp(
  `^(?!httpTokens$)\\w*(${secretWords.join("|")}|hash$|user_?data|^connection$)\\w*$`,
  "i",
);

/** The same of environment variables. */
const SECRET_VARIABLE = new RegExp(`${secretWords.join("|")}|pass|hash|private|_key$`, "i");

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
  return replaced(text, secrets, () => SECRET);
}

/** Puts a word in the place of each secret. They may lie over each other: what any of them covers goes. */
function replaced(text: string, secrets: readonly string[], word: (covered: string) => string): string {
  const words = secrets
    .flatMap((secret) => [
      secret,
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString("base64"),
    ])
    .filter((secret) => secret.length >= 8)
    .map((secret) => new RegExp(secret.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "g"));
  const places = [...FORMS, ...words]
    .flatMap((form) => [...text.matchAll(form)])
    .map(({ 0: found, index }) => ({ start: index, end: index + found.length }))
    .toSorted((one, other) => one.start - other.start);
  let [told, start, end] = ["", 0, 0];
  const covered = () => (end > start ? word(text.slice(start, end)) : "");
  for (const place of places) {
    if (place.start >= end) {
      told += covered() + text.slice(end, place.start);
      start = place.start;
    }
    end = Math.max(end, place.end);
  }
  return told + covered() + text.slice(end);
}

/**
 * The same, without what a terminal or a browser would obey instead of showing it: who wrote a line of a file need not be
 * who looks at it.
 */
export function publishable(text: string, secrets: readonly string[] = []): string {
  return hiddenText(shown(text), secrets);
}

/** Without what a terminal or a browser would obey instead of showing it. */
export function shown(text: string): string {
  return text.replaceAll(/(?![\n\t])\p{Cc}(?:\[[0-9;]*[A-Za-z])?|\p{Bidi_Control}/gu, "");
}

/** Lines that stand together, for the same eyes: a key takes more than one. */
export function publishableLines(lines: readonly Line[], secrets: readonly string[] = []): readonly Line[] {
  const whole = lines.map(({ text }) => shown(text).replaceAll("\n", " ")).join("\n");
  const hiddenLines = replaced(whole, secrets, (covered) => covered.replaceAll(/[^\n]+/g, SECRET)).split(
    "\n",
  );
  return lines.map(({ sign }, index) => ({ sign, text: hiddenLines[index] ?? "" }));
}

/** Values of variables whose names say that they are secret; of one in several lines each line, too. */
export function secretsOf(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && value.length >= 8 && SECRET_VARIABLE.test(name)
      ? [value, ...value.split("\n").filter((line) => line !== value && line.length >= 20)]
      : [],
  );
}
