import { type StackRule, unknown, valueAt } from "../rule.ts";

export const costTags: StackRule = {
  name: "cost-tags",
  level: "advisory",
  description: "What costs money in AWS says whose it is.",
  settings: {
    tags: {
      type: "array",
      items: { type: "string" },
      default: ["mailhost:stack"],
      description: "Tags that each resource of AWS has to have.",
    },
  },
  judgeStack: (resources, { tags }) => {
    const wanted = Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : ["mailhost:stack"];
    return resources
      .filter(({ type, properties }) => type.startsWith("aws:") && "tagsAll" in properties)
      .flatMap(({ urn, properties }) => {
        // With those of the provider (aws:defaultTags), where they are known.
        const all = valueAt(properties, "tagsAll");
        const there = all === unknown || all === undefined ? valueAt(properties, "tags") : all;
        const missing = there === unknown ? [] : wanted.filter((tag) => valueAt(there, tag) === undefined);
        return missing.length === 0
          ? []
          : [
              {
                urn,
                text: `It has no tag ${missing.join(", ")}, so that the bill cannot say what it is for. The program gives mailhost:stack to each; others belong into aws:defaultTags of the stack file.`,
              },
            ];
      });
  },
};
