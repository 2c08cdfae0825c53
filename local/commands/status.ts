import { runningCloud, worldState } from "../cloud.ts";
import type { CloudPaths } from "../paths.ts";
import { say } from "../terminal.ts";

/** What runs. @returns 0 where the cloud is up, 3 where it is not (as `systemctl status`) */
export async function status(paths: CloudPaths, json: boolean): Promise<number> {
  const info = await runningCloud(paths);
  if (info === undefined) {
    say(
      json ? JSON.stringify({ running: false, folder: paths.folder }) : `Not running. State: ${paths.folder}`,
    );
    return 3;
  }
  const world = await worldState(paths);
  if (json) {
    const { slot, pid, resolver, nameservers, acmeDirectory, cloudflareUrl } = info;
    const summary = {
      running: true,
      folder: paths.folder,
      slot,
      pid,
      resolver,
      nameservers,
      acmeDirectory,
      cloudflareUrl,
    };
    say(JSON.stringify({ ...summary, world }, undefined, 2));
    return 0;
  }
  say(`Running (process ${info.pid}), network 198.18.${info.slot}.0/24. State: ${paths.folder}`);
  for (const machine of world.machines) {
    const publicIpv4 = Object.entries(world.addresses).find(
      ([, inside]) => inside === machine.privateIpv4,
    )?.[0];
    say(
      `  machine ${machine.id}: ${machine.running ? "running" : "stopped"}, ${publicIpv4 ?? "no public address"}`,
    );
  }
  say(`  services: ${Object.keys(world.services).join(", ")}`);
  say(`  resolver ${info.resolver}, ACME ${info.acmeDirectory}`);
  if (world.port25Blocked) say("  outbound port 25 is blocked");
  return 0;
}
