/** crypt(3) forms that are known by their first characters, and Dovecot's name for each. */
const forms = [
  { form: /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/, begin: /^\$2[aby]\$/, scheme: "BLF-CRYPT" },
  { form: /^\$5\$(rounds=\d+\$)?[^$:\s]{0,16}\$[./A-Za-z0-9]{43}$/, begin: /^\$5\$/, scheme: "SHA256-CRYPT" },
  { form: /^\$6\$(rounds=\d+\$)?[^$:\s]{0,16}\$[./A-Za-z0-9]{86}$/, begin: /^\$6\$/, scheme: "SHA512-CRYPT" },
  { form: argon2("id"), begin: /^\$argon2id\$/, scheme: "ARGON2ID" },
  { form: argon2("i"), begin: /^\$argon2i\$/, scheme: "ARGON2I" },
  // yescrypt, Debian's own since 11: Dovecot leaves it to the system's crypt(3).
  { form: /^\$y\$[./A-Za-z0-9]+\$[./A-Za-z0-9]*\$[./A-Za-z0-9]{43}$/, begin: /^\$y\$/, scheme: "CRYPT" },
] as const;

function argon2(variant: "i" | "id"): RegExp {
  return new RegExp(
    `^\\$argon2${variant}\\$v=\\d+\\$m=\\d+,t=\\d+,p=\\d+\\$[A-Za-z0-9+/]+\\$[A-Za-z0-9+/]+$`,
  );
}

/** Schemes whose hashes have no crypt(3) form of their own to be checked by. */
const others = ["PBKDF2", "SCRAM-SHA-1", "SCRAM-SHA-256", "SHA256", "SHA512", "SSHA256", "SSHA512"] as const;

/** Dovecot 2.4 refuses these unless told otherwise (auth_allow_weak_schemes), and the stack file should too. */
const weak =
  /^(PLAIN|CLEAR|CLEARTEXT|PLAIN-|MD5|MD5-CRYPT|PLAIN-MD5|LDAP-MD5|SMD5|CRAM-MD5|HMAC-MD5|DIGEST-MD5|DES-CRYPT|LANMAN|LM|NTLM|OTP|RPA|SHA|SHA1|SSHA)$/;

type Judged = { readonly hash: string } | { readonly mistake: string };

const advice =
  "write the old host's hash: $6$…, $5$…, $2y$…, $argon2id$… or {SCHEME}…, or leave it out and a password is generated";

function judge(text: string): Judged {
  const [, written, rest = text] = /^\{([^}]*)\}(.*)$/s.exec(text) ?? [];
  const form = forms.find(({ begin }) => begin.test(rest));
  if (written === undefined) {
    if (!form) return { mistake: `is no hash of a known form; ${advice}` };
    return form.form.test(rest) ? { hash: `{${form.scheme}}${rest}` } : { mistake: cutShort(form.scheme) };
  }
  const [scheme = "", encoding] = written.toUpperCase().split(".", 2);
  if (weak.test(scheme)) {
    return { mistake: `is of the scheme ${scheme}, which protects nothing; ${advice}` };
  }
  const known = forms.find((candidate) => candidate.scheme === scheme);
  if (known) {
    const fits = scheme === "CRYPT" ? form : known;
    return fits?.form.test(rest) ? { hash: `{${scheme}}${rest}` } : { mistake: cutShort(scheme) };
  }
  if (
    !others.some((other) => other === scheme) ||
    (encoding !== undefined && !/^(B64|BASE64|HEX)$/.test(encoding))
  ) {
    return { mistake: `is of a scheme that Dovecot does not know; ${advice}` };
  }
  if (!/^[\x21-\x39\x3b-\x7e]+$/.test(rest)) return { mistake: cutShort(scheme) };
  return { hash: `{${encoding === undefined ? scheme : `${scheme}.${encoding}`}}${rest}` };
}

const cutShort = (scheme: string) =>
  `is not a whole ${scheme} hash; copy all of it, and put it in single quotes so that no $ is lost`;

/** What is wrong with a password hash, if anything. The answer shows nothing of it. */
export function passwordHashMistake(text: string): string | undefined {
  const judged = judge(text);
  return "mistake" in judged ? judged.mistake : undefined;
}

/** The hash as Dovecot's passwd-file wants it, `{SCHEME}…`. The text has passed `passwordHashMistake`. */
export function normalHash(text: string): string {
  const judged = judge(text);
  return "hash" in judged ? judged.hash : text;
}
