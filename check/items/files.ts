import { manifests } from "../../plan/manifests.ts";
import { applyAgain } from "../again.ts";
import { insideItem } from "../inside.ts";
import { type Finding, right, wrong } from "../types.ts";

/** What `apply --status` prints (files/usr/local/lib/mailhost/apply). */
interface DeploymentStatus {
  readonly files: readonly {
    readonly bundle: string;
    readonly path: string;
    readonly asDeployed: boolean;
    readonly expected: FileFacts;
    /** Null where there is no such file. */
    readonly found: FileFacts | null;
  }[];
  /** Bundles whose last deployment was cut off. */
  readonly pending: readonly string[];
  /** Bundles that wait for a second login's proof. */
  readonly unconfirmed: readonly string[];
}

type FileFacts = Readonly<Record<"sha256" | "owner" | "group" | "mode", string>>;

/** Every file that was deployed is still what was deployed. */
export const files = insideItem("files", "/usr/local/lib/mailhost/apply --status", (output, host) => {
  const status = JSON.parse(output) as DeploymentStatus;
  const deployed = new Set(status.files.map(({ bundle }) => bundle));
  const changed = status.files.filter(({ asDeployed }) => !asDeployed);
  const findings: Finding[] = [
    ...changed.map((file) =>
      wrong(
        `${file.path} ${howChanged(file.expected, file.found)}`,
        `Run ${applyAgain(host.target, file.bundle)}: it puts the deployed files back.`,
      ),
    ),
    ...host.target.bundles
      .flatMap(manifests)
      // What is nothing but units has no file to be found by.
      .filter(({ name, files }) => files.length > 0 && !deployed.has(name))
      .map(({ name }) =>
        wrong(
          `${name.replace(".secrets", " (its secret files)")} is not deployed on the host`,
          `Run \`pulumi up\`; if it changes nothing, ${applyAgain(host.target, name)}.`,
        ),
      ),
    ...status.pending.map((name) =>
      wrong(`the last deployment of ${name} was cut off`, "Run `pulumi up`: it finishes what was begun."),
    ),
    ...status.unconfirmed.map((name) =>
      wrong(`the deployment of ${name} waits for a proof, and is taken back without one`, "Run `pulumi up`."),
    ),
  ];
  return findings.length > 0
    ? findings
    : [right(`all ${status.files.length} deployed files are as deployed`)];
});

function howChanged(expected: FileFacts, found: FileFacts | null): string {
  if (found === null) {
    return "is gone";
  }
  if (found.sha256 !== expected.sha256) {
    return "was changed by hand";
  }
  return `belongs to ${found.owner}:${found.group} with mode ${found.mode}, not ${expected.owner}:${expected.group} with ${expected.mode}`;
}
