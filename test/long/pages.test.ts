/** What the other pages have somebody type who has a host: their own lines, section by section, and at the end the way out. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { cloudPaths } from "../../local/paths.ts";
import { ensurePackages } from "../../local/prerequisites.ts";
import { blocksOf, pageOf } from "../docs/fenced.ts";
import { count, mailHost, submit, unique } from "../e2e/mail.ts";
import {
  aws,
  checkout,
  cloudFolder,
  cloudInfo,
  onHost,
  resourceId,
  stateResources,
  succeed,
  up,
  withoutUpdates,
} from "../e2e/mailhost.ts";
import { scratchFiles, seeing } from "../e2e/scratch.ts";
import { ownCloud } from "./own-cloud.ts";
import { type TypedPage, typedPage } from "./typed.ts";

const ann = "ann@example.org";
const write = scratchFiles();

ownCloud(undefined, withoutUpdates);

/** A section of a page, whole. test/docs/commands.test.ts looks here for which ones are typed. */
type Section = readonly [page: string, section: string];

/** @param edit what of it is another thing here, such as an address */
function type([page, section]: Section, edit?: (text: string) => string): Promise<string> {
  return typedPage(page, edit).type(section);
}

/** Those that need nothing but a host, and what one hears. */
const alone: readonly (readonly [section: Section, says: RegExp])[] = [
  [["docs/reports.md", "Reports"], /example\.org/],
  [["docs/pull-requests.md", "The preview in words"], /[Nn]othing/],
  [["docs/spam.md", "A limit on what each mailbox sends"], /^\d$/m],
  [["docs/spam.md", "Bans"], /198\.51\.100\.7 was not banned/],
  [["docs/mailboxes.md", "Search"], /^/],
  [["docs/web.md", "Changing one's password"], /ann@example\.org/],
  [["docs/host.md", "Logging in"], /queue is empty/],
];
for (const [section, says] of alone)
  test(section.join(", "), async () => assert.match(await type(section), says));

test("a removed mailbox is listed, and its mail deleted by its name", async () => {
  await onHost(
    "install -d -o vmail -g vmail -m 700 /srv/mail/example.org/dave /srv/mail/example.org/dave/Maildir",
  );
  assert.match(await type(["docs/mailboxes.md", "A removed mailbox"]), /dave@example\.org/);
  assert.doesNotMatch(await onHost("ls /srv/mail/example.org"), /dave/);
});

test("curl reads the mailbox by the authority's file", async () => {
  const { publicIp, credentials } = await mailHost();
  const said = await type(["docs/local-cloud.md", "A mail program, or curl"], (text) =>
    text
      .replace("~/.mailhost/clouds/demo", cloudFolder)
      .replace("198.18.0.16", publicIp)
      .replace(`--user ${ann}`, `--user '${ann}:${credentials[ann]}'`),
  );
  assert.match(said, /\* STATUS INBOX \(MESSAGES \d+\)/);
});

test("mail is copied out by mbsync with the page's own file", async () => {
  await ensurePackages([{ what: "mbsync", package: "isync", why: "copies mail out, as the page has it" }]);
  const host = await mailHost();
  const subject = unique("to be copied");
  await submit(host, { from: ann, to: ann, subject });
  assert.equal(await count(host, ann, subject), 1);
  const [page, title]: Section = ["docs/deploying.md", "Copying mail out"];
  const [config, typed] = blocksOf(pageOf(page)).filter(({ section }) => section === title);
  assert.ok(config && typed);
  const mailhost = `${process.execPath} ${join(checkout, "cli/main.ts")} `;
  const file = write(
    "mbsyncrc",
    config.text
      .replace("npx mailhost ", mailhost)
      .replace("--stack home", "")
      .replace(
        "SSLType IMAPS\n",
        `SSLType IMAPS\nCertificateFile ${cloudPaths({ MAILHOST_CLOUD: cloudFolder }).issuers}\n`,
      ),
  );
  const hosts = write("hosts", `127.0.0.1 localhost\n${host.publicIp} ${host.hostname}\n`);
  await seeing({ "/etc/hosts": hosts }, ["sh", "-euc", typed.text], {
    cwd: dirname(file),
    env: {
      ...process.env,
      HOME: dirname(file),
      MAILHOST_HOME: join(cloudFolder, "../.."),
      MAILHOST_CLOUD: cloudFolder,
    },
  });
  const copied = readdirSync(join(dirname(file), "mail-of-ann/INBOX"), { recursive: true, encoding: "utf8" })
    .map((name) => join(dirname(file), "mail-of-ann/INBOX", name))
    .filter((path) => /\/(new|cur)\/./.test(path))
    .map((path) => readFileSync(path, "utf8"));
  assert.ok(copied.some((text) => text.includes(subject)));
});

test("the local cloud's walk, and port 25 as on a new account", async () => {
  // The check ends with 1 where something is wrong, as the page says of it.
  const page: TypedPage = typedPage("docs/local-cloud.md", (text) =>
    text.replace(/^npm run check +# says that/m, "! npm run check # says that"),
  );
  const [, section]: Section = ["docs/local-cloud.md", "Commands"];
  const walk = await page.type(section, 0, 1);
  assert.match(walk, /Hello out there/);
  await succeed(["start"]);
  assert.match(await page.type(section, 1), /port 25 is blocked/);
});

test("volume and address are found again by a stack that knows nothing of them", async () => {
  const before = await mailHost();
  const subject = unique("is found again");
  await submit(before, { from: ann, to: ann, subject });
  assert.equal(await count(before, ann, subject), 1);
  const ids = { volume: await resourceId("server-data"), address: await resourceId("server-address") };
  await succeed(["pulumi", "destroy", "--exclude-protected", "--yes", "--skip-preview"]);
  for (const name of ["server-data", "server-address"]) {
    const { urn } =
      (await stateResources()).find((one) => one.id !== undefined && one.urn.endsWith(`::${name}`)) ??
      assert.fail(name);
    await succeed(["pulumi", "state", "delete", urn, "--force", "--yes"]);
  }
  await type(["docs/deploying.md", "The volume, found again"], (text) =>
    text.replace(/vol-\w+/, ids.volume).replace(/eipalloc-\w+/, ids.address),
  );
  await up();
  const after = await mailHost();
  assert.equal(after.publicIp, before.publicIp);
  assert.equal(await count(after, ann, subject), 1);
});

test("how to leave: what is protected goes by these lines, and the mail by the last of them", async () => {
  const page = typedPage("README.md");
  const volume = await resourceId("server-data");
  const [, section]: Section = ["README.md", "How to leave"];
  await page.type(section, 0, 1);
  assert.equal(existsSync(join(checkout, "Pulumi.dev.yaml")), false);
  const { Volumes } = await aws<{ Volumes: readonly { VolumeId: string }[] }>("DescribeVolumes", {});
  assert.deepEqual(
    Volumes.map(({ VolumeId }) => VolumeId),
    [volume],
  );
  assert.ok(cloudInfo().slot >= 0);
  await page.type(section, 1);
  assert.deepEqual((await aws<{ Volumes: readonly unknown[] }>("DescribeVolumes", {})).Volumes, []);
});
