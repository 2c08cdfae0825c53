import type { CheckTarget } from "./types.ts";

/** The name in Pulumi.yaml. */
const project = "mailhost";
const step = "mailhost:host:Host$mailhost:host:HostBundle$command:remote:Command";

/**
 * The command that applies bundles again though their text is the same: a plain `pulumi up` asks the host nothing
 * where the plan has not changed, so it does not see what somebody changed there.
 * @param parts bundles' names; `accounts.secrets` for the secret files of one, as `apply --status` calls them
 */
export function applyAgain({ stack, bundles }: CheckTarget, ...parts: readonly string[]): string {
  const steps = parts.flatMap((part) => {
    const [name = "", secrets] = part.split(".");
    if (secrets !== undefined) return [`${name}-secrets`];
    // Without its proofs the host would take such a bundle back.
    const proofs = bundles.find((bundle) => bundle.name === name)?.confirm ? ["confirm", "confirmed"] : [];
    return ["files", ...proofs].map((suffix) => `${name}-${suffix}`);
  });
  // Single quotes: the shell must leave the dollar signs alone.
  const options = steps.map(
    (suffix) => ` --replace 'urn:pulumi:${stack.split("/").at(-1)}::${project}::${step}::host-${suffix}'`,
  );
  return `\`pulumi up${options.join("")}\``;
}

/**
 * What to do where the host is not as its plan says.
 * @param what is not so: a file, or settings in words
 */
export function changedByHand(what: string, target: CheckTarget, ...parts: readonly string[]): string {
  return `Somebody changed ${what}, or an \`up\` did not finish: ${applyAgain(target, ...parts)}.`;
}
