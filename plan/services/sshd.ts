import { ownNetworks } from "../../settings/networks.ts";
import type { Settings } from "../../settings/types.ts";
import { bundle, file, plainFile, unit } from "../bundle.ts";
import type { Bundle } from "../types.ts";
import { LOGIN_USER } from "../users.ts";

const login = "/usr/local/lib/mailhost/login";
const dropIn = "/etc/systemd/system/ssh.service.d/mailhost.conf";
const config = "/etc/ssh/sshd_config.d/10-mailhost.conf";

/** The operator's way in: for the deployment, and for a person with its key. */
export function sshd(settings: Settings): Bundle {
  return bundle({
    name: "sshd",
    why: "Lets the operator log in, by key alone.",
    packages: ["openssh-server"],
    files: [
      file(config, { user: LOGIN_USER, exempt: ownNetworks(settings.ssh.from).join(","), login }),
      plainFile(login, { mode: "0755" }),
      plainFile(dropIn),
    ],
    validate: ["sshd -t"],
    units: [unit("ssh.service", { reload: [config], restart: [dropIn] })],
    ports: [
      {
        name: "ssh",
        number: 22,
        protocol: "tcp",
        from: settings.ssh.from,
        why: "Deployments and the operator, from the networks that the stack names.",
      },
    ],
    // Its first start puts back every change that is not confirmed yet (mailhost-rollback.service).
    after: ["base"],
    confirm: true,
  });
}
