/**
 * A process for a moment: started inside a network namespace, it opens the sockets that its parent asks for and hands
 * them over. A socket stays in the namespace where it was opened, so the parent serves there without living there.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

const [kind, address, port] = process.argv.slice(2);
if (process.send === undefined || address === undefined)
  throw new Error("Only the local cloud's daemon starts this.");

const failed = (error: Error): never => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
};

if (kind === "udp") {
  const socket = createSocket("udp4");
  socket.on("error", failed);
  socket.bind(Number(port), address, () => process.send?.("socket", socket));
} else {
  const server = createServer({ pauseOnConnect: true });
  server.on("error", failed);
  server.listen(Number(port), address, () => process.send?.("socket", server));
}
// The parent has it: the copy here may go.
process.on("disconnect", () => process.exit(0));
