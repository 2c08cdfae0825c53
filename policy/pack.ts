/** The policy pack: hands the rules to the engine, which asks for each resource and for the stack as a whole. */
import {
  PolicyPack,
  type ResourceValidationPolicy,
  Secret,
  type StackValidationPolicy,
} from "@pulumi/policy";
import type { OpenText, OpenTextRule, ResourceRule, Rule, StackRule } from "./rule.ts";
import { rules } from "./rules.ts";

type Policy = ResourceValidationPolicy | StackValidationPolicy;
type Validate = Extract<ResourceValidationPolicy["validateResource"], (...args: never) => unknown>;

/** What the SDK's answers to `validateResource` and `validateStack` have in common. */
interface Told {
  readonly type: string;
  readonly urn: string;
  readonly props: Readonly<Record<string, unknown>>;
  readonly opts: { readonly protect: boolean };
}

const seen = ({ type, urn, props, opts }: Told) => ({
  type,
  urn,
  properties: props,
  isProtected: opts.protect,
});

function policyOf(rule: Rule): Policy {
  const { name, description } = rule;
  const named = { name, description, enforcementLevel: rule.level ?? ("mandatory" as const) };
  if ("judge" in rule) return { ...named, validateResource: ofType(rule) };
  if ("judgeStack" in rule) return { ...named, ...ofStack(rule) };
  return { ...named, ...ofOpenTexts(rule) };
}

function ofType({ type, judge }: ResourceRule) {
  const validate: Validate = (args, report) => {
    if (args.type === type) for (const text of judge(seen(args))) report(text);
  };
  // By this name the SDK knows for which resources it need not even read the properties.
  return Object.assign(validate, { __pulumiType: type });
}

function ofStack({ settings, judgeStack }: StackRule) {
  const validateStack: StackValidationPolicy["validateStack"] = async (args, report) => {
    for (const { text, urn } of await judgeStack(args.resources.map(seen), args.getConfig()))
      report(text, urn);
  };
  return { validateStack, ...(settings && { configSchema: { properties: { ...settings } } }) };
}

/**
 * What a policy is shown is never said to be secret. What mends resources is told it: so this one is of the level `remediate`,
 * mends nothing, and notes which texts are open; the look that follows has the engine stop the run.
 */
function ofOpenTexts({ judgeOpen }: OpenTextRule) {
  const found = new Map<string, readonly string[]>();
  const remediateResource: NonNullable<ResourceValidationPolicy["remediateResource"]> = ({ urn, props }) => {
    found.set(urn, judgeOpen(openTexts(withSecrets(props), [])));
    return undefined;
  };
  const validateResource: Validate = ({ urn }, report) => {
    const texts = found.get(urn) ?? [
      "This policy sees what is secret at the level remediate alone: write that, or disabled, into the policy configuration. It changes nothing.",
    ];
    for (const text of texts) report(text);
    found.delete(urn);
  };
  return { enforcementLevel: "remediate" as const, remediateResource, validateResource };
}

/** The properties without the SDK's two wrappers, of which one hides what is secret, the other refuses what is unknown. */
function withSecrets(props: Readonly<Record<string, unknown>>): unknown {
  const { __getSpecialProxyTarget: target, __isSpecialProxy: isWrapped } = props;
  return isWrapped === true ? withSecrets(target as Readonly<Record<string, unknown>>) : props;
}

function openTexts(value: unknown, path: readonly string[]): readonly OpenText[] {
  if (typeof value === "string") return [{ path, text: value }];
  if (typeof value !== "object" || value === null || value instanceof Secret) return [];
  return Object.entries(value).flatMap(([key, inner]) => openTexts(inner, [...path, key]));
}

new PolicyPack("mailhost", { policies: rules.map(policyOf) });
