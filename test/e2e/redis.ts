/** Redis of the host, as root asks it there. */
export const redis = "redis-cli -s /run/redis/redis-server.sock";

/** The command that deletes every key of a pattern (Redis, KEYS), where there is one. */
export const forgetting = (pattern: string) =>
  `${redis} --scan --pattern '${pattern}' | xargs -r ${redis} del`;
