/** Where a domain's page for people is, that tells them their mail program's settings. */
export function setupPage(domain: string): string {
  return `https://autoconfig.${domain}/`;
}
