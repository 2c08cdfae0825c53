import assert from "node:assert/strict";
import { it } from "node:test";
import { hostBundles } from "../../plan/host.ts";
import { settingsWith } from "./settings.ts";

const own = (keys: Readonly<Record<string, unknown>>) =>
  hostBundles(settingsWith(keys)).find(({ name }) => name === "shared-folders");

it("sharedFolders: off by default, and absent", () => {
  assert.equal(own({}), undefined);
});

it("sharedFolders: on it loads access rights for all of Dovecot, and what is read stays each user's own", () => {
  const { files, units } = own({ sharedFolders: true }) ?? assert.fail("there is no bundle");
  const [conf] = files;
  assert.match(conf?.content ?? "", /^mail_plugins \{\n {2}acl = yes\n\}$/m);
  assert.match(conf?.content ?? "", /^ {2}mail_index_private_path = ~\/shared\/%\{owner_user\}$/m);
  assert.deepEqual(units[0]?.restart, [conf?.path]);
});
