import type { HostFile, SecretFile, Unit } from "./types.ts";

/** What the host notes of a bundle once it is deployed (`/var/lib/mailhost/manifest/<name>.json`). */
export interface Manifest {
  readonly name: string;
  /** Paths of what was deployed; none where the bundle is nothing but units. */
  readonly files: readonly string[];
}

/** What of a bundle its manifests tell. */
export interface BundleOutline {
  readonly name: string;
  readonly units: readonly Pick<Unit, "name">[];
  readonly files?: readonly Pick<HostFile, "path">[];
  readonly secretFiles?: readonly Pick<SecretFile, "path">[];
}

/** A bundle's manifests: of its document, and of its secret files' document, where it has these. */
export function manifests({ name, units, files = [], secretFiles = [] }: BundleOutline): readonly Manifest[] {
  const paths = (of: readonly { readonly path: string }[]) => of.map(({ path }) => path);
  return [
    ...(files.length + units.length > 0 ? [{ name, files: paths(files) }] : []),
    ...(secretFiles.length > 0 ? [{ name: `${name}.secrets`, files: paths(secretFiles) }] : []),
  ];
}
