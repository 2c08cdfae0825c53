import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createTransport } from "nodemailer";
import { resolverAt } from "../../../check/judge.ts";
import { otherSideAt } from "../../../check/otherside.ts";
import { type Peer, startPeer } from "../../../local/peer/server.ts";
import { Smarthost } from "../../../local/peer/smarthost.ts";
import { type DnsWorld, startDnsWorld } from "../../check/dnsworld.ts";

const address = "127.0.0.1";
const ports = [20_587, 20_465] as const;
let folder: string;
let world: DnsWorld;
let peer: Peer;
let relay: Smarthost;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "mailhost-smarthost-"));
  world = await startDnsWorld({
    "example.net": { lines: ["@ MX 10 mx", `mx A ${address}`, `relay A ${address}`] },
  });
  const resolver = world.resolver;
  peer = await startPeer({
    ...{ domain: "example.net", hostname: "mx.example.net", address, resolver },
    ...{ api: join(folder, "peer.sock"), state: folder, port: 0 },
  });
  relay = new Smarthost(folder, { address, domain: "example.net" }, resolverAt(resolver), ports, peer.port);
  await relay.open();
});

after(async () => {
  await relay?.close();
  await peer?.close();
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function send(secure: boolean, more: object, to = "bob@example.net"): Promise<string> {
  const { host, username, password, caCertificate } = relay.access;
  const transport = createTransport({
    host: address,
    port: secure ? relay.access.tlsPort : relay.access.port,
    secure,
    requireTLS: true,
    auth: { user: username, pass: password },
    tls: { servername: host, ca: [caCertificate] },
    ...more,
  });
  try {
    const mail = { from: "ann@example.org", to, subject: "by relay", text: "Words.\n" };
    return (await transport.sendMail(mail)).response;
  } catch (error) {
    return (error as Error).message;
  } finally {
    transport.close();
  }
}

test("after a login over TLS, whichever way that begins, mail is passed on as it came", async () => {
  const side = await otherSideAt(join(folder, "peer.sock"));
  for (const secure of [false, true]) assert.match(await send(secure, {}), /^250 2\.0\.0 Passed on/);
  const come = await side.messages({ to: "bob@example.net" });
  assert.deepEqual(
    come.map(({ envelope, client }) => [envelope.from, client.helo]),
    [
      ["ann@example.org", "relay.example.net"],
      ["ann@example.org", "relay.example.net"],
    ],
  );
});

test("nobody else gets anything: no login without TLS, no mail without login, no wrong password", async () => {
  assert.match(
    await send(false, { requireTLS: false, ignoreTLS: true }),
    /538|530|Invalid login|Missing|STARTTLS/,
  );
  assert.match(await send(false, { auth: undefined }), /530/);
  assert.match(await send(true, { auth: { user: "customer", pass: "guessed" } }), /535 5\.7\.8/);
});

test("what cannot be passed on is not taken", async () => {
  assert.match(await send(false, {}, "x@nowhere.example.net"), /451/);
});
