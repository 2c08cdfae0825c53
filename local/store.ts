import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "./paths.ts";

/** A JSON document on disk: what `save` returned for survives a `kill -9` and a power cut. */
export interface Store<T> {
  data: T;
  /** Throws where the disk refuses. */
  save(): void;
}

/**
 * Opens `<folder>/<file>`, or starts with `empty()` where there is none. The file is readable by its owner
 * alone, since a cloud's state holds user data. A file that is no JSON is an error, never silently dropped.
 */
export function openStore<T extends object>(folder: string, file: string, empty: () => T): Store<T> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, file);
  const store: Store<T> = {
    data: read(path, empty),
    save: () => writeWhole(path, JSON.stringify(store.data, undefined, 1)),
  };
  return store;
}

function read<T extends object>(path: string, empty: () => T): T {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return empty();
    throw error;
  }
  try {
    // Parts that an older version did not know begin empty.
    return { ...empty(), ...(JSON.parse(text) as T) };
  } catch {
    throw new Error(`${path} is damaged: it is no JSON. Remove it, and the simulated cloud starts empty.`);
  }
}
