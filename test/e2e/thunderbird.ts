import { childrenOf, type Element, parseXml, textOf } from "./web.ts";

/** One way in or out, as Thunderbird keeps it. */
export interface Server {
  readonly type: string;
  readonly hostname: string;
  readonly port: number;
  readonly security: "none" | "TLS" | "STARTTLS";
  readonly login: string;
}

/** The first of each kind is what it tries; the others are offered by hand. */
export interface AccountConfig {
  readonly incoming: readonly Server[];
  readonly outgoing: readonly Server[];
}

const securities: Readonly<Record<string, Server["security"]>> = {
  plain: "none",
  SSL: "TLS",
  STARTTLS: "STARTTLS",
};

/**
 * A `config-v1.1.xml` as Thunderbird reads it, by the rules of draft-ietf-mailmaint-autoconfig: a provider with an id and
 * its domains, servers of known kinds with host name, port, socket type and authentication, what it does not know passed
 * over, placeholders of the address filled in.
 * @throws where it would find no account
 */
export function readConfig(document: Buffer, address: string): AccountConfig {
  const root = parseXml(document);
  if (root.name !== "clientConfig") throw new Error(`the root is ${root.name}`);
  if (root.attributes.version !== "1.1") throw new Error("it is not version 1.1");
  const [provider] = childrenOf(root, "emailProvider");
  if (provider === undefined) throw new Error("there is no emailProvider");
  const domain = address.split("@")[1] ?? "";
  const domains = childrenOf(provider, "domain").map(({ text }) => hostname(text));
  if (!domains.includes(domain)) throw new Error(`it is not about ${domain}`);
  hostname(provider.attributes.id ?? "");
  const servers = (name: string, kinds: readonly string[]) =>
    childrenOf(provider, name)
      .filter(({ attributes }) => kinds.includes(attributes.type ?? ""))
      .flatMap((each) => serverOf(each, address));
  const incoming = servers("incomingServer", ["imap", "pop3"]);
  const outgoing = servers("outgoingServer", ["smtp"]);
  if (incoming.length === 0 || outgoing.length === 0) throw new Error("it lacks a way in or out");
  return { incoming, outgoing };
}

function serverOf(element: Element, address: string): Server[] {
  const ways = childrenOf(element, "authentication").map(({ text }) => text);
  // Of several it takes the first that it can do; a password is the only one that needs nothing else.
  if (!ways.includes("password-cleartext")) return [];
  const security = childrenOf(element, "socketType")
    .map(({ text }) => securities[text])
    .find((known) => known !== undefined);
  if (security === undefined) return [];
  const port = Number(textOf(element, "port"));
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error(`${port} is no port`);
  const [local = "", domain = ""] = address.split("@");
  const login = textOf(element, "username")
    .replaceAll("%EMAILADDRESS%", address)
    .replaceAll("%EMAILLOCALPART%", local)
    .replaceAll("%EMAILDOMAIN%", domain);
  if (login === "" || /[%\s]/.test(login)) throw new Error(`"${login}" is no login`);
  return [
    {
      type: element.attributes.type ?? "",
      hostname: hostname(textOf(element, "hostname")),
      port,
      security,
      login,
    },
  ];
}

function hostname(text: string): string {
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text)) throw new Error(`"${text}" is no host name`);
  return text.toLowerCase();
}
