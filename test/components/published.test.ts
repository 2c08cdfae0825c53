import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { type TestContext, test } from "node:test";
import { type Answer, decode, encode } from "dns-packet";
import { published } from "../../components/published.ts";

/** Loopback addresses that are nobody else's: a nameserver is always asked at port 53. */
const [resolver, first, second] = ["127.91.26.1", "127.91.26.2", "127.91.26.3"];
const host = { hostname: "mail.example.org", zone: "example.org", address: "192.0.2.25", resolver };

/** A server that answers over the wire. @returns the questions that it was asked, in their order */
async function server(
  t: TestContext,
  address: string,
  answer: (question: string, times: number) => readonly Answer[],
): Promise<readonly string[]> {
  const asked: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (packet, from) => {
    const { id, questions = [] } = decode(packet);
    const [question] = questions;
    assert.ok(question);
    const text = `${question.type} ${question.name}`;
    asked.push(text);
    const answers = [...answer(text, asked.filter((each) => each === text).length)];
    // RCODE 0, or 3 for a name that is not there.
    const flags = answers.length > 0 ? 0 : 3;
    socket.send(
      encode({ type: "response", ...(id !== undefined && { id }), flags, questions, answers }),
      from.port,
      from.address,
    );
  });
  await new Promise<void>((resolve) => socket.bind(53, address, resolve));
  t.after(() => socket.close());
  return asked;
}

const a = (name: string, data: string): Answer => ({ type: "A", name, data, ttl: 300 });

function delegation(t: TestContext): Promise<readonly string[]> {
  return server(t, resolver, (question) => {
    if (question === "NS example.org")
      return ["ada.example", "bob.example"].map((data) => ({
        type: "NS",
        name: "example.org",
        data,
        ttl: 300,
      }));
    if (question === "A ada.example") return [a("ada.example", first)];
    if (question === "A bob.example") return [a("bob.example", second)];
    return [];
  });
}

test("it waits until the last of the zone's nameservers serves the record, and asks no resolver for it", async (t) => {
  const resolved = await delegation(t);
  await server(t, first, () => [a(host.hostname, host.address)]);
  const late = await server(t, second, (_, times) => (times < 3 ? [] : [a(host.hostname, host.address)]));
  await published({ ...host, interval: 10 });
  assert.deepEqual(late, Array(3).fill("A mail.example.org"));
  assert.ok(!resolved.includes("A mail.example.org"));
});

test("after the deadline it names what each nameserver says, and what to look at", async (t) => {
  await delegation(t);
  await server(t, first, () => [a(host.hostname, "198.51.100.1")]);
  await server(t, second, () => []);
  await assert.rejects(published({ ...host, deadline: 50, interval: 10 }), (error: Error) => {
    assert.match(
      error.message,
      /^mail\.example\.org does not lead to 192\.0\.2\.25 at the nameservers of example\.org/,
    );
    assert.match(error.message, /\n {2}ada\.example answers 198\.51\.100\.1\n {2}bob\.example: .*ENOTFOUND/);
    assert.match(error.message, /registrar/);
    return true;
  });
});

test("a record that somebody has to put in by hand is named, and hardly waited for", async (t) => {
  await delegation(t);
  await server(t, first, () => []);
  await server(t, second, () => []);
  const started = performance.now();
  const toPutIn = "mail.example.org. 300 IN A 192.0.2.25";
  await assert.rejects(published({ ...host, toPutIn, interval: 10 }), (error: Error) => {
    assert.match(error.message, /\nPut this record into the zone example\.org, which is kept by hand/);
    assert.ok(error.message.endsWith(`\n  ${toPutIn}`), error.message);
    return true;
  });
  assert.ok(performance.now() - started < 10_000);
});

test("a zone that is delegated to nobody is a clear error, too", async (t) => {
  await server(t, resolver, () => []);
  await assert.rejects(published({ ...host, deadline: 20, interval: 10 }), /queryNs ENOTFOUND example\.org/);
});

test("of a zone that the host serves itself, copies may come later, and what the registrar has to know is said", async (t) => {
  const atRegistrar = ["nameserver ns1.example.org with the address 192.0.2.25", "DS record 1 13 2 AB"];
  const own = { ...host, atRegistrar, deadline: 50, interval: 10 };
  await delegation(t);
  const answers: Answer[] = [];
  await server(t, first, () => answers);
  // Nobody listens at the other nameserver yet.
  await assert.rejects(published(own), (error: Error) => {
    assert.match(error.message, /Tell the registrar of example\.org this and nothing else/);
    for (const line of atRegistrar) assert.ok(error.message.includes(`\n  ${line}`));
    return true;
  });
  answers.push(a(host.hostname, host.address));
  await published(own);
  await assert.rejects(published({ ...host, deadline: 50, interval: 10 }), /bob\.example/);
});

test("a copy that says there is no such name is one to wait for", async (t) => {
  await delegation(t);
  await server(t, first, () => [a(host.hostname, host.address)]);
  await server(t, second, () => []);
  await assert.rejects(
    published({ ...host, atRegistrar: ["…"], deadline: 50, interval: 10 }),
    /bob\.example: .*ENOTFOUND/,
  );
});
