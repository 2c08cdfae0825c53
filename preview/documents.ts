/** Reads what `plan/bundle.ts` writes: a service of the host as one text. */

export interface HostDocument {
  readonly bundle: string;
  /** What is to be done beside the files, line by line: directories, commands, units. */
  readonly orders: readonly string[];
  readonly units: readonly DocumentUnit[];
  readonly files: ReadonlyMap<string, DocumentFile>;
}

export interface DocumentUnit {
  readonly name: string;
  /** Paths, or directories that end in `/`, whose change asks for it. */
  readonly reload: readonly string[];
  readonly restart: readonly string[];
}

export interface DocumentFile {
  /** `root:root 0644`. */
  readonly access: string;
  readonly content: string;
}

/** @returns `undefined` where the text is no such document */
export function readDocument(text: unknown): HostDocument | undefined {
  if (typeof text !== "string") return undefined;
  const bundle = /^mailhost bundle (\S+)\n/.exec(text)?.[1];
  if (bundle === undefined) return undefined;
  const [head = "", ...rest] = text.split(/^=== /m);
  const orders = head
    .split("\n")
    .slice(1)
    .filter((line) => line !== "" && !line.startsWith("files: "));
  return {
    bundle,
    orders,
    units: orders.flatMap(unitOf),
    files: new Map(
      rest.flatMap((part) => {
        const [, path, access, content = ""] = /^(\S+) (\S+ \d+)\n([\s\S]*)$/.exec(part) ?? [];
        return path === undefined || access === undefined ? [] : [[path, { access, content }] as const];
      }),
    ),
  };
}

function unitOf(order: string): readonly DocumentUnit[] {
  const [word, name, ...changes] = order.split(" ");
  if (word !== "unit:" || name === undefined) return [];
  const paths = (action: string) =>
    changes.flatMap((change) =>
      change.startsWith(`${action}=`) ? change.slice(action.length + 1).split(",") : [],
    );
  return [{ name, reload: paths("reload"), restart: paths("restart") }];
}
