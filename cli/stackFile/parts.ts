/** The files that a stack says its settings in, beside the stack file: as they are, and as they would be. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { writeWhole } from "../../local/paths.ts";
import { gather, listOf, NAMESPACE, type TextOf } from "../../settings/pieces.ts";
import { withConfigFile } from "../engineWords.ts";
import type { Part, SharedDomains, StackText } from "./domains.ts";
import { edited, readYaml } from "./edit.ts";

const partsKey = ["config", `${NAMESPACE}parts`] as const;

/**
 * A stack file with the files that it names.
 * @param folder of the stack files
 * @throws SettingsError where one cannot be read, or says what another does
 */
export function withParts(file: Part & Pick<StackText, "stack">, folder: string): StackText {
  const { config } = (readYaml(file.text, file.name).toJS() ?? {}) as {
    config?: Readonly<Record<string, unknown>> | null;
  };
  const [domains, shared, names] = ["domains", "shared", "parts"].map((key) => config?.[NAMESPACE + key]);
  const textOf = inFolder(folder, []);
  const domainsFrom = (raw: object) =>
    (gather({ ...raw, ...(shared !== undefined && { shared }) }, textOf).raw.domains ??
      {}) as SharedDomains["all"];
  const all = domainsFrom({
    ...(domains !== undefined && { domains }),
    ...(names !== undefined && { parts: names }),
  });
  const parts = listOf(names).map(([, name]) => ({ name: String(name), text: textOf(String(name)) }));
  return {
    ...file,
    ...(parts.length > 0 && { parts }),
    ...(shared !== undefined && { shared: { name: String(shared), domains: domainsFrom({}), all } }),
  };
}

/** Reads the files that a stack file names: parts as these are, others from their folder. */
export function inFolder(folder: string, parts: readonly Part[]): TextOf {
  return (name) =>
    parts.find((part) => part.name === name)?.text ?? readFileSync(resolve(folder, name), "utf8");
}

/**
 * Lets the engine read what a stack would say, before it says it.
 * @param work gets the path of a stack file that is there as long as it works
 */
export async function withStackText<T>(
  { text, name, parts = [] }: StackText,
  work: (path: string) => Promise<T>,
): Promise<T> {
  if (parts.length === 0) return await withConfigFile(text, work);
  const folder = mkdtempSync(join(tmpdir(), "mailhost-"));
  try {
    // By their own names, for messages.
    const paths = parts.map((part, index) => join(folder, String(index), basename(part.name)));
    for (const [index, path] of paths.entries()) {
      mkdirSync(dirname(path));
      writeWhole(path, parts[index]?.text ?? "");
    }
    return await withConfigFile(edited(text, { kind: "set", at: partsKey, value: paths }, name), work);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
