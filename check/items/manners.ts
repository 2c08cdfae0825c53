import { changedByHand } from "../again.ts";
import type { HostUnderCheck, Item } from "../host.ts";
import { sideBySide } from "../sidebyside.ts";
import { type Finding, right, wrong } from "../types.ts";

const remedy = ({ target }: HostUnderCheck) => changedByHand("/etc/postfix/main.cf", target, "postfix");

/** VRFY tells nobody which mailboxes exist, and who sends has to say who they are. */
export const manners: Item = {
  name: "manners",
  group: "Rules",
  look: (host) => sideBySide("manners", { vrfy: verify(host), helo: hello(host) }),
};

async function verify(host: HostUnderCheck): Promise<Finding> {
  const known =
    host.target.settings.domains.flatMap(({ mailboxes }) => mailboxes)[0]?.address ?? "postmaster";
  const smtp = await host.smtp("smtp");
  try {
    await smtp.ehlo();
    // A server that has VRFY answers 250 or 252 for a mailbox that exists (RFC 5321 section 3.5.3).
    const reply = await smtp.command(`VRFY ${known}`);
    return reply.code >= 500
      ? right("VRFY is off")
      : wrong(`VRFY is on: asked for ${known} it says "${reply.text}"`, remedy(host));
  } finally {
    await smtp.quit();
  }
}

async function hello(host: HostUnderCheck): Promise<Finding> {
  const smtp = await host.smtp("smtp");
  try {
    const reply = await smtp.command("MAIL FROM:<>");
    return reply.code >= 500
      ? right("HELO or EHLO is demanded")
      : wrong(`mail is taken without HELO or EHLO: "${reply.text}"`, remedy(host));
  } finally {
    await smtp.quit();
  }
}
