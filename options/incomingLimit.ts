import { z } from "zod";
import { option } from "./option.ts";

/** What one address on the internet may ask of port 25 (anvil(8)). Trusted networks and the host itself are not counted. */
export const incomingLimit = option({
  key: "incomingLimit",
  schema: z
    .strictObject({
      connections: z
        .int()
        .min(0)
        .max(100)
        .default(20)
        .meta({
          description:
            "Connections that one address may have at once, of 100 that there are places for; 0: all of them.",
          examples: [10],
        }),
      messages: z
        .int()
        .min(0)
        .max(100_000)
        .default(0)
        .meta({
          description:
            "Messages that one address may bring in a minute; 0: any number, since a large provider sends for thousands.",
          examples: [600],
        }),
    })
    .prefault({})
    .meta({
      description:
        "How much of port 25 one address on the internet may have. What is more is asked to come again.",
      examples: [{ connections: 10, messages: 600 }],
    }),
});
