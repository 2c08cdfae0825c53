/** Secrets on their way into a stack file. */
import { readFileSync } from "node:fs";
import bcrypt from "bcryptjs";
import { stringify } from "yaml";
import type { Engine } from "./engine.ts";
import { withConfigFile } from "./engineWords.ts";
import { Failure } from "./failure.ts";
import type { StackText } from "./stackFile/domains.ts";
import { readYaml, type Value } from "./stackFile/edit.ts";

/** bcrypt's cost, of which each one more doubles the work of who guesses, and of each login. */
const cost = 11;
/** bcrypt looks at no more bytes of a password (crypt(5)). */
const longest = 72;

/** What the stack file may say of a password. @param shortest fewest characters @throws Failure where it is none that can be had */
export async function passwordHash(password: string, shortest: number): Promise<string> {
  if ([...password].length < shortest)
    throw new Failure(`The password is too short: write ${shortest} characters or more.`);
  if (Buffer.byteLength(password) > longest)
    throw new Failure(`The password is too long: write at most ${longest} bytes.`);
  return await bcrypt.hash(password, cost);
}

/**
 * What stands in the stack file for a secret, as `pulumi config set --secret` writes it. That command sets a whole stack
 * file anew; here it writes into a file of its own, and the ciphertext is taken from there.
 * @throws in words where the stack has no encryption yet
 */
export async function encrypted(
  engine: Engine,
  stack: string,
  file: StackText,
  secret: string,
): Promise<Value> {
  const top = readYaml(file.text, file.name).toJS() as Record<string, unknown>;
  const settings = ["secretsprovider", "encryptedkey", "encryptionsalt"].flatMap((key) =>
    typeof top[key] === "string" ? [[key, top[key]]] : [],
  );
  return await withConfigFile(stringify(Object.fromEntries(settings)), async (path) => {
    const words = ["config", "set", "--secret", "--stack", stack, "--config-file", path, "mailhost:secret"];
    await engine.tell(words, secret);
    const { config, ...after } = readYaml(readFileSync(path, "utf8"), path).toJS() as {
      config?: Record<string, { secure?: string }>;
    } & Record<string, unknown>;
    const secure = config?.["mailhost:secret"]?.secure;
    const isSame = settings.every(([key, value]) => after[String(key)] === value);
    if (secure === undefined || !isSame || Object.keys(after).length !== settings.length) {
      throw new Failure(
        `The stack ${stack} encrypts nothing yet, or ${file.name} has lost its line \`encryptionsalt\` or \`secretsprovider\`: run npx pulumi stack init ${stack}, or bring the line back.`,
      );
    }
    return { secure };
  });
}
