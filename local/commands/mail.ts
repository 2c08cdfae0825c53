import { otherSideAt } from "../../check/otherside.ts";
import { stackReceivers } from "../../check/stack.ts";
import { needCloud } from "../cloud.ts";
import type { MailContext } from "../mail.ts";
import { type CloudPaths, defaultStack } from "../paths.ts";
import { Stack } from "../stack.ts";
import { say } from "../terminal.ts";

/** What `npm run mail` needs, from this cloud; nothing is opened before a command asks for it. */
export function mailContext(paths: () => CloudPaths): MailContext {
  return {
    stack: async () => {
      const info = await needCloud(paths());
      return await (await Stack.open(paths(), info, say)).outputs();
    },
    receivers: async (address) => {
      const stack = await Stack.open(paths(), await needCloud(paths()), say);
      const { environment } = stack;
      const pulumi = (args: readonly string[]) => stack.capture(args);
      const receivers = await stackReceivers(environment.PULUMI_STACK ?? defaultStack, {
        pulumi,
        environment,
      });
      return receivers(address.toLowerCase());
    },
    trustedCas: async () => [(await needCloud(paths())).issuerCa],
    otherSide: async () => await otherSideAt((await needCloud(paths())).peer.api),
  };
}
