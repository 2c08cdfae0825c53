import { type ResourceRule, unknown, valueAt } from "../rule.ts";

export const metadata: ResourceRule = {
  name: "imdsv2",
  description: "The machine's metadata is told to who holds a session token alone (IMDSv2).",
  type: "aws:ec2/instance:Instance",
  judge: ({ properties }) => {
    const tokens = valueAt(properties, "metadataOptions", "httpTokens");
    const isOff = valueAt(properties, "metadataOptions", "httpEndpoint") === "disabled";
    return tokens === "required" || tokens === unknown || isOff
      ? []
      : [
          'The metadata service answers without a token (IMDSv1): whoever makes a daemon fetch an address reads what the machine was started with. Set metadataOptions.httpTokens to "required".',
        ];
  },
};
