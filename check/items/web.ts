import { ask, valuesOf } from "../../dns/client.ts";
import { turns } from "../../dns/turns.ts";
import type { WebPage } from "../../plan/types.ts";
import { webPages } from "../../plan/web.ts";
import type { HostUnderCheck, Item } from "../host.ts";
import { asked, said } from "../http.ts";
import { isWanted } from "../recordsets.ts";
import { sideBySide } from "../sidebyside.ts";
import { type Finding, right, wrong } from "../types.ts";

/** Pages asked for at once. */
const atOnce = 10;

const remedy =
  "Run `pulumi up`: it puts the Worker as planned. If it changes nothing, see at Cloudflare (Workers & Pages) whether the name leads to it.";

/** What the domains show on the web is as planned: set-up for mail programs, and the policy for other servers (MTA-STS). */
export const web: Item = {
  name: "web",
  group: "Mail",
  async look(host) {
    const pages = webPages(host.target.settings, host.target.ramps ?? {}).filter((page) =>
      isWanted(page.host, host.target),
    );
    const inTurn = turns(atOnce);
    const found = await sideBySide(
      "web",
      Object.fromEntries(
        [...Map.groupBy(pages, (page) => page.host)].map(([name, own]) => [
          name,
          Promise.all(own.map((page) => inTurn(() => onePage(host, page)))).then((found) => found.flat()),
        ]),
      ),
    );
    return found.length > 0 || pages.length === 0
      ? found
      : [right(`all ${pages.length} pages for mail programs and other servers are as planned`)];
  },
};

async function onePage(host: HostUnderCheck, page: WebPage): Promise<readonly Finding[]> {
  const url = `https://${page.host}${page.path}`;
  const person = page.address === undefined ? "" : `postmaster@${page.address.domain}`;
  const { rcode, answers } = await ask(host.target.resolver, page.host, "A");
  const [address] = valuesOf(answers);
  if (address === undefined) {
    return rcode === "SERVFAIL"
      ? [wrong(`${url} is not to be found: its name is answered ${rcode}`, remedy, { unanswered: true })]
      : [wrong(`${url} is not to be found: its name has no address`, remedy)];
  }
  const answer = await asked({
    scheme: "https",
    address,
    name: page.host,
    path: page.address?.in === "query" ? `${page.path}?address=${encodeURIComponent(person)}` : page.path,
    ...(page.method === "POST" && { body: `<EMailAddress>${person}</EMailAddress>` }),
    roots: host.roots,
  });
  if (answer.status !== 200) {
    const silent = answer.trouble === undefined ? {} : { unanswered: true as const };
    return [wrong(`${url} does not show its page: ${said(answer)}`, remedy, silent)];
  }
  return isAsPlanned(page, answer.body, person)
    ? []
    : [wrong(`${url} shows something else than planned`, remedy)];
}

function isAsPlanned({ content }: WebPage, body: Buffer, person: string): boolean {
  if ("base64" in content) return body.equals(Buffer.from(content.base64, "base64"));
  const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
  const wanted = content.text.replaceAll("%ADDRESS%", person);
  return body.toString().replace(uuid, "%UUID%") === wanted.replace(uuid, "%UUID%");
}
