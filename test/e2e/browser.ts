/** A real browser, Chromium without a screen, led over its DevTools protocol. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ensurePackages } from "../../local/prerequisites.ts";
import { eventually } from "../eventually.ts";

const program = "chromium-headless-shell";

/** Looks often, since pages are quick; while one gives way to the next there is nothing to ask. */
const soon = (what: string, holds: () => Promise<boolean>) => eventually(what, 30, holds, 40);

/** Where an expression is evaluated: `document` is the page's, or that of the frame with this id. */
interface Place {
  readonly frame?: string;
}

export interface Browser {
  goTo(url: string): Promise<void>;
  /** The value of a JavaScript expression in the page. @throws what it throws */
  value<T>(expression: string, place?: Place): Promise<T>;
  /** Waits until an expression is true. @throws after 30 seconds */
  until(expression: string, place?: Place): Promise<void>;
  /** Presses the mouse on the middle of an element, once it is there and nothing lies over it. */
  click(selector: string, place?: Place): Promise<void>;
  /** Puts text where an element's own is, as if typed. */
  fill(selector: string, text: string, place?: Place): Promise<void>;
  /** Takes a value of a menu. */
  choose(selector: string, value: string, place?: Place): Promise<void>;
  /** Loses its cookies. */
  forget(): Promise<void>;
  size(width: number, height: number, phone: boolean): Promise<void>;
  picture(path: string): Promise<void>;
  /** What went wrong since the last asking: exceptions, what the policy forbade, what was not found. */
  complaints(): readonly string[];
  close(): Promise<void>;
}

interface Options {
  /** Name of the host, and the address that stands for it here. */
  readonly name: string;
  readonly address: string;
  /** Its certificate, which the caller has verified: Chromium knows nothing of the world's authority. */
  readonly certificate: Buffer;
}

export async function openBrowser({ name, address, certificate }: Options): Promise<Browser> {
  await ensurePackages([{ what: program, package: program, why: "shows the tests what a browser shows" }]);
  const folder = mkdtempSync(join(tmpdir(), "mailhost-browser-"));
  const key = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
  const child = spawn(
    program,
    [
      // Root's Chromium has no sandbox. What it shows is ours.
      "--no-sandbox",
      "--remote-debugging-port=0",
      `--user-data-dir=${folder}`,
      `--host-resolver-rules=MAP ${name} ${address}, MAP * ~NOTFOUND`,
      `--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`,
      "--lang=en-US",
      "--hide-scrollbars",
      "about:blank",
    ],
    { detached: true, stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, TZ: "UTC" } },
  );
  const close = async () => {
    const ended = child.exitCode === null ? once(child, "close") : undefined;
    // It is many processes.
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    return { ...(await lead(await doorOf(child))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The address of its DevTools, which it says when it is ready. */
async function doorOf(child: ChildProcess): Promise<string> {
  const { stderr } = child;
  if (stderr === null) throw new Error("Chromium's words are not heard");
  for await (const line of createInterface({ input: stderr })) {
    const [, door] = /^DevTools listening on (ws:\S+)$/.exec(line) ?? [];
    if (door !== undefined) {
      stderr.resume();
      return door;
    }
  }
  throw new Error("Chromium ended before it was ready");
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

async function lead(door: string): Promise<Omit<Browser, "close">> {
  const socket = new WebSocket(door);
  await once(socket, "open");
  const waiting = new Map<number, (message: Message) => void>();
  let complaints: string[] = [];
  let number = 0;
  let session: string | undefined;

  function command(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    number += 1;
    const id = number;
    return new Promise((resolve, reject) => {
      waiting.set(id, ({ result, error }) =>
        error === undefined ? resolve(result ?? {}) : reject(new Error(`${method}: ${error.message}`)),
      );
      socket.send(
        JSON.stringify({ id, method, params, ...(session !== undefined && { sessionId: session }) }),
      );
    });
  }

  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id !== undefined) {
      waiting.get(message.id)?.(message);
      waiting.delete(message.id);
    } else {
      const complaint = complaintOf(message);
      if (complaint !== undefined) complaints.push(complaint);
      // A page that asks before it is left would wait for ever.
      if (message.method === "Page.javascriptDialogOpening")
        void command("Page.handleJavaScriptDialog", { accept: true });
    }
  });

  const { targetId } = await command("Target.createTarget", { url: "about:blank" });
  const attached = await command("Target.attachToTarget", { targetId, flatten: true });
  session = String(attached.sessionId);
  for (const domain of ["Page", "Runtime", "Log", "Network"]) await command(`${domain}.enable`);

  async function value<T>(expression: string, { frame }: Place = {}): Promise<T> {
    const window =
      frame === undefined ? "window" : `document.getElementById(${JSON.stringify(frame)}).contentWindow`;
    const source = `(({ document, window }) => (${expression}))({ window: ${window}, document: ${window}.document })`;
    const said = await command("Runtime.evaluate", {
      expression: source,
      awaitPromise: true,
      returnByValue: true,
    });
    const { exceptionDetails, result } = said as {
      exceptionDetails?: { exception?: { description?: string } };
      result: { value: T };
    };
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description}`);
    return result.value;
  }

  const until = async (expression: string, place?: Place): Promise<void> => {
    await soon(expression, async () => (await value<unknown>(expression, place)) === true).catch(
      async (error: Error) => {
        const shown = await value<string>('location.href + "\\n" + document.body?.innerText');
        throw new Error(`${error.message}; the page shows: ${shown.slice(0, 500)}\n${complaints.join("\n")}`);
      },
    );
  };

  /** The middle of an element in the whole window, where it is really what is hit there. */
  async function middle(selector: string, place: Place = {}): Promise<{ x: number; y: number }> {
    const offset =
      place.frame === undefined
        ? "{ x: 0, y: 0 }"
        : `top.document.getElementById(${JSON.stringify(place.frame)}).getBoundingClientRect()`;
    const expression = `(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      if (!element) return null;
      element.scrollIntoView({ block: "center" });
      const box = element.getBoundingClientRect();
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      const hit = document.elementFromPoint(x, y);
      const offset = ${offset};
      return box.width > 0 && hit && (element.contains(hit) || hit.contains(element))
        ? { x: x + offset.x, y: y + offset.y } : null;
    })()`;
    let found: { x: number; y: number } | null = null;
    await soon(`${selector} can be pressed`, async () => {
      const before = found;
      found = await value<{ x: number; y: number } | null>(expression, place);
      // Where it still slides in, it is not pressed yet.
      return found !== null && before?.x === found.x && before.y === found.y;
    });
    return found ?? { x: 0, y: 0 };
  }

  return {
    value,
    until,
    async goTo(url) {
      await command("Page.navigate", { url });
      await until(`location.href.startsWith(${JSON.stringify(url)}) && document.readyState === "complete"`);
    },
    async click(selector, place) {
      const at = await middle(selector, place);
      for (const type of ["mouseMoved", "mousePressed", "mouseReleased"])
        await command("Input.dispatchMouseEvent", { type, ...at, button: "left", clickCount: 1 });
    },
    async fill(selector, text, place) {
      await middle(selector, place);
      const element = `document.querySelector(${JSON.stringify(selector)})`;
      await value(`(${element}.focus(), ${element}.select?.(), null)`, place);
      await command("Input.insertText", { text });
    },
    async choose(selector, chosen, place) {
      await middle(selector, place);
      await value(
        `((menu) => { menu.value = ${JSON.stringify(chosen)}; menu.dispatchEvent(new window.Event("change", { bubbles: true })); return null; })(document.querySelector(${JSON.stringify(selector)}))`,
        place,
      );
    },
    async forget() {
      await command("Network.clearBrowserCookies");
    },
    async size(width, height, phone) {
      await command("Emulation.setDeviceMetricsOverride", {
        width,
        height,
        deviceScaleFactor: phone ? 2 : 1,
        mobile: phone,
      });
      await command("Emulation.setTouchEmulationEnabled", { enabled: phone });
    },
    async picture(path) {
      const { data } = await command("Page.captureScreenshot", { format: "png" });
      writeFileSync(path, Buffer.from(String(data), "base64"));
    },
    complaints() {
      const said = complaints;
      complaints = [];
      return said;
    },
  };
}

function complaintOf({ method, params }: Message): string | undefined {
  if (method === "Runtime.exceptionThrown") {
    const { exceptionDetails } = params as {
      exceptionDetails: { text: string; exception?: { description?: string } };
    };
    return exceptionDetails.exception?.description ?? exceptionDetails.text;
  }
  if (method === "Log.entryAdded") {
    const { entry } = params as { entry: { level: string; text: string; url?: string } };
    return entry.level === "error" ? `${entry.text} ${entry.url ?? ""}` : undefined;
  }
  if (method === "Network.responseReceived") {
    const { response } = params as { response: { status: number; url: string } };
    return response.status >= 400 ? `${response.status} ${response.url}` : undefined;
  }
  return undefined;
}
