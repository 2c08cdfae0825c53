import { webmail as planned } from "../../plan/webmail.ts";
import { applyAgain } from "../again.ts";
import type { HostUnderCheck, Item } from "../host.ts";
import { asked, type HttpAnswer, said } from "../http.ts";
import { type Finding, right, wrong } from "../types.ts";

/** Where the plan has webmail: it shows its login, and who comes without encryption is sent there. */
export const webmail: Item = {
  name: "webmail",
  group: "Mail",
  async look(host) {
    if (host.port("https") === undefined) return [];
    const more = planned(host.target.settings)?.names ?? [];
    const found = await Promise.all([host.name, ...more].map((name) => oneName(host, name)));
    return found.flat();
  },
};

async function oneName(host: HostUnderCheck, name: string): Promise<readonly Finding[]> {
  const [page, way] = await Promise.all([answer(host, name, "https"), answer(host, name, "http")]);
  const shows = page.status === 200 && page.body.toString().includes('id="login-form"');
  const sends = way.status === 301 && way.location === `https://${name}/`;
  const troubles: readonly Finding[] = [
    ...(shows
      ? []
      : [
          wrong(
            `https://${name}/ does not show webmail's login: ${said(page)}`,
            `See why: \`npm run host -- journalctl -u nginx -u php8.4-fpm -t roundcube -u mailhost-certificate -n 50\`, then ${applyAgain(host.target, "web")}.`,
            page.trouble === undefined ? {} : { unanswered: true },
          ),
        ]),
    ...(sends
      ? []
      : [
          wrong(
            `http://${name}/ does not send browsers on to HTTPS: ${said(way)}`,
            `The host's nginx.conf was changed, or nginx does not run: ${applyAgain(host.target, "web")}.`,
            way.trouble === undefined ? {} : { unanswered: true },
          ),
        ]),
  ];
  return troubles.length > 0
    ? troubles
    : [right(`https://${name}/ shows webmail's login, and http:// leads there`)];
}

/** What the host says under one of its names, at its first page. */
function answer(host: HostUnderCheck, name: string, scheme: "http" | "https"): Promise<HttpAnswer> {
  const port = host.ports.find((port) => port.name === scheme)?.number;
  return asked({
    scheme,
    address: host.from.at,
    ...(port !== undefined && { port }),
    name,
    path: "/",
    roots: host.roots,
    trust: host.trust,
  });
}
