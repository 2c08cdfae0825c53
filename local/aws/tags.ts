import { type Account, type Action, find, kindOf } from "./account.ts";
import { AwsError } from "./errors.ts";
import { checkTag, type Parameters, type Tags } from "./parameters.ts";

/** CreateTags and DeleteTags, for everything that carries tags. */
export const tagActions: Readonly<Record<string, Action>> = {
  CreateTags: (account, parameters) => {
    const holders = resources(account, parameters);
    const tags = parameters.tags();
    parameters.end();
    for (const holder of holders) {
      if (Object.keys({ ...holder.tags, ...tags }).length > 50) {
        throw new AwsError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.");
      }
    }
    for (const holder of holders) holder.tags = { ...holder.tags, ...tags };
    account.save();
    return {};
  },

  /** A tag given with a value goes only where it has that value. */
  DeleteTags: (account, parameters) => {
    const holders = resources(account, parameters);
    const unwanted = parameters.structures("Tags").map((tag) => {
      const result = { key: tag.string("Key"), value: tag.maybeString("Value") };
      tag.end();
      checkTag(result.key, result.value ?? "");
      return result;
    });
    parameters.end();
    for (const holder of holders) {
      for (const { key, value } of unwanted) {
        if (value === undefined || holder.tags[key] === value) delete holder.tags[key];
      }
    }
    account.save();
    return {};
  },
};

function resources(account: Account, parameters: Parameters): { tags: Tags }[] {
  const ids = parameters.strings("Resources");
  if (ids.length === 0) {
    throw new AwsError("MissingParameter", "The request must contain the parameter ResourceId");
  }
  return ids.map((id) => {
    const kind = kindOf(id);
    if (kind !== undefined) return find(account, kind, id);
    const rule = Object.values(account.state.groups).flatMap((group) => group.rules[id] ?? [])[0];
    if (rule === undefined) throw new AwsError("InvalidID", `The ID '${id}' is not valid`);
    return rule;
  });
}
