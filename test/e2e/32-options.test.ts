import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "node:tls";
import { changesSince, footprint } from "./footprint.ts";
import { mailHost } from "./mail.ts";
import { cloudInfo, previewSteps, up, withStack } from "./mailhost.ts";

/** Lines of a dialogue over TLS, one answer to each. */
async function dialogue(port: number, lines: readonly string[]): Promise<readonly string[]> {
  const host = await mailHost();
  const socket = connect({
    host: host.publicIp,
    port,
    servername: host.hostname,
    ca: [cloudInfo().issuerCa],
  });
  socket.setEncoding("utf8").setTimeout(10_000, () => socket.destroy(new Error("no answer in 10 s")));
  const answers: string[] = [];
  const waiting = [...lines];
  for await (const chunk of socket) {
    answers.push(...String(chunk).trimEnd().split("\r\n"));
    const next = waiting.shift();
    if (next === undefined) socket.end();
    else socket.write(`${next}\r\n`);
  }
  return answers;
}

test("an option on and off again: it works at once, and leaves no trace", async () => {
  const before = await footprint();
  await withStack(
    (stack) => stack.setIn(["config", "mailhost:pop3s"], true),
    async () => {
      const steps = await previewSteps();
      assert.deepEqual(
        steps
          .map(({ op, name }) => `${op} ${name}`)
          .filter((step) => !step.endsWith("mailhost-dev") && !step.endsWith(" host-pop3s"))
          .sort(),
        [
          "create host-pop3s-files",
          // Mail programs that look for POP3 in the DNS find it; so does the page for people.
          "update dns-srv:_pop3s._tcp.example.com",
          "update dns-srv:_pop3s._tcp.example.org",
          "update firewall-group",
          "update host-nftables-confirm",
          "update host-nftables-confirmed",
          "update host-nftables-files",
          "update host-packages",
          "update host-sweep",
          "update host-sweep-packages",
          "update web-script",
        ],
      );
      await up();
      const { credentials } = await mailHost();
      const answers = await dialogue(995, [
        "USER ann@example.org",
        `PASS ${credentials["ann@example.org"]}`,
        "STAT",
        "QUIT",
      ]);
      assert.deepEqual(
        answers.map((line) => line.split(" ")[0]),
        ["+OK", "+OK", "+OK", "+OK", "+OK"],
      );
      assert.deepEqual(await previewSteps(), []);
    },
  );
  await up();
  assert.deepEqual(await changesSince(before), { came: [], went: [] });
  assert.deepEqual(await previewSteps(), []);
});
