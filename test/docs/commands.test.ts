/** Each line that a page has somebody type is known: a test types it, or here is why none does. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { blocksOf, pages } from "./fenced.ts";

const root = resolve(import.meta.dirname, "../..");

/** Pages whose blocks a test takes from the page itself, so that each new line is run as well. */
const typed: Readonly<Record<string, string>> = {
  "docs/cli.md": "test/cli/main.test.ts",
  "docs/runbooks.md": "test/long/runbooks.test.ts",
  "docs/migration.md": "test/long/migration.test.ts",
};

/** Pages some of whose sections a test types so. */
const sections = readFileSync(join(root, "test/long/pages.test.ts"), "utf8").replaceAll(/\s+/g, " ");

interface Known {
  readonly line: RegExp;
  /** The file that runs the same, and what of it says so. */
  readonly by?: readonly [file: string, says: RegExp];
  /** Why no test can. */
  readonly reason?: string;
}

const ownAccount = "it wants an account of one's own at Pulumi, AWS or Cloudflare, and no test has one";

const known: readonly Known[] = [
  { line: /^npm ci && npm (start|test)$/, by: ["test/e2e/host/10-start.test.ts", /succeed\(\["start"/] },
  { line: /^(git pull && )?npm ci$/, reason: "without it there is no test" },
  { line: /^npx pulumi login /, reason: ownAccount },
  { line: /^npx pulumi login$/, reason: ownAccount },
  { line: /^export AWS_PROFILE=|^read -rs CLOUDFLARE_API_TOKEN|^aws (iam|configure) /, reason: ownAccount },
  { line: /^sed s\/eu-central-1\/eu-west-1\//, by: ["test/docs/host.test.ts", /aws-policy-ses\.json/] },
  { line: /^npx pulumi stack init home --secrets-provider 'awskms/, reason: ownAccount },
  { line: /^npx pulumi stack init (home|personal)$/, by: ["test/cli/secrets.test.ts", /"stack", "init"/] },
  {
    line: /^npm run check( -- --stack home)?$/,
    by: ["test/e2e/host/45-check.test.ts", /succeed\(\["check"\]\)/],
  },
  {
    line: /^npx pulumi preview --diff( --show-full-output)?$/,
    by: ["test/e2e/changes/30-changes.test.ts", /"preview", "--diff"/],
  },
  { line: /^npx pulumi up$/, by: ["test/e2e/mailhost.ts", /"pulumi", "up"/] },
  {
    line: /^npx pulumi (preview|up)( --stack personal)? --policy-pack policy$/,
    by: ["test/e2e/apart/policies.test.ts", /"--policy-pack", "policy"/],
  },
  {
    line: /^npx mailhost password ann@test\.example\.org --stack home$/,
    by: ["test/e2e/host/33-commands.test.ts", /answered\(\["password", address\]\)/],
  },
  {
    line: /^volume=\$\(aws ec2 describe-volumes |^aws ec2 create-snapshot /,
    by: ["test/long/runbooks.test.ts", /readme\.type\("Backups"\)/],
  },
  { line: /^gpg --auto-key-locate /, by: ["test/e2e/options/30-clients.test.ts", /with-wkd-hash/] },
  {
    line: /^npx pulumi import cloudflare:index\/dnsRecord/,
    by: ["test/e2e/changes/30-changes.test.ts", /"pulumi", "import"/],
  },
  {
    line: /^zone=f28f1b06|^printf 'Authorization: Bearer|^curl -X PATCH "https:\/\/api\.cloudflare/,
    reason: "its numbers are an account's own; the same call is made by test/e2e/cloudflare.ts",
  },
  { line: /^npx pulumi state delete 'urn:/, by: ["test/long/pages.test.ts", /"state", "delete"/] },
  { line: /^npx pulumi stack output dnsZoneFiles /, by: ["test/e2e/options/10-on.test.ts", /dnsZoneFiles/] },
  {
    line: /^npx pulumi config set --path 'mailhost:(dkim|hostKey)\.revoked\[0\]'/,
    by: ["test/e2e/host/46-keys.test.ts", /revoked/],
  },
  {
    line: /^npm run unlock( -- --(change|recover))?$/,
    by: ["test/long/locked.test.ts", /mailhost\(\["unlock"/],
  },
  { line: /^npm run rspamd$/, by: ["test/e2e/options/52-rspamd-page.test.ts", /"rspamd"/] },
  { line: /^mkdir mymail && cd mymail && npx pulumi new /, by: ["test/e2e/apart/template.test.ts", /"new"/] },
  {
    line: /^npm run -s pulumi -- stack export \| node test\/upgrades\/record/,
    reason:
      "it records a version on its release; what it wrote is previewed in test/e2e/apart/upgrades.test.ts",
  },
];

const lines = pages.flatMap((page) =>
  blocksOf(page)
    .filter(({ language }) => language === "sh")
    .map((block) => ({
      ...block,
      lines: block.text
        .replaceAll("\\\n", " ")
        .split("\n")
        .map((line) =>
          line
            .replace(/\s+# .*$/, "")
            .replaceAll(/\s+/g, " ")
            .trim(),
        )
        .filter((line) => line !== ""),
    })),
);
const rest = lines
  .filter(({ page }) => !(page in typed))
  .filter(({ page, section }) => !sections.includes(`["${page}", "${section}"]`))
  .flatMap(({ page, lines: some }) => some.map((line) => ({ page, line })));

describe("commands that the pages show", () => {
  it("are there, and those of a page that a test types come from the page", () => {
    assert.ok(lines.length > 60);
    for (const [page, file] of Object.entries(typed)) {
      assert.ok(
        lines.some((block) => block.page === page),
        page,
      );
      assert.ok(readFileSync(join(root, file), "utf8").includes(page), `${file} does not read ${page}`);
    }
  });

  it("are each run by a test, or listed with the reason why not", () => {
    assert.deepEqual(
      rest
        .filter(({ line }) => !known.some((one) => one.line.test(line)))
        .map(({ page, line }) => `${page}: ${line}`),
      [],
    );
  });

  it("and the list names no line that there is not, and no test that does not say so", () => {
    for (const { line, by, reason } of known) {
      assert.ok(
        rest.some((one) => line.test(one.line)),
        `nothing is like ${line}`,
      );
      assert.notEqual(by === undefined, reason === undefined, String(line));
      if (by === undefined) continue;
      const [file, says] = by;
      assert.ok(existsSync(join(root, file)), file);
      assert.ok(says.test(readFileSync(join(root, file), "utf8")), `${file} does not say ${says}`);
    }
  });
});
