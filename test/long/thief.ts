/** Somebody with a stolen password, at many addresses at once: a program of its own, since it runs as those machines. */
import { createTransport } from "nodemailer";
import { asNeighbour } from "../e2e/neighbour.ts";

export interface Theft {
  readonly host: string;
  readonly hostname: string;
  readonly user: string;
  readonly password: string;
  readonly messages: number;
  /** Where it comes from: two connections of each. */
  readonly addresses: readonly string[];
}

export interface Loot {
  readonly taken: number;
  /** How often each refusal was heard. */
  readonly refusals: Readonly<Record<string, number>>;
}

export async function steal(slot: number, theft: Theft): Promise<Loot> {
  const said = await asNeighbour(slot, [process.execPath, import.meta.filename, JSON.stringify(theft)]);
  return JSON.parse(said) as Loot;
}

async function main({ host, hostname, user, password, messages, addresses }: Theft): Promise<Loot> {
  const refusals: Record<string, number> = {};
  let taken = 0;
  const transports = addresses.map((localAddress) =>
    createTransport({
      pool: true,
      maxConnections: 2,
      maxMessages: 1000,
      host,
      port: 465,
      secure: true,
      name: "client.invalid",
      localAddress,
      auth: { user, pass: password },
      // Whose certificate it is does not matter to a thief.
      tls: { servername: hostname, rejectUnauthorized: false },
    }),
  );
  await Promise.all(
    Array.from({ length: messages }, async (_, index) => {
      try {
        await transports[index % transports.length]?.sendMail({
          from: user,
          to: `victim${index}@example.net`,
          subject: `stolen ${index}`,
          text: "Words.\n",
        });
        taken += 1;
      } catch (error) {
        const { response = String(error) } = error as { response?: string };
        // How many minutes there are to wait changes.
        const words = response.replace(/\d+ minutes/, "some minutes");
        refusals[words] = (refusals[words] ?? 0) + 1;
      }
    }),
  );
  for (const transport of transports) transport.close();
  return { taken, refusals };
}

if (import.meta.main) console.log(JSON.stringify(await main(JSON.parse(process.argv[2] ?? "") as Theft)));
