import { createHash } from "node:crypto";
import { verbatim } from "../plan/template.ts";

/** Of a program of ours: where it does something else than before, its step runs again. */
function digest(path: string): string {
  return createHash("sha256").update(verbatim(path)).digest("hex").slice(0, 8);
}

/** The fixed program that applies a bundle's document, once it is on the host. */
export const APPLY = "sudo /usr/local/lib/mailhost/apply";

/** Its text: it travels on standard input to where APPLY names it. */
export const APPLY_PROGRAM = verbatim("usr/local/lib/mailhost/apply");

/**
 * Mounts the data volume whose id is on standard input; makes a file system only where there is nothing, and lets it
 * grow to the size in GiB behind the id. Two more lines say that all on it lies in a locked store, and its passphrase.
 */
export const STORAGE = `sudo /usr/local/lib/mailhost/storage # ${digest("usr/local/lib/mailhost/storage")}`;

/** Lets the root file system grow to the size of its disk, in GiB, on standard input. */
export const ROOTDISK = "sudo /usr/local/lib/mailhost/rootdisk";

/** Installs the packages on standard input in one transaction, none of them started yet. */
export const PACKAGES = "sudo /usr/local/lib/mailhost/packages";

/** Takes away what the bundles of standard input's list do not name any more. */
export const SWEEP = `${APPLY} --sweep`;

/** The same for packages. */
export const SWEEP_PACKAGES = `${PACKAGES} --sweep`;

/** Prints the URL of the host's ACME account, which it makes where there is none; nothing where it cannot be had now. */
export const ACME_ACCOUNT = "sudo /usr/local/lib/mailhost/certificate account";

/** The program of the zones that the host serves by itself: `put PART` takes records, `ds` prints their DS records. */
export const ZONES = "sudo /usr/local/lib/mailhost/zones";

/** Refuses where the host speaks TLS with a key whose digest is not on standard input. */
export const TLS_KEY = "sudo /usr/local/lib/mailhost/tls shows";

/** Plants the host key from standard input. Half of one is none, and wherever it dies sshd has the old key or the new one, whole. */
const PLANT = `sudo sh -euc '
umask 077
cd /etc/ssh
cat >.ssh_host_ed25519_key.new
ssh-keygen -y -f .ssh_host_ed25519_key.new >.ssh_host_ed25519_key.pub.new
sync .ssh_host_ed25519_key.new
mv .ssh_host_ed25519_key.new ssh_host_ed25519_key
mv .ssh_host_ed25519_key.pub.new ssh_host_ed25519_key.pub
systemctl reload ssh
'`;

/** The first connection: waits for the first boot to end and plants the host key. */
export const BOOTSTRAP = `set -eu
timeout 300 cloud-init status --wait </dev/null >/dev/null || [ $? -eq 2 ]
${PLANT}`;

/** Plants the host's next key, where it has another one; a name tells which. */
export function changeIdentity(generation: string): string {
  return `${PLANT} # ${generation}`;
}

/** The generation of the key that such a command plants. */
export function identityIn(command: string): string {
  return / # (\S+)$/.exec(command)?.[1] ?? "";
}

/** The second connection, to the lasting identity: ends the first one's, and installs the program on standard input. */
export const SEAL_AND_INSTALL_TOOLS = `set -eu
sudo sh -euc '
cd /etc/ssh
rm -f ssh_host_ecdsa_key ssh_host_ecdsa_key.pub ssh_host_rsa_key ssh_host_rsa_key.pub
install -d -m 0755 /usr/local/lib/mailhost
cat >/usr/local/lib/mailhost/.apply.new
chmod 0755 /usr/local/lib/mailhost/.apply.new
mv /usr/local/lib/mailhost/.apply.new /usr/local/lib/mailhost/apply
systemctl reload ssh
'`;
