import { closestAbove } from "../settings/names.ts";
import type { CoreSettings, Settings } from "../settings/types.ts";

/** What a host with webmail has of it. */
export interface Webmail {
  /** Debian's hunspell dictionaries that letters are looked at with, each by its package's name. */
  readonly dictionaries: readonly Dictionary[];
  /** Names beside the host's own that it answers at; the certificate has them, too. */
  readonly names: readonly string[];
}

/** By Debian's package (`hunspell-…`): what Roundcube calls the language, and what its menu says. */
export const dictionaries = {
  "en-us": { code: "en_US", name: "English (US)" },
  "en-gb": { code: "en_GB", name: "English (GB)" },
  "de-de": { code: "de_DE", name: "Deutsch" },
  "de-at": { code: "de_AT", name: "Deutsch (Österreich)" },
  "de-ch": { code: "de_CH", name: "Deutsch (Schweiz)" },
  es: { code: "es_ES", name: "Español" },
  fr: { code: "fr_FR", name: "Français" },
  it: { code: "it_IT", name: "Italiano" },
  nl: { code: "nl_NL", name: "Nederlands" },
  "pt-pt": { code: "pt_PT", name: "Português" },
  "pt-br": { code: "pt_BR", name: "Português (Brasil)" },
  pl: { code: "pl_PL", name: "Polski" },
  sv: { code: "sv_SE", name: "Svenska" },
  da: { code: "da_DK", name: "Dansk" },
  ru: { code: "ru_RU", name: "Русский" },
} as const;

export type Dictionary = keyof typeof dictionaries;

export const usualDictionaries: readonly Dictionary[] = ["en-us"];

/** The zone that holds a name of webmail, among those that the stack has; undefined where none does. */
export function zoneOfName(name: string, { domains, hostnameZone }: CoreSettings): string | undefined {
  return closestAbove(name, [...domains.map(({ zone }) => zone), hostnameZone]);
}

/** Undefined where the host has none. */
export function webmail({ options: { web } }: Settings): Webmail | undefined {
  if (web === false) return undefined;
  return web === true ? { dictionaries: usualDictionaries, names: [] } : web;
}
