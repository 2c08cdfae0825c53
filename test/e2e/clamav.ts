import { createHash } from "node:crypto";
import { eventually } from "../eventually.ts";
import { onHost } from "./mailhost.ts";
import { forgetting } from "./redis.ts";

/** What ClamAV is to take for a virus. Its own signatures do not reach the small internet, so that it gets one of ours. */
export const virus = "This is not a virus, but it is known as one.\n";
const signatures = "/var/lib/clamav/own.hdb";

/** Brings the signature (docs.clamav.net, "Hash-based signatures"), with which clamd starts by itself. */
export async function bringSignature(): Promise<void> {
  const md5 = createHash("md5").update(virus).digest("hex");
  await onHost(`echo ${md5}:${virus.length}:Test.Known >${signatures}`);
  await eventually("clamd is up", 30, async () =>
    /^active/.test(await onHost("systemctl is-active clamav-daemon || true")),
  );
}

/** As before the first signatures: neither daemon nor socket, and nothing that rspamd remembers of it. */
export async function takeSignature(): Promise<void> {
  await onHost(
    `rm -f ${signatures}
     systemctl stop clamav-daemon.socket clamav-daemon.service
     systemctl start clamav-daemon.service
     ${forgetting("rs_clam*")}`,
  );
}
