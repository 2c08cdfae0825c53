import { onHost } from "./mailhost.ts";

/** A login's own unit is no daemon. */
const isLogin = (unit: string) => /^login-\d+\.service$/.test(unit);

/** The services that run. */
export async function running(): Promise<readonly string[]> {
  const said = await onHost("systemctl list-units --type=service --state=running --plain --no-legend");
  return said
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "")
    .filter((unit) => !isLogin(unit));
}

/** What systemd says of those services that are more exposed than that, in tenths: 40 is 4.0 (systemd-analyze(1)). */
export function exposedAbove(threshold: number, services: readonly string[]): Promise<string> {
  return onHost(
    `for each in ${services.join(" ")}; do
       systemd-analyze security --no-pager --threshold=${threshold} $each >/tmp/judged || tail -n 1 /tmp/judged
     done; rm -f /tmp/judged`,
  );
}
