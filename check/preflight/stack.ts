import { Cloudflare } from "../../dns/cloudflare.ts";
import { markOf } from "../../plan/conflicts.ts";
import { dayOf, makePlan } from "../../plan/plan.ts";
import { deployable } from "../../plan/refusals.ts";
import { rotate } from "../../plan/turns.ts";
import { outputIn, type PulumiConfig, regionOf, type StackState, settingsOf, textIn } from "../engine.ts";
import type { Surroundings } from "../stack.ts";
import { Aws, type AwsCredentials } from "./aws.ts";
import type { Held, PreflightTarget } from "./target.ts";

/** A stack without a host. @throws SettingsError with all mistakes in its file */
export async function preflightTarget(
  stack: string,
  config: PulumiConfig,
  around: Surroundings,
): Promise<PreflightTarget> {
  const { environment } = around;
  const now = new Date();
  const region = regionOf(config, environment) ?? "";
  const settings = deployable(() => settingsOf(config, around), region, now);
  const plan = makePlan(settings, {
    today: dayOf(now),
    rotation: rotate(settings, {}, now, everySeen),
    ramps: {},
  });
  const [held, aws] = await Promise.all([heldBy(stack, around), awsAs(region, config, environment)]);
  const token = textIn(config, "cloudflare:apiToken") ?? environment.CLOUDFLARE_API_TOKEN;
  const url = textIn(config, "cloudflare:baseUrl") ?? environment.CLOUDFLARE_BASE_URL;
  return {
    stack,
    isLocal: around.isLocal ?? false,
    plan,
    resolver: around.resolver,
    held,
    ...aws,
    ...(token && { cloudflare: new Cloudflare({ token, ...(url && { url }) }) }),
  };
}

/** Without an `up` no key is in use, and none waits for anything. */
const everySeen = { isSeen: () => true, isUnused: () => true };

/** A credential as the aws provider finds one: of the stack, of the environment, or of AWS's own files. */
async function awsAs(
  region: string,
  config: PulumiConfig,
  environment: Surroundings["environment"],
): Promise<Pick<PreflightTarget, "aws" | "awsTrouble" | "awsLeftOut">> {
  const endpoint = environment.AWS_ENDPOINT_URL;
  if (config["aws:assumeRoles"] !== undefined || config["aws:assumeRole"] !== undefined) {
    return {
      awsLeftOut:
        "the stack file says `aws:assumeRoles`, and the check takes on no role; a profile that has one (`role_arn`) it does",
    };
  }
  const given = (accessKeyId?: string, secretAccessKey?: string, sessionToken?: string) =>
    accessKeyId && secretAccessKey
      ? { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
      : undefined;
  const profile = textIn(config, "aws:profile") || environment.AWS_PROFILE;
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment;
  try {
    const credentials =
      given(textIn(config, "aws:accessKey"), textIn(config, "aws:secretKey"), textIn(config, "aws:token")) ??
      (profile ? undefined : given(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN)) ??
      (await credentialOfFiles(profile));
    return { aws: new Aws({ region, credentials, ...(endpoint && { endpoint }) }) };
  } catch (error) {
    return { awsTrouble: (error as Error).message };
  }
}

/** AWS's own way to one: profiles with roles and single sign-on among them. @throws where there is none */
async function credentialOfFiles(profile: string | undefined): Promise<AwsCredentials> {
  // It takes its time to load, and is not needed where there is a host.
  const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
  return await defaultProvider(profile ? { profile } : {})();
}

/** What an `up` that did not come to its end has left, and a `destroy` what it keeps. */
async function heldBy(stack: string, { pulumi }: Pick<Surroundings, "pulumi">): Promise<Held> {
  const state = JSON.parse(await pulumi(["stack", "export", "--stack", stack])) as StackState;
  const id = outputIn(state, "mark-id", "result");
  const address = outputIn(state, "server-address", "publicIp");
  return { ...(id !== undefined && { mark: markOf(id) }), ...(address !== undefined && { address }) };
}
