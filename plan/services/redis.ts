import type { Settings } from "../../settings/types.ts";
import { bundle, plainFile, unit } from "../bundle.ts";
import type { Bundle } from "../types.ts";

const conf = "/etc/redis/redis.conf";
const sysctl = "/etc/sysctl.d/60-redis.conf";
const dropIn = "/etc/systemd/system/redis-server.service.d/mailhost.conf";

/** rspamd's memory. */
export function redis(_settings: Settings): Bundle {
  return bundle({
    name: "redis",
    why: "Holds what rspamd learned and whom it has seen.",
    packages: ["redis-server"],
    files: [plainFile(conf, { owner: "redis", mode: "0640" }), plainFile(sysctl), plainFile(dropIn)],
    derivations: [{ command: "systemctl restart systemd-sysctl.service", on: [sysctl] }],
    units: [unit("redis-server.service", { restart: [conf, dropIn] })],
    after: ["storage"],
  });
}
