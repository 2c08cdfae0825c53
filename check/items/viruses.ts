import { type InsideItem, insideItem } from "../inside.ts";
import { right, wrong } from "../types.ts";

/** Days after which signatures are old: new ones come several times a week. */
const old = 7;

/** What clamd says to whoever asks as rspamd does, then the age of the newest signatures in days (clamd(8), PING). */
const command = `setpriv --reuid=_rspamd --regid=_rspamd --clear-groups python3 -c '
import glob, os, socket, time
try:
    with socket.socket(socket.AF_UNIX) as clamd:
        clamd.settimeout(5)
        clamd.connect("/run/clamav/clamd.ctl")
        clamd.sendall(b"zPING\\0")
        print(clamd.recv(100).rstrip(b"\\0").decode())
except OSError as error:
    print(error.strerror or error)
times = [os.stat(path).st_mtime for path in glob.glob("/var/lib/clamav/*.[chlmn][vlds][db]")]
print(int((time.time() - max(times)) / 86400) if times else "")
'`;

const look = insideItem("viruses", command, (output) => {
  const [answer = "", age = ""] = output.split("\n");
  const journal = "`npm run host -- sudo journalctl -u clamav-freshclam -u clamav-daemon -n 50`";
  if (age === "") {
    return [
      wrong(
        "mail is not looked at for viruses: ClamAV has no signatures",
        `The first take some minutes. See what keeps them: ${journal}.`,
      ),
    ];
  }
  if (answer !== "PONG") {
    return [
      wrong(
        `mail is not looked at for viruses: clamd does not answer rspamd (${answer})`,
        `See why: ${journal}.`,
        { unanswered: true },
      ),
    ];
  }
  return Number(age) > old
    ? [wrong(`ClamAV's newest signatures are ${age} days old`, `See what keeps newer ones: ${journal}.`)]
    : [right(`ClamAV answers, and its newest signatures are ${age} days old`)];
});

/** Where the plan has ClamAV: rspamd gets an answer from it, and its signatures are of these days. */
export const viruses: InsideItem = {
  ...look,
  look: async (host) => (host.target.settings.options.clamav ? await look.look(host) : []),
};
