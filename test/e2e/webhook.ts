/** Somebody at the other side who takes what the host's daily check tells by POST, over HTTPS that the host can trust. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:https";
import { createInterface } from "node:readline";
import { inside, networkOf } from "../../local/world/network.ts";
import { authority, type ServerCertificate } from "../check/fixtures.ts";
import { cloudInfo, onHost } from "./mailhost.ts";

const name = "mx.example.net";
const [port, path] = [8443, "/hooks/4d1f"];

/** Where it is, as the stack file has it. */
export const webhook = `https://${name}:${port}${path}`;

export interface Taken {
  /** `POST /hooks/4d1f`. */
  readonly asked: string;
  readonly body: {
    readonly text: string;
    readonly wrong: readonly { about: string }[];
    readonly over: readonly { about: string }[];
  };
}

/** While somebody listens there, whose authority the host knows. @param body gets what has come so far */
export async function withWebhook(body: (taken: readonly Taken[]) => Promise<void>): Promise<void> {
  const ours = authority("hooks.test");
  const [file, args] = inside(networkOf(cloudInfo().slot).internet, [
    process.execPath,
    import.meta.filename,
    JSON.stringify(ours.issue(name)),
  ]);
  const server = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
  const taken: Taken[] = [];
  const lines = createInterface({ input: server.stdout });
  try {
    await once(lines, "line");
    lines.on("line", (line) => taken.push(JSON.parse(line) as Taken));
    const public_ = "/etc/ssl/certs/ca-certificates.crt";
    await onHost(`cat ${public_} - >/run/hooks.crt; mount --bind /run/hooks.crt ${public_}`, ours.ca);
    try {
      await body(taken);
    } finally {
      await onHost(`umount ${public_}; rm /run/hooks.crt`);
    }
  } finally {
    server.kill();
  }
}

function listen(certificate: ServerCertificate): void {
  createServer(certificate, (request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    request.on("end", () => {
      console.log(JSON.stringify({ asked: `${request.method} ${request.url}`, body: JSON.parse(text) }));
      response.writeHead(204).end();
    });
  }).listen(port, () => console.log("listens"));
}

if (import.meta.main) listen(JSON.parse(process.argv[2] ?? "") as ServerCertificate);
