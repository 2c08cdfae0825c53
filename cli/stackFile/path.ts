/** Where a stack's file is. */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { Failure } from "../failure.ts";
import type { Place } from "./change.ts";

/** The file that says what a stack is to be, and names others that do. */
export function stackFileOf({ stack, folder }: Pick<Place, "stack" | "folder">): string {
  return join(folder, `Pulumi.${stack.split("/").at(-1)}.yaml`);
}

/** @throws Failure where there is none, with the stacks that there are */
export function needStackFile(place: Pick<Place, "stack" | "folder">): void {
  const path = stackFileOf(place);
  if (existsSync(path)) return;
  const known = readdirSync(place.folder).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
  throw new Failure(
    `There is no ${basename(path)}. Stacks here: ${known.toSorted().join(", ") || "none"}. Another is named by --stack NAME; to write a first one: npx mailhost init --stack ${place.stack}`,
  );
}
