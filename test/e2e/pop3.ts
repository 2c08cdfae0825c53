/** A program that knows nothing but POP3 (RFC 1939), over TLS from the first byte. */
import assert from "node:assert/strict";
import { connect } from "node:tls";

export interface Pop3Door {
  readonly address: string;
  readonly port: number;
  /** Host name that the certificate has to prove. */
  readonly name: string;
  readonly roots: readonly string[];
}

/** Logs in, looks how much there is, and goes. @throws at any answer but +OK */
export async function pop3LogIn(
  { address, port, name, roots }: Pop3Door,
  login: string,
  password: string,
): Promise<void> {
  const socket = connect({ host: address, port, servername: name, ca: [...roots] });
  socket.setEncoding("utf8").setTimeout(10_000, () => socket.destroy(new Error("no answer in 10 s")));
  const waiting = [`USER ${login}`, `PASS ${password}`, "STAT", "QUIT"];
  const answers: string[] = [];
  for await (const chunk of socket) {
    answers.push(...String(chunk).trimEnd().split("\r\n"));
    const next = waiting.shift();
    if (next === undefined) socket.end();
    else socket.write(`${next}\r\n`);
  }
  assert.deepEqual(
    answers.map((line) => line.split(" ")[0]),
    ["+OK", "+OK", "+OK", "+OK", "+OK"],
  );
}
