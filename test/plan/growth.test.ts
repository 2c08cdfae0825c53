import assert from "node:assert/strict";
import { it } from "node:test";
import { dataDisk, rootDisk, shrinkRefusal } from "../../plan/growth.ts";

it("a smaller size is refused: what is, what was wanted, what to write, what to do instead", () => {
  assert.equal(
    shrinkRefusal(dataDisk, 40, 20),
    `The data volume has 40 GiB and cannot shrink to 20; nothing was changed.
    write 40 or more for mailhost:server.dataSize in the stack file, and run again.
    A smaller one is another host: set that up beside this one, and copy the mail over by IMAP.`,
  );
});

it("the same, a larger one, and one that nobody knows are not", () => {
  for (const [was, wanted] of [
    [40, 40],
    [40, 41],
    [undefined, 20],
    [40, undefined],
  ])
    assert.equal(shrinkRefusal(rootDisk, was, wanted), undefined);
});
