import { render, verbatim } from "./template.ts";
import type { Bundle, Derivation, Directory, HostFile, SecretFile, Secrets, Unit } from "./types.ts";

/** Who may do what with a file or directory. Defaults: `root:root`, 0644 for files and 0755 for directories. */
export interface Access {
  readonly owner?: string;
  /** Default: `root` for root's, else the group of the owner's name. */
  readonly group?: string;
  /** Octal, four digits. */
  readonly mode?: string;
}

/** A bundle of which only what is there has to be said. */
export function bundle(parts: Pick<Bundle, "name" | "why"> & Partial<Bundle>): Bundle {
  return {
    packages: [],
    directories: [],
    files: [],
    secretFiles: [],
    derivations: [],
    validate: [],
    units: [],
    disabledUnits: [],
    ports: [],
    generates: [],
    after: [],
    confirm: false,
    ...parts,
  };
}

/** The file that `files<path>` is the template of, at the same path on the host. */
export function file(path: string, model: object = {}, access: Access = {}): HostFile {
  return textFile(path, render(path.slice(1), model), access);
}

/** The file that lies at `files<path>`, character for character. */
export function plainFile(path: string, access: Access = {}): HostFile {
  return textFile(path, verbatim(path.slice(1)), access);
}

/** A file of any text, which ends with a line break. */
export function textFile(path: string, content: string, access: Access = {}): HostFile {
  return { path, ...ownership(access, "0644"), content };
}

/** A file whose content holds, or goes along with, a key, a password or a hash. Default mode: 0600. */
export function secretFile(
  path: string,
  needs: readonly (keyof Secrets)[],
  content: (secrets: Secrets) => string,
  access: Access = {},
): SecretFile {
  return { path, ...ownership(access, "0600"), needs, content };
}

export function directory(path: string, access: Access = {}): Directory {
  return { path, ...ownership(access, "0755") };
}

/** A unit that is enabled and running; the paths name what its reload or restart hangs on. Default: none. */
export function unit(name: string, changes: Partial<Omit<Unit, "name">> = {}): Unit {
  return { name, reload: changes.reload ?? [], restart: changes.restart ?? [] };
}

/**
 * The document that `/usr/local/lib/mailhost/apply` reads: everything of the bundle but its secret files, as
 * docs/architecture.md describes it. The same bundle gives the same text.
 *
 * @throws Error that names the bundle and what in it cannot be written down.
 */
export function bundleDocument(bundle: Bundle): string {
  const paths = new Set(bundle.files.map((file) => file.path));
  const secret = new Set(bundle.secretFiles.map((file) => file.path));
  for (const path of secret) if (paths.has(path)) refuse(bundle, `${path} is listed twice`);
  const mine = (path: string) => !secret.has(path);
  return document(bundle, `mailhost bundle ${bundle.name}`, bundle.files, {
    directories: bundle.directories,
    validate: bundle.validate,
    derivations: bundle.derivations
      .map((derivation) => ({ ...derivation, on: derivation.on.filter(mine) }))
      .filter((derivation) => derivation.on.length > 0),
    units: bundle.units.map((unit) => ({
      ...unit,
      reload: unit.reload.filter(mine),
      restart: unit.restart.filter(mine),
    })),
    disabledUnits: bundle.disabledUnits,
    confirm: bundle.confirm,
  });
}

/**
 * The same for the bundle's secret files, to be applied before the bundle itself: with the directories they
 * lie in, and what is derived and reloaded when they change. It starts no unit; the bundle does.
 *
 * @returns `undefined` where the bundle has no secret files. The text is a secret.
 */
export function secretsDocument(bundle: Bundle, secrets: Secrets): string | undefined {
  if (bundle.secretFiles.length === 0) return undefined;
  const paths = bundle.secretFiles.map((file) => file.path);
  const mine = (asked: string) => paths.some((path) => asks(asked, path));
  return document(
    bundle,
    `mailhost bundle ${bundle.name} secrets`,
    bundle.secretFiles.map((file) => ({ ...file, content: file.content(secrets) })),
    {
      directories: bundle.directories.filter((directory) =>
        paths.some((path) => path.startsWith(`${directory.path}/`)),
      ),
      validate: [],
      derivations: bundle.derivations
        .map((derivation) => ({ ...derivation, on: derivation.on.filter(mine) }))
        .filter((derivation) => derivation.on.length > 0),
      units: bundle.units
        .map((unit) => ({ ...unit, reload: unit.reload.filter(mine), restart: unit.restart.filter(mine) }))
        .filter((unit) => unit.reload.length + unit.restart.length > 0),
      disabledUnits: [],
      confirm: false,
    },
  );
}

type Orders = Pick<
  Bundle,
  "directories" | "validate" | "derivations" | "units" | "disabledUnits" | "confirm"
>;

function document(bundle: Bundle, title: string, files: readonly HostFile[], orders: Orders): string {
  check(bundle, files, orders);
  const header = [
    title,
    `files: ${files.map((file) => file.path).join(" ")}`.trimEnd(),
    ...orders.directories.map((d) => `directory: ${d.path} ${d.owner}:${d.group} ${d.mode}`),
    ...orders.validate.map((command) => `validate: ${command}`),
    ...orders.derivations.map(derivationLine),
    ...orders.units.map((unit) =>
      [
        `unit: ${unit.name}`,
        ...changeList("reload", unit.reload),
        ...changeList("restart", unit.restart),
      ].join(" "),
    ),
    ...orders.disabledUnits.map((name) => `disable: ${name}`),
    ...(orders.confirm ? ["confirm: yes"] : []),
    "",
  ];
  const bodies = files.map(
    (file) => `=== ${file.path} ${file.owner}:${file.group} ${file.mode}\n${file.content}`,
  );
  // The last line tells a whole document from one that was cut off on its way.
  return `${header.join("\n")}\n${bodies.join("")}=== end\n`;
}

function derivationLine(derivation: Derivation): string {
  const makes = derivation.makes ?? [];
  const product = makes.length > 0 ? ` >> ${makes.join(" ")}` : "";
  return `derive: ${derivation.command} << ${derivation.on.join(" ")}${product}`;
}

function changeList(action: "reload" | "restart", paths: readonly string[]): readonly string[] {
  return paths.length > 0 ? [`${action}=${paths.join(",")}`] : [];
}

/** Whether a path, or a directory ending in `/`, speaks of this file. */
function asks(asked: string, path: string): boolean {
  return asked.endsWith("/") ? path.startsWith(asked) : path === asked;
}

const plainPath = /^(\/[A-Za-z0-9@_+.\\-]+)+$/;
const plainName = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
const unitName = /^[A-Za-z0-9@_:.\\-]+\.(service|socket|timer|mount|path|target)$/;

function check(bundle: Bundle, files: readonly HostFile[], orders: Orders): void {
  if (!plainName.test(bundle.name))
    refuse(bundle, "its name may have letters, digits, `.`, `_` and `-` only");
  const seen = new Set<string>();
  for (const entry of [...files, ...orders.directories]) {
    const { path, owner, group, mode } = entry;
    if (!plainPath.test(path) || path.split("/").some((part) => part === "." || part === ".."))
      refuse(bundle, `${path} is not a plain absolute path`);
    if (seen.has(path)) refuse(bundle, `${path} is listed twice`);
    seen.add(path);
    if (!plainName.test(owner) || !plainName.test(group))
      refuse(bundle, `${path}: \`${owner}:${group}\` is no owner and group`);
    if (!/^[0-7]{4}$/.test(mode)) refuse(bundle, `${path}: mode \`${mode}\` is not four octal digits`);
  }
  for (const { path, content } of files) {
    if (!content.endsWith("\n")) refuse(bundle, `${path} does not end with a newline`);
    const line = content.split("\n").findIndex((text) => text.startsWith("=== "));
    if (line >= 0) refuse(bundle, `${path}:${line + 1} begins with \`=== \`, which parts the files`);
  }
  const asked = [
    ...orders.derivations.flatMap((derivation) => derivation.on),
    ...orders.units.flatMap((unit) => [...unit.reload, ...unit.restart]),
  ];
  const all = [...bundle.files, ...bundle.secretFiles];
  for (const path of asked)
    if (!all.some((file) => asks(path, file.path)))
      refuse(bundle, `waits for ${path}, which it does not have`);
  for (const command of [...orders.validate, ...orders.derivations.map((derivation) => derivation.command)])
    if (command.trim() !== command || command === "" || /\n| << | >> /.test(command))
      refuse(bundle, `\`${command}\` is not a command on one line`);
  for (const name of [...orders.units.map((unit) => unit.name), ...orders.disabledUnits])
    if (!unitName.test(name)) refuse(bundle, `\`${name}\` is not a unit with its suffix`);
}

function refuse(bundle: Bundle, what: string): never {
  throw new Error(`bundle ${bundle.name}: ${what}`);
}

function ownership(access: Access, mode: string): Omit<Directory, "path"> {
  const owner = access.owner ?? "root";
  return { owner, group: access.group ?? owner, mode: access.mode ?? mode };
}
