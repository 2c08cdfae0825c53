import type { Preview } from "../types.ts";
import { names, theOrCount } from "../words.ts";
import { type Chapter, movedDomains } from "./chapter.ts";

/** Mail domains that come here, or leave. */
export function domains(preview: Preview): Chapter {
  const { added, removed } = movedDomains(preview);
  const chapter: { risks: Chapter["risks"][number][]; effects: Chapter["effects"][number][] } = {
    risks: [],
    effects: [],
  };
  if (removed.length > 0) {
    const it = removed.length === 1 ? "it" : "them";
    chapter.risks.push({
      title: `Mail for ${names(removed, 20)} comes here no more`,
      text: `Its records go (MX, SPF, DKIM, DMARC), and the host refuses mail for ${it}. Let its MX lead elsewhere before, and wait until nobody remembers the old one.`,
    });
    chapter.effects.push({
      short: `removes ${theOrCount(removed, "domain")}`,
      text: `Removes ${theOrCount(removed, "domain")}${removed.length > 1 ? `: ${names(removed, 20)}` : ""}, with records, keys and addresses.`,
    });
  }
  if (added.length > 0) {
    const one = added.length === 1;
    chapter.risks.push({
      title: `Mail for ${names(added, 20)} comes to this host from then on`,
      text: `${one ? "The domain gets" : "The domains get"} MX and SPF records. Where somebody else receives ${one ? "its" : "their"} mail today, nothing new arrives there; and whoever else sends as ${one ? "it" : "them"} (a shop, a newsletter) fails SPF and DMARC.`,
    });
    chapter.effects.push({
      short: `adds ${theOrCount(added, "domain")}`,
      text: `Adds ${theOrCount(added, "domain")}${one ? "" : `: ${names(added, 20)}`}, with records, keys and the addresses that each domain has to have.`,
    });
  }
  return chapter;
}
