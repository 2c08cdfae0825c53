/** What SES's SMTP interface knows: identities, and who may send as them. */
import type { SesAccount } from "../types.ts";
import type { Account } from "./account.ts";
import { accountId } from "./catalog.ts";
import { mayDo } from "./policy.ts";
import { smtpPassword } from "./smtpPassword.ts";
import type { IamUser, State } from "./state.ts";

export function identityArn(region: string, name: string): string {
  return `arn:aws:ses:${region}:${accountId}:identity/${name}`;
}

/** Tells the world what SES knows, where it is news. Identities and logins of the endpoint's own region count. */
export function pushSes(account: Account): Promise<void> {
  return account.inOrder("ses", async () => {
    const { state, world, told, endpointRegion: region } = account;
    const identities = Object.values(state.sesIdentities).filter((identity) => identity.region === region);
    const ses: SesAccount = {
      region,
      sandbox: state.switches.sesSandbox,
      identities: identities.map((identity) => ({
        name: identity.name,
        arn: identityArn(region, identity.name),
        verified: identity.dkimStatus === "SUCCESS",
        selector: identity.dkim.selector,
        privateKey: identity.dkim.privateKey,
        ...(identity.mailFrom !== undefined && identity.mailFromStatus === "SUCCESS"
          ? { mailFrom: identity.mailFrom }
          : {}),
        withoutMailFrom:
          identity.mailFrom !== undefined && identity.behaviorOnMxFailure === "REJECT_MESSAGE"
            ? "refuse"
            : "amazon",
      })),
      logins: smtpLogins(state, region).map(({ user, ...login }) => ({
        ...login,
        userArn: user.arn,
        maySendAs: identities
          .map(({ name }) => identityArn(region, name))
          .filter((arn) => mayDo(user, "ses:SendRawEmail", arn)),
      })),
    };
    const text = JSON.stringify(ses);
    if (told.ses === text) return;
    await world.ses.serve(ses);
    told.ses = text;
  });
}

/** Keeps a change that the SMTP interface feels, and resolves when it does. */
export async function saveSes(account: Account): Promise<void> {
  account.save();
  await pushSes(account);
}

/** Logins of SES's SMTP interface in a region: every active key is one. */
function smtpLogins(
  { users }: State,
  region: string,
): { readonly username: string; readonly password: string; readonly user: IamUser }[] {
  return Object.values(users).flatMap((user) =>
    Object.entries(user.keys)
      .filter(([, { status }]) => status === "Active")
      .map(([username, { secret }]) => ({ username, password: smtpPassword(secret, region), user })),
  );
}
