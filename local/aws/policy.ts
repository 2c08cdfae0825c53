/** IAM's policies. */
import { matches } from "./account.ts";
import { AwsError } from "./errors.ts";
import type { IamUser } from "./state.ts";

/** Whether a user's policies allow an action on a resource: what is not allowed is denied, and a denial wins. */
export function mayDo({ policies }: IamUser, action: string, resource: string): boolean {
  const effects = Object.values(policies)
    .flatMap(readPolicy)
    .filter(
      (statement) =>
        // Actions are the same in upper and lower case.
        statement.actions.some((each) => matches(each.toLowerCase(), action.toLowerCase())) &&
        statement.resources.some((each) => matches(each, resource)),
    )
    .map(({ effect }) => effect);
  return effects.includes("Allow") && !effects.includes("Deny");
}

interface Statement {
  readonly effect: "Allow" | "Deny";
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

/** "IAM JSON policy elements", as far as they are simulated. @throws AwsError MalformedPolicyDocument */
export function readPolicy(document: string): readonly Statement[] {
  const malformed = (message: string) => new AwsError("MalformedPolicyDocument", message);
  let policy: unknown;
  try {
    policy = JSON.parse(document);
  } catch {
    throw malformed("The policy is not in the valid JSON format.");
  }
  const { Version, Statement, ...rest } = record(policy) ?? {};
  if (Version !== "2012-10-17" && Version !== "2008-10-17")
    throw malformed("The policy must contain a valid version string");
  if (Object.keys(rest).some((name) => name !== "Id")) throw malformed("Syntax errors in policy.");
  const statements = [Statement].flat().map(record);
  if (Statement === undefined || statements.length === 0) throw malformed("Syntax errors in policy.");
  return statements.map((statement) => {
    const { Sid, Effect, Action, Resource, ...more } = statement ?? {};
    if (Effect !== "Allow" && Effect !== "Deny") throw malformed("Syntax errors in policy.");
    if (Sid !== undefined && !/^[A-Za-z0-9]*$/.test(String(Sid)))
      throw malformed("Statement IDs (SID) must be alpha-numeric.");
    const unknown = Object.keys(more)[0];
    if (unknown !== undefined) throw malformed(`The local cloud does not simulate ${unknown} in policies.`);
    const actions = texts(Action);
    const resources = texts(Resource);
    if (actions === undefined) throw malformed("Policy statement must contain actions.");
    if (resources === undefined) throw malformed("Policy statement must contain resources.");
    for (const action of actions)
      if (!/^(\*|[a-z0-9-]+:[A-Za-z*?]+)$/.test(action))
        throw malformed(`Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.`);
    for (const resource of resources)
      if (resource !== "*" && !/^arn:[^:]*:[^:]*:[^:]*:[^:]*:.+$/s.test(resource))
        throw malformed(`Resource ${resource} must be in ARN format or "*".`);
    return { effect: Effect, actions, resources };
  });
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
}

function texts(value: unknown): readonly string[] | undefined {
  const list = [value].flat();
  return list.length > 0 && list.every((each) => typeof each === "string") ? (list as string[]) : undefined;
}
