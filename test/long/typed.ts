/** What a page has somebody type, typed: its own lines, so that page and test cannot drift apart. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { collect } from "../../local/run.ts";
import { shellWord } from "../../plan/shell.ts";
import { blocksOf, pageOf } from "../docs/fenced.ts";
import { checkout, cloudFolder, cloudId } from "../e2e/mailhost.ts";
import { scratchFiles } from "../e2e/scratch.ts";

export interface TypedPage {
  /**
   * Types the blocks of a section, those from `from` up to `to`, one after the other, in one shell.
   * @returns what they printed, on both ways
   * @throws where a line fails
   */
  type(section: string, from?: number, to?: number): Promise<string>;
  /** Blocks that nobody has typed. */
  left(): readonly string[];
}

/**
 * As the page's first lines say of the local cloud: its own engine, which has no terminal to ask at; and in place of AWS's
 * command line tool one that speaks to the simulated AWS.
 */
const tools = (variables: string) => `set -eu
node=${shellWord(process.execPath)}
npx() {
    tool=$1
    shift
    case $tool in
        mailhost) "$node" cli/main.ts "$@" ;;
        pulumi)
            case $1 in
                up | refresh | import | destroy) set -- "$@" --yes --skip-preview ;;
                state) set -- "$@" --yes ;;
                stack) [ "$2" != rm ] || set -- "$@" --yes ;;
            esac
            "$node" local/main.ts pulumi "$@"
            ;;
        *) echo "npx $tool is not known" >&2; return 127 ;;
    esac
}
npm() {
    [ "$*" != "run pulumi -- up" ] || set -- "$@" --yes --skip-preview
    command npm "$@"
}
aws() { "$node" ${shellWord(join(import.meta.dirname, "awsCommand.ts"))} "$@"; }
[ ! -e ${variables} ] || . ${variables}
`;

/**
 * The reader's own stack, `home`, is `dev` here.
 * @param edit what else of the page is another thing here, such as an address
 */
export function typedPage(path: string, edit: (text: string) => string = (text) => text): TypedPage {
  const blocks = blocksOf(pageOf(path)).filter(({ language }) => language === "sh");
  assert.ok(blocks.length > 0, path);
  const seen = new Set<(typeof blocks)[number]>();
  const write = scratchFiles();
  return {
    async type(section, from = 0, to) {
      const found = blocks.filter((block) => block.section === section);
      const some = found.slice(from, to);
      assert.ok(some.length > 0, `${path} has no block ${from} in "${section}"`);
      const variables = write(
        `${found.indexOf(some[0] as (typeof found)[number])}-${section.replaceAll(" ", "-")}`,
        "",
      );
      let said = "";
      for (const block of some) {
        const names = [...block.text.matchAll(/(?:^|[ ;])([a-z]+)=/gm)].map(([, name]) => name);
        const kept =
          names.length === 0 ? "" : `\nset | grep -E '^(${names.join("|")})=' >>${variables} || true`;
        const lines = edit(block.text.replaceAll(/\bhome\b/g, "dev"));
        const script = `${tools(shellWord(variables))}${lines}${kept}`;
        const child = spawn("sh", ["-c", script], {
          cwd: checkout,
          env: {
            ...process.env,
            // What goes into somebody's home goes into nobody's.
            HOME: dirname(variables),
            MAILHOST_HOME: resolve(cloudFolder, "../.."),
            MAILHOST_CLOUD_ID: cloudId,
            MAILHOST_STACK: "dev",
            NO_COLOR: "1",
          },
          stdio: ["ignore", "pipe", "pipe"],
        });
        const { code, stdout, stderr } = await collect(child);
        assert.equal(code, 0, `${block.text}\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`);
        seen.add(block);
        said += stdout + stderr;
      }
      return said;
    },
    left: () => blocks.filter((block) => !seen.has(block)).map(({ section, text }) => `${section}: ${text}`),
  };
}
