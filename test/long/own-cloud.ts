import { after, before } from "node:test";
import type { Document } from "yaml";
import { keepInStack, nothingLeft, succeed } from "../e2e/mailhost.ts";

/**
 * The file's tests have a local cloud of their own, which is started before them and leaves nothing.
 * @param edit what its stack file has beside or instead of what it has
 * @param ready what else has to be done before the first test. A hook of the file's own would not wait for the cloud: Node
 * runs those of a whole file side by side.
 */
export function ownCloud(edit?: (stack: Document) => void, ready?: () => Promise<void>): void {
  before(async () => {
    await nothingLeft();
    if (edit) keepInStack(edit);
    await succeed(["start"]);
    await ready?.();
  });
  after(nothingLeft);
}
