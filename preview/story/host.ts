import { type HostDocument, readDocument } from "../documents.ts";
import { allLines, counted } from "../lines.ts";
import type { Change, Preview } from "../types.ts";
import { and, capital, count, name, names } from "../words.ts";
import type { Chapter, Effect } from "./chapter.ts";

/** A service's files on the host, as an `up` would change them. */
export interface HostChange {
  readonly bundle: string;
  readonly kind: "create" | "update" | "delete";
  readonly files: readonly FileChange[];
  /** Units that reload or restart, since a file of theirs changes. */
  readonly reloads: readonly string[];
  readonly restarts: readonly string[];
  /** What else the host is told to do for it. */
  readonly orders: { readonly before: readonly string[]; readonly after: readonly string[] };
}

export interface FileChange {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Owner and mode, where they change. */
  readonly access: { readonly before: string; readonly after: string } | undefined;
}

/** Every service whose readable files change. The steps behind it have the same text (`components/host.ts`). */
export function hostChanges({ changes }: Preview): readonly HostChange[] {
  return changes.filter(({ name: resource }) => /^host-.+-files$/.test(resource)).flatMap(hostChange);
}

function hostChange({ kind, before, after }: Change): readonly HostChange[] {
  const old = readDocument(before.stdin);
  const now = readDocument(after.stdin);
  const bundle = (now ?? old)?.bundle;
  if (bundle === undefined) return [];
  const paths = [...new Set([...(old?.files.keys() ?? []), ...(now?.files.keys() ?? [])])].toSorted();
  const files = paths.flatMap((path) => fileChange(path, old, now));
  const asked = (action: "reload" | "restart") =>
    (now?.units ?? [])
      .filter((unit) => unit[action].some((each) => files.some(({ path }) => covers(each, path))))
      .map((unit) => unit.name.replace(/\.service$/, ""));
  const restarts = asked("restart");
  return [
    {
      bundle,
      // On another machine all of it is done again.
      kind: kind === "forget" ? "delete" : kind === "replace" ? "update" : kind,
      files,
      restarts,
      reloads: asked("reload").filter((unit) => !restarts.includes(unit)),
      orders: { before: old?.orders ?? [], after: now?.orders ?? [] },
    },
  ];
}

function covers(asked: string, path: string): boolean {
  return asked.endsWith("/") ? path.startsWith(asked) : path === asked;
}

function fileChange(
  path: string,
  old: HostDocument | undefined,
  now: HostDocument | undefined,
): readonly FileChange[] {
  const [before, after] = [old?.files.get(path), now?.files.get(path)];
  if (before?.content === after?.content && before?.access === after?.access) return [];
  const access =
    before !== undefined && after !== undefined && before.access !== after.access
      ? { before: before.access, after: after.access }
      : undefined;
  return [{ path, before: before?.content, after: after?.content, access }];
}

const nothing: Chapter = { risks: [], effects: [] };

/** A new machine gets all of it, and that is said already. */
function isNewMachine({ changes }: Preview): boolean {
  return changes.some(({ type, kind }) => type === "aws:ec2/instance:Instance" && kind !== "update");
}

/** What comes onto the machine, and goes. */
export function services(preview: Preview): Chapter {
  if (isNewMachine(preview)) return nothing;
  const effects = hostChanges(preview).flatMap(({ bundle, kind, files: all }): Effect[] => {
    const paths = all.length === 0 ? "no file of its own" : names(all.map(({ path }) => path));
    if (kind === "update") return [];
    const short =
      kind === "create" ? `puts ${name(bundle)} onto the host` : `takes ${name(bundle)} off the host`;
    return [{ short, text: `${capital(short)}: ${paths}.` }];
  });
  return { risks: [], effects: [...effects, ...packageEffects(preview)] };
}

/** What changes in what is on it. */
export function files(preview: Preview): Chapter {
  if (isNewMachine(preview)) return nothing;
  const changes = hostChanges(preview);
  const changed = changes
    // The tables of aliases are told as addresses.
    .filter(({ bundle, kind }) => kind === "update" && bundle !== "aliases")
    .flatMap((change) => change.files.map(fileEffect));
  return { risks: [], effects: [...changed, ...secretEffects(preview), ...daemonEffects(changes)] };
}

function fileEffect({ path, before, after, access }: FileChange): Effect {
  if (before === undefined)
    return { short: `adds ${name(base(path))}`, text: `Adds the file ${name(path)}.` };
  if (after === undefined)
    return { short: `removes ${name(base(path))}`, text: `Removes the file ${name(path)}.` };
  const { gone, come } = counted(allLines(before, after));
  const lines = count(Math.max(gone, come), "line");
  if (gone + come === 0)
    return {
      short: `changes who may read ${name(base(path))}`,
      text: `${name(path)} becomes ${name(access?.after ?? "")}.`,
    };
  const how = gone === 0 ? `${lines} more` : come === 0 ? `${lines} less` : `${lines} changed`;
  const short = `${gone === 0 ? "adds" : come === 0 ? "removes" : "changes"} ${lines} of ${name(base(path))}`;
  return { short, text: `${name(path)}: ${how}.` };
}

function base(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function packageEffects({ changes }: Preview): readonly Effect[] {
  const change = changes.find(({ name: resource }) => resource === "host-packages");
  if (change?.kind !== "update") return [];
  const list = (text: unknown) =>
    String(text ?? "")
      .split("\n")
      .filter((line) => line !== "");
  const [old, now] = [list(change.before.stdin), list(change.after.stdin)];
  const come = now.filter((each) => !old.includes(each));
  const gone = old.filter((each) => !now.includes(each));
  return [
    ...(come.length > 0
      ? [
          {
            short: `installs ${names(come, 3)}`,
            text: `Installs ${count(come.length, "package")} of Debian's: ${names(come, 20)}.`,
          },
        ]
      : []),
    ...(gone.length > 0
      ? [
          {
            short: `uninstalls ${names(gone, 3)}`,
            text: `Uninstalls ${count(gone.length, "package")} of Debian's: ${names(gone, 20)}.`,
          },
        ]
      : []),
  ];
}

/** The mailboxes' own are told as mailboxes. */
function secretEffects({ changes }: Preview): readonly Effect[] {
  const bundles = changes.flatMap(({ name: resource, kind }) => {
    const bundle = /^host-(.+)-secrets$/.exec(resource)?.[1];
    return bundle === undefined || kind === "delete" || kind === "forget" || bundle === "accounts"
      ? []
      : [bundle];
  });
  if (bundles.length === 0) return [];
  return [
    {
      short: `changes secret files of ${names(bundles)}`,
      text: `Changes secret files of ${names(bundles)}: what is in them is never shown.`,
    },
  ];
}

function daemonEffects(changes: readonly HostChange[]): readonly Effect[] {
  const all = (key: "restarts" | "reloads") =>
    [...new Set(changes.flatMap((change) => change[key]))].toSorted();
  const restarts = all("restarts");
  const reloads = all("reloads").filter((unit) => !restarts.includes(unit));
  const parts = [
    ...(restarts.length > 0 ? [`${names(restarts)} ${restarts.length === 1 ? "restarts" : "restart"}`] : []),
    ...(reloads.length > 0 ? [`${names(reloads)} ${reloads.length === 1 ? "reloads" : "reload"}`] : []),
  ];
  if (parts.length === 0) return [];
  const meaning =
    restarts.length > 0
      ? "who is connected to what restarts connects again, and no mail is lost"
      : "nobody is disconnected";
  return [{ short: parts.join("; "), text: `On the host ${and(parts)}: ${meaning}.` }];
}
