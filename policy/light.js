// Pulumi's runner of policies loads a compiler of TypeScript, whatever PulumiPolicy.yaml says of it, and its SDK loads what packs
// functions up and what drives the engine: two thirds of the time that these policies, which want none of it, take to start. Where
// Node loads this file before the runner, as `npm run preview` has it, they get nothing in its place.
import { realpathSync } from "node:fs";
import { registerHooks } from "node:module";

const [, runner = ""] = process.argv;
const pulumi =
  /\/@pulumi\/pulumi\/(?:index|tsutils|typescript-shim|cmd\/run-policy-pack\/run|runtime\/closure\/codePaths)\.js$/;
const unneeded = /^(?:typescript|\.\/automation|@npmcli\/arborist)$|\/vendor\/(?:ts-node|typescript)@/;

/** Whether this process runs these policies, and not the program or somebody else's. */
function isOurs() {
  try {
    return /run-policy-pack/.test(runner) && realpathSync(process.argv.at(-1)) === import.meta.dirname;
  } catch {
    return false;
  }
}

if (isOurs())
  registerHooks({
    resolve(specifier, context, next) {
      return unneeded.test(specifier) && pulumi.test(context.parentURL ?? "")
        ? { url: import.meta.resolve("./nothing.cjs"), format: "commonjs", shortCircuit: true }
        : next(specifier, context);
    },
  });
