import { otherSideAt } from "../check/otherside.ts";
import type { Surroundings } from "../check/stack.ts";
import type { Stack } from "./stack.ts";
import type { CloudInfo } from "./types.ts";

/** What the check is told of this cloud's stack. */
export async function localSurroundings(stack: Stack, info: CloudInfo): Promise<Surroundings> {
  return {
    pulumi: (args) => stack.capture(args),
    environment: stack.environment,
    resolver: info.resolver,
    trustedCas: [info.issuerCa],
    isLocal: true,
    otherSide: await otherSideAt(info.peer.api),
  };
}
