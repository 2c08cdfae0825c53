/** An editor as far as stack files want one: it speaks with the server that editors complete and underline YAML by. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";

const root = join(import.meta.dirname, "../..");

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
}

/** A place in a text, from 0 on. */
interface Position {
  readonly line: number;
  readonly character: number;
}

export interface Underlined {
  readonly range: { readonly start: Position };
  readonly message: string;
}

/** The Language Server Protocol over a pipe (https://microsoft.github.io/language-server-protocol/). */
export class Editor {
  readonly #send: (message: object) => void;
  readonly #answers = new Map<number, (result: unknown) => void>();
  readonly #underlined = new Map<string, (diagnostics: readonly Underlined[]) => void>();
  #last = 0;

  private constructor(send: (message: object) => void) {
    this.#send = send;
  }

  static async open(t: Pick<TestContext, "after">): Promise<Editor> {
    const server = spawn(join(root, "node_modules/.bin/yaml-language-server"), ["--stdio"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    t.after(() => server.kill());
    const editor = new Editor((message) => {
      const text = JSON.stringify({ jsonrpc: "2.0", ...message });
      server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    });
    let rest = Buffer.alloc(0);
    server.stdout.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const [head, length] =
          /^Content-Length: (\d+)\r\n(?:.*\r\n)*?\r\n/.exec(rest.toString("latin1")) ?? [];
        const end = (head?.length ?? 0) + Number(length);
        if (head === undefined || rest.length < end) return;
        editor.#take(JSON.parse(rest.toString("utf8", head.length, end)) as Message);
        rest = rest.subarray(end);
      }
    });
    await editor.#ask("initialize", {
      processId: process.pid,
      rootUri: pathToFileURL(root).href,
      capabilities: { workspace: { configuration: true }, textDocument: { completion: {} } },
    });
    editor.#send({ method: "initialized", params: {} });
    return editor;
  }

  /** Opens a text as that file of the checkout's. @returns what is underlined in it */
  async underlined(name: string, text: string): Promise<readonly Underlined[]> {
    const uri = pathToFileURL(join(root, name)).href;
    const told = new Promise<readonly Underlined[]>((resolve) => this.#underlined.set(uri, resolve));
    this.#send({
      method: "textDocument/didOpen",
      params: { textDocument: { uri, languageId: "yaml", version: 1, text } },
    });
    const diagnostics = await told;
    this.#send({ method: "textDocument/didClose", params: { textDocument: { uri } } });
    return diagnostics;
  }

  /** What it offers at the end of a text. */
  async completed(name: string, text: string): Promise<readonly string[]> {
    const uri = pathToFileURL(join(root, name)).href;
    this.#send({
      method: "textDocument/didOpen",
      params: { textDocument: { uri, languageId: "yaml", version: 1, text } },
    });
    const lines = text.split("\n");
    const position = { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
    const { items } = (await this.#ask("textDocument/completion", { textDocument: { uri }, position })) as {
      readonly items: readonly { readonly label: string }[];
    };
    this.#send({ method: "textDocument/didClose", params: { textDocument: { uri } } });
    return items.map(({ label }) => label);
  }

  #ask(method: string, params: object): Promise<unknown> {
    const id = ++this.#last;
    this.#send({ id, method, params });
    return new Promise((resolve) => this.#answers.set(id, resolve));
  }

  #take({ id, method, params, result }: Message): void {
    if (method === "workspace/configuration") {
      // Nothing comes from the network.
      const { items } = params as { readonly items: readonly { readonly section: string }[] };
      const settings = { schemaStore: { enable: false }, validate: true, completion: true };
      this.#send({ id, result: items.map(({ section }) => (section === "yaml" ? settings : {})) });
    } else if (method === "textDocument/publishDiagnostics") {
      const { uri, diagnostics } = params as {
        readonly uri: string;
        readonly diagnostics: readonly Underlined[];
      };
      this.#underlined.get(uri)?.(diagnostics);
    } else if (method !== undefined && id !== undefined) this.#send({ id, result: null });
    else if (id !== undefined) this.#answers.get(id)?.(result);
  }
}
