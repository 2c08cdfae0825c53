/** The web as a program at the other side of the internet sees it: names by the world's resolver, its authorities. */
import { execFileSync } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { cloudInfo } from "./mailhost.ts";

export interface WebAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** What the world's resolver says. */
export function worldResolver(): Resolver {
  const resolver = new Resolver();
  resolver.setServers([cloudInfo().resolver]);
  return resolver;
}

export async function addressOf(name: string): Promise<string> {
  const [address] = await worldResolver().resolve4(name);
  if (address === undefined) throw new Error(`${name} has no address`);
  return address;
}

/** One request, with name and chain checked as by any client. @throws where they are not right */
export async function web(
  url: string,
  options: { readonly method?: string; readonly body?: string } = {},
): Promise<WebAnswer> {
  const { protocol, hostname, pathname, search } = new URL(url);
  const address = await addressOf(hostname);
  const request = protocol === "https:" ? secureRequest : plainRequest;
  return await new Promise((resolve, reject) => {
    const call = request(
      {
        host: address,
        servername: hostname,
        headers: { host: hostname },
        path: `${pathname}${search}`,
        method: options.method ?? (options.body === undefined ? "GET" : "POST"),
        ca: [cloudInfo().issuerCa],
        agent: false,
        timeout: 10_000,
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(parts),
          }),
        );
      },
    );
    call.on("timeout", () => call.destroy(new Error(`${url}: no answer in 10 s`)));
    call.on("error", reject);
    call.end(options.body);
  });
}

/** Runs Python, whose standard library has the parsers that Node's has not. @returns what it printed, from JSON */
export function python<T>(program: string, input: Buffer): T {
  return JSON.parse(execFileSync("python3", ["-c", program], { input, encoding: "utf8" })) as T;
}

/** An element of an XML document, names without their namespace. */
export interface Element {
  readonly name: string;
  readonly space: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

export function parseXml(document: Buffer): Element {
  return python<Element>(
    `import json, sys, xml.etree.ElementTree as tree
def shape(e):
    space, _, name = e.tag.rpartition("}")
    return {"name": name, "space": space.lstrip("{"), "attributes": e.attrib, "text": (e.text or "").strip(),
            "children": [shape(c) for c in e]}
print(json.dumps(shape(tree.fromstring(sys.stdin.buffer.read()))))`,
    document,
  );
}

export function childrenOf({ children }: Element, name: string): readonly Element[] {
  return children.filter((child) => child.name === name);
}

/** The text of the one child of that name. @throws where there is none, or more */
export function textOf(element: Element, name: string): string {
  const [child, ...more] = childrenOf(element, name);
  if (child === undefined || more.length > 0) throw new Error(`${element.name} has not one ${name}`);
  return child.text;
}
