/**
 * Thunderbird's modules outside of Thunderbird: reads, on its standard input, a configuration and whose it is, and prints the
 * account that Thunderbird would make of it (thunderbird.ts). They find what they need of a browser here.
 */
import { registerHooks } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { DOMParser } from "@xmldom/xmldom";
import type { AccountConfig, Server } from "./thunderbird.ts";

const { modules, document, address } = JSON.parse(await text(process.stdin)) as {
  readonly modules: string;
  readonly document: string;
  readonly address: string;
};

const prefix = "resource:///modules/";
registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier.startsWith(prefix))
      return {
        url: pathToFileURL(join(modules, specifier.slice(prefix.length))).href,
        format: "module",
        shortCircuit: true,
      };
    // The rest of the browser's own is timers.
    if (specifier.startsWith("resource://gre/")) return next("node:timers", context);
    return next(specifier, context);
  },
});

// netwerk/base and mailnews/base: nsMsgSocketType and nsMsgAuthMethod, by number as in MailNewsTypes2.idl.
const socketTypes = { plain: 0, alwaysSTARTTLS: 2, SSL: 3 };
const securities = new Map<number, Server["security"]>([
  [socketTypes.plain, "none"],
  [socketTypes.alwaysSTARTTLS, "STARTTLS"],
  [socketTypes.SSL, "TLS"],
]);
const passwordCleartext = 3;

type Getters = Record<string, string>;
const loaded = new Map<string, Record<string, unknown>>();
const getter = (target: object, name: string, get: () => unknown) =>
  Object.defineProperty(target, name, { get, configurable: true });

Object.assign(console, { createInstance: () => console });
Object.assign(globalThis, {
  ChromeUtils: {
    defineESModuleGetters: (target: object, getters: Getters) => {
      for (const [name, url] of Object.entries(getters)) getter(target, name, () => loaded.get(url)?.[name]);
    },
    defineLazyGetter: getter,
  },
  Ci: {
    nsMsgSocketType: socketTypes,
    nsMsgAuthMethod: {
      none: 1,
      passwordCleartext,
      passwordEncrypted: 4,
      GSSAPI: 5,
      NTLM: 6,
      OAuth2: 10,
    },
  },
  Cu: { isInAutomation: true },
  Services: { prefs: { getBoolPref: () => false } },
  Localization: class {
    formatValueSync(id: string): string {
      return id;
    }
  },
  dump: () => {},
});

const load = async (path: string) => {
  const url = `${prefix}${path}.sys.mjs`;
  const found = (await import(url)) as Record<string, unknown>;
  loaded.set(url, found);
  return found;
};
await load("accountcreation/InputSanitizer");
await load("accountcreation/AccountCreationUtils");

interface Found {
  readonly type: string;
  readonly hostname: string;
  readonly port: number;
  readonly socketType: number;
  readonly auth: number;
  readonly username: string;
}
interface Config {
  readonly incoming: Found;
  readonly incomingAlternatives: readonly Found[];
  readonly outgoing: Found;
  readonly outgoingAlternatives: readonly Found[];
  readonly domains: readonly string[];
}
const { AccountConfig: own } = (await load("accountcreation/AccountConfig")) as {
  AccountConfig: { replaceVariables(config: Config, name: string, address: string): void };
};
const { readFromXML } = (await load("accountcreation/readFromXML")) as {
  readFromXML(tree: unknown, source: string): Config;
};
const { JXON } = (await load("JXON")) as { JXON: { build(document: unknown): unknown } };

const config = readFromXML(JXON.build(new DOMParser().parseFromString(document, "text/xml")), "test");
// It fills in the one way out that is chosen.
for (const outgoing of [config.outgoing, ...config.outgoingAlternatives])
  own.replaceVariables({ ...config, outgoing }, "Somebody", address);
const domain = address.slice(address.indexOf("@") + 1);
if (!config.domains.includes(domain)) throw new Error(`it is about ${config.domains.join(", ")}`);
const server = ({ type, hostname, port, socketType, auth, username }: Found): Server => {
  const security = securities.get(socketType);
  if (security === undefined || auth !== passwordCleartext)
    throw new Error(`${type} ${port}: ${socketType}, ${auth}`);
  return { type, hostname, port, security, login: username };
};
const account: AccountConfig = {
  incoming: [config.incoming, ...config.incomingAlternatives].map(server),
  outgoing: [config.outgoing, ...config.outgoingAlternatives].map(server),
};
process.stdout.write(JSON.stringify(account));
