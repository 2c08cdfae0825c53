import { applyAgain } from "../again.ts";
import type { Item } from "../host.ts";
import { bringToPort25, removeFromMailbox, testMessage } from "../testmail.ts";
import { right, wrong } from "../types.ts";

/** The text that every spam filter agrees to call spam (https://spamassassin.apache.org/gtube/). */
const gtubeText = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

/** Plain spam is refused while its sender is still there to hear it, so that no innocent gets a bounce. */
export const gtube: Item = {
  name: "gtube",
  group: "Rules",
  async look(host) {
    const { settings } = host.target;
    const login = host.logins[0];
    const to = login?.address ?? settings.domains.flatMap(({ mailboxes }) => mailboxes)[0]?.address;
    if (to === undefined) {
      return [];
    }
    const message = testMessage(`spammer@${host.name}`, to, `${gtubeText}\n`);
    const { at, reply } = await bringToPort25(host, to, message.raw);
    if (at !== "message") {
      return [
        wrong(
          `whether spam is refused is unknown: the test message was stopped earlier, at ${at}: "${reply.text}"`,
          "Check from an address that is on no blocklist.",
          { unanswered: true },
        ),
      ];
    }
    if (reply.code >= 500) {
      return [right(`the spam test message (GTUBE) is refused: "${reply.text}"`)];
    }
    if (reply.code === 250 && login !== undefined) {
      await removeFromMailbox(host, login, message.messageId);
    }
    return [
      wrong(
        `the spam test message (GTUBE) is answered "${reply.text}", not refused`,
        `The filter is down or not asked: \`npm run host -- systemctl status rspamd\`, then ${applyAgain(host.target, "rspamd", "postfix")}.`,
        reply.code < 500 && reply.code >= 400 ? { unanswered: true } : {},
      ),
    ];
  },
};
