import { bundle, plainFile } from "../bundle.ts";
import type { Bundle } from "../types.ts";

/** What a mail host has no use for, and an intruder has: shut. */
export function hardening(): Bundle {
  return bundle({
    name: "hardening",
    why: "Shuts what a mail host has no use for: rare kernel modules, memory images of crashes, idle shells.",
    // Nobody has a password. Whoever gives one to a person, for the cloud's serial console, is held to a good one.
    packages: ["libpam-passwdqc"],
    files: [
      plainFile("/etc/issue"),
      plainFile("/etc/issue.net"),
      plainFile("/etc/modprobe.d/mailhost.conf"),
      plainFile("/etc/profile.d/mailhost.sh"),
      plainFile("/etc/security/limits.d/mailhost.conf"),
      plainFile("/etc/systemd/coredump.conf.d/mailhost.conf"),
    ],
  });
}
