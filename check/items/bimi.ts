import { X509Certificate } from "node:crypto";
import { ask, textsAt, valuesOf } from "../../dns/client.ts";
import { type Brand, bimiRecord } from "../../plan/bimi.ts";
import { policyIn } from "../../plan/dmarc.ts";
import { logoMistake } from "../../settings/svg.ts";
import type { Domain } from "../../settings/types.ts";
import type { HostUnderCheck, Item } from "../host.ts";
import { asked, said } from "../http.ts";
import { sideBySide } from "../sidebyside.ts";
import { type Finding, right, wrong } from "../types.ts";

/** Days before its end at which a certificate's renewal is due: the authority looks at the logo's papers again. */
const soon = 30;

/** Mark certificates, among all others (extended key usage of draft-fetch-validation-vmc-wchuang). */
const markCertificate = "1.3.6.1.5.5.7.3.31";

/**
 * What keeps mail programs from showing a domain's logo (mailhost:bimi), beside its record and the Worker's page, which `records` and
 * `web` look at.
 */
export const bimi: Item = {
  name: "bimi",
  group: "Mail",
  async look(host) {
    const looks = host.domains.flatMap((domain) => {
      const brand = host.target.settings.options.bimi[domain.name];
      return brand === undefined ? [] : [[domain.name, oneBrand(host, domain, brand)] as const];
    });
    return await sideBySide("bimi", Object.fromEntries(looks));
  },
};

async function oneBrand(host: HostUnderCheck, domain: Domain, brand: Brand): Promise<readonly Finding[]> {
  const { name } = domain;
  if (!host.target.records.some((record) => record.name === bimiRecord(name)))
    return [right(`the logo of ${name} is published when its DMARC policy has come to quarantine`)];
  const found = (
    await Promise.all([
      aboveIt(host, domain),
      brand.url === undefined ? [] : logoAt(host, brand.url),
      brand.certificate === undefined ? [] : certificateAt(host, name, brand.certificate),
    ])
  ).flat();
  const ground = brand.certificate === undefined ? ", by those that want no certificate" : "";
  return found.length > 0 ? found : [right(`the logo of ${name} can be shown${ground}`)];
}

/** The domain that a name is registered under says of its own subdomains, too, whether anybody may write as them. */
async function aboveIt({ target }: HostUnderCheck, { name, zone }: Domain): Promise<readonly Finding[]> {
  if (zone === name) return [];
  const texts = await textsAt(target.resolver)(`_dmarc.${zone}`);
  const record = texts.find((text) => policyIn(text) !== undefined) ?? "";
  // Of RFC 7489 `pct`, of RFC 9989 in its place `t`.
  const isForSome = policyIn(record) === "quarantine" && /;\s*pct\s*=\s*(?!100\b)/i.test(record);
  const isStrict =
    ["quarantine", "reject"].includes(policyIn(record) ?? "") &&
    !/;\s*(sp\s*=\s*none|t\s*=\s*y)\b/i.test(record) &&
    !isForSome;
  return isStrict
    ? []
    : [
        wrong(
          `the logo of ${name} is shown by nobody: ${zone} ${record === "" ? "has no DMARC record" : `says "${record}"`}`,
          `Write one of quarantine or reject for _dmarc.${zone}, without \`sp=none\`, \`t=y\` and a \`pct\` below 100.`,
        ),
      ];
}

async function logoAt(host: HostUnderCheck, url: string): Promise<readonly Finding[]> {
  const answer = await fetched(host, url);
  if ("trouble" in answer) return [answer.trouble];
  const mistake = logoMistake(answer.body.toString());
  if (mistake === undefined) return [];
  const [what = "", remedy = ""] = mistake.split(/; (.*)/s);
  return [wrong(`the logo at ${url} ${what}`, `In the file: ${remedy}.`)];
}

async function certificateAt(host: HostUnderCheck, name: string, url: string): Promise<readonly Finding[]> {
  const answer = await fetched(host, url);
  if ("trouble" in answer) return [answer.trouble];
  const certificate = read(answer.body);
  const where = `the logo's certificate at ${url}`;
  const remedy =
    "Put there the PEM that the authority has given for this logo and domain, its own certificates after it.";
  if (certificate === undefined) return [wrong(`${where} is none (PEM)`, remedy)];
  if (!certificate.keyUsage?.includes(markCertificate))
    return [wrong(`${where} is not one for logos (VMC or CMC)`, remedy)];
  const names = (certificate.subjectAltName ?? "").split(", ").map((each) => each.replace(/^DNS:/, ""));
  if (!names.some((each) => each === name || each === bimiRecord(name) || name.endsWith(`.${each}`)))
    return [wrong(`${where} is for ${names.join(", ") || "no domain"}, not for ${name}`, remedy)];
  const days = Math.floor((Date.parse(certificate.validTo) - Date.now()) / 86_400_000);
  return days >= soon
    ? []
    : [
        wrong(
          days < 0 ? `${where} has ended` : `${where} ends in ${days} days`,
          "Have it renewed by its authority, and put the new one there.",
        ),
      ];
}

function read(pem: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** What the world is shown at an address of the web; or what keeps it from that. */
async function fetched(
  { target, roots }: HostUnderCheck,
  url: string,
): Promise<{ readonly body: Buffer } | { readonly trouble: Finding }> {
  const { hostname: name, port, pathname, search } = new URL(url);
  const unseen = (why: string, more: { readonly unanswered?: true } = {}) => ({
    trouble: wrong(`${url} is not to be seen: ${why}`, "Put it there, or change mailhost:bimi.", more),
  });
  const { rcode, answers } = await ask(target.resolver, name, "A");
  const [address] = valuesOf(answers.filter(({ type }) => type === "A"));
  if (address === undefined) return unseen(`its name has no address (${rcode})`);
  const answer = await asked({
    scheme: "https",
    address,
    name,
    path: pathname + search,
    roots,
    ...(port !== "" && { port: Number(port) }),
  });
  if (answer.status === 200) return answer;
  return unseen(said(answer), answer.trouble === undefined ? {} : { unanswered: true });
}
