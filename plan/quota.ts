/** GiB as Dovecot reads a size: whole mebibytes. 0 is without a limit. */
export function quotaText(size: number): string {
  return size === 0 ? "unlimited" : `${Math.max(1, Math.round(size * 1024))}M`;
}
