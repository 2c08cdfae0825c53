import { firstMx, recordsOf, reverseName } from "../records.ts";
import { type ResourceRule, type StackRule, textAt, valueAt } from "../rule.ts";

export const proxied: ResourceRule = {
  name: "no-record-proxied",
  description: "No record of the mail host's leads to Cloudflare's proxy, which takes web traffic alone.",
  type: "cloudflare:index/dnsRecord:DnsRecord",
  judge: ({ properties }) =>
    valueAt(properties, "proxied") === true
      ? [
          `${textAt(properties, "name")} would be proxied by Cloudflare: nobody's mail gets through there, neither at port 25 nor at a mail program's. Set \`proxied: false\` (the grey cloud).`,
        ]
      : [],
};

export const workerPlace: StackRule = {
  name: "no-worker-at-mail-host",
  description: "No Worker has the mail host's name, where it would take the place of its address.",
  judgeStack: (resources) => {
    const hosts = new Set([...firstMx(recordsOf(resources)).values(), reverseName(resources)]);
    return resources
      .filter(({ type }) => type === "cloudflare:index/workersCustomDomain:WorkersCustomDomain")
      .flatMap(({ urn, properties }) => {
        const hostname = textAt(properties, "hostname");
        return hostname !== undefined && hosts.has(hostname.toLowerCase())
          ? [
              {
                urn,
                text: `${hostname} is where mail goes, and a Worker would take its place at Cloudflare. Give the Worker a name of its own, such as autoconfig.…`,
              },
            ]
          : [];
      });
  },
};
