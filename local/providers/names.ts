/** The packages of the program whose plugins have a stand-in here. */
export const PROVIDERS = ["aws", "cloudflare", "command", "tls", "random"] as const;

export type ProviderName = (typeof PROVIDERS)[number];

export function isProviderName(name: string | undefined): name is ProviderName {
  return PROVIDERS.some((known) => known === name);
}
