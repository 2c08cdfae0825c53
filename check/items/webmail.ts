import { get as getPlain } from "node:http";
import { get } from "node:https";
import { webmail as planned } from "../../plan/webmail.ts";
import { applyAgain } from "../again.ts";
import type { HostUnderCheck, Item } from "../host.ts";
import { type Finding, right, wrong } from "../types.ts";

/** Milliseconds for an answer. PHP may have to start. */
const patience = 10_000;

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
  const shows = page.status === 200 && page.body.includes('id="login-form"');
  const sends = way.status === 301 && way.location === `https://${name}/`;
  const troubles: readonly Finding[] = [
    ...(shows
      ? []
      : [
          wrong(
            `https://${name}/ does not show webmail's login: ${said(page)}`,
            `See why: \`npm run host -- journalctl -u nginx -u php8.4-fpm -t roundcube -u mailhost-certificate -n 50\`, then ${applyAgain(host.target, "web")}.`,
          ),
        ]),
    ...(sends
      ? []
      : [
          wrong(
            `http://${name}/ does not send browsers on to HTTPS: ${said(way)}`,
            `The host's nginx.conf was changed, or nginx does not run: ${applyAgain(host.target, "web")}.`,
          ),
        ]),
  ];
  return troubles.length > 0
    ? troubles
    : [right(`https://${name}/ shows webmail's login, and http:// leads there`)];
}

interface Answer {
  readonly status?: number;
  readonly location?: string;
  readonly body: string;
  /** Why there is none. */
  readonly trouble?: string;
}

const said = ({ status, trouble }: Answer) => trouble ?? `the answer is ${status}`;

/** What the host says under one of its names, at its first page. */
function answer(host: HostUnderCheck, name: string, scheme: "http" | "https"): Promise<Answer> {
  const number = host.ports.find((port) => port.name === scheme)?.number;
  return new Promise((resolve) => {
    const options = {
      host: host.address,
      port: number,
      path: "/",
      headers: { host: name },
      agent: false,
      timeout: patience,
    } as const;
    const asked =
      scheme === "http" ? getPlain(options) : get({ ...options, servername: name, ca: [...host.roots] });
    asked.on("error", ({ message }) => resolve({ body: "", trouble: message }));
    asked.on("timeout", () => asked.destroy(new Error(`no answer in ${patience / 1000} seconds`)));
    asked.on("response", (response) => {
      const { statusCode: status, headers } = response;
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        body += part;
      });
      response.on("error", ({ message }) => resolve({ body, trouble: message }));
      response.on("end", () =>
        resolve({
          body,
          ...(status !== undefined && { status }),
          ...(headers.location !== undefined && { location: headers.location }),
        }),
      );
    });
  });
}
