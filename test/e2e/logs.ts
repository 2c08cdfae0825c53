/** What the daemons say that is worse than a notice. */
import { onHost } from "./mailhost.ts";

/** What a host of the local cloud says, and why that is all right. */
const explained: readonly RegExp[] = [
  // The other side of the local cloud has a certificate that nobody vouches for; opportunistic TLS takes it.
  /certificate verification failed/,
  // Dovecot says so whenever it is reloaded, as after the first certificate.
  /Warning: SIGHUP received - reloading configuration/,
  // The check tries protocols that are too old, and is refused.
  /SSL routines::(unsupported|wrong version)/,
  // A reload that comes upon another one tells workers that have ended already.
  /rspamd_control_stop_pending: cannot write command \d+ to the worker .*Broken pipe/,
  // rspamd fetches lists of its maker's, and asks for fuzzy hashes, outside of the small internet.
  /(maps|fuzzy\d)\.rspamd\.com|sa-update\.surbl\.org|fuzzy_parse_rule: cannot read servers definition/,
  // At its very first start rspamd has no statistics yet, and the rules of options come with the bundles after its own.
  /rspamd_controller_load_saved_stats: cannot load controller stats/,
  /cannot find a symbol to enable (FEEDBACK_ID|KNOWN_SENDER_LEARN|OUTGOING_LIMIT) when/,
  // sshd is started anew while the deployment's own logins go on, which Debian's unit leaves alone (KillMode=process).
  /ssh\.service: (Found left-over process|This usually indicates unclean termination)/,
  // systemd is told of new units while a login ends.
  /We couldn't coldplug login-\d+\.service/,
  // A container's kernel has no such key.
  /Couldn't write '0x01b6' to 'kernel\/sysrq'/,
  // The check looks whether ports are open, and says nothing there.
  /kex_exchange_identification: read: Connection reset by peer/,
  // Dovecot is started anew where its own unit has changed.
  /master: Warning: Killed with signal 15/,
  // Kernels since 6.13 stamp files with the exact time, and time(2) is behind by up to a tick: around the turn of a
  // second a new queue file is "ahead" of Postfix's clock. Debian 13's own kernel, 6.12, has no such stamps.
  /file system clock is 1 seconds ahead of local clock|resetting file time stamps/,
];

/** What systemd says of a unit that is on its way down or up, and when it is up. */
const isMoving = /: (Stopping|Starting) |: (Deactivated|Main process exited|Failed with)/;
const isUp = /: Started /;

/**
 * Whether Redis was away at a moment (in seconds since the epoch). What rspamd says of it then has many words, one for
 * each of its modules.
 */
async function redisAway(): Promise<(at: number) => boolean> {
  const said = await onHost("journalctl -q -o short-unix _PID=1 UNIT=redis-server.service");
  const spans: { from: number; to: number }[] = [];
  // Before its first start it is away as well.
  let from: number | undefined = 0;
  for (const line of said.split("\n")) {
    const at = Number.parseFloat(line);
    if (isMoving.test(line)) from ??= at;
    if (isUp.test(line) && from !== undefined) {
      // A connection that was refused at the last moment is told of a little later.
      spans.push({ from, to: at + 1 });
      from = undefined;
    }
  }
  return (at) => spans.some((span) => span.from <= at && at <= span.to);
}

/**
 * Warnings and worse of whatever runs on the host that nobody expects, each line once with how often it came.
 * @param since what `journalctl --since` takes
 * @param provoked what the tests before have brought about on purpose
 */
export async function unexplained(since: string, provoked: readonly RegExp[]): Promise<readonly string[]> {
  const [found, isAway] = await Promise.all([
    onHost(
      `journalctl --sync; journalctl -q -p warning -o json --output-fields=MESSAGE,_SYSTEMD_UNIT --since '${since}'`,
    ),
    redisAway(),
  ]);
  const times = new Map<string, number>();
  for (const entry of found.split("\n").filter((line) => line !== "")) {
    const { MESSAGE: says, _SYSTEMD_UNIT: unit, __REALTIME_TIMESTAMP: at } = JSON.parse(entry);
    if (unit === "rspamd.service" && isAway(Number(at) / 1e6)) continue;
    if ([...explained, ...provoked].some((pattern) => pattern.test(says))) continue;
    times.set(says, (times.get(says) ?? 0) + 1);
  }
  return [...times].map(([says, count]) => `${count} ${says}`);
}
