/**
 * Is this Node new enough? Run by npm at the end of each installation, with the Node that every other command will
 * have: the one that came as a package, where there is one. Plain JavaScript, for an old Node reads no TypeScript and
 * would say no more than `Unknown file extension ".ts"`.
 *
 *     node check/node.js [VERSION]      instead of the running one's
 */
import { readFileSync } from "node:fs";
import process from "node:process";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const version = process.argv[2] ?? process.versions.node;
const [major = 0, minor = 0] = version.split(".").map(Number);

/** package.json's ranges are `^22.18`, this major version from there on, and `>=24.2`. */
const fits = engines.node.split(" || ").some((/** @type {string} */ range) => {
  const [, sign, first, second] = /^(\^|>=)(\d+)\.(\d+)$/.exec(range) ?? [];
  if (major === Number(first)) return minor >= Number(second);
  return sign === ">=" && major > Number(first);
});

if (!fits) {
  const wanted = engines.node.replace("^", "").replace(" || >=", ", or ");
  console.error(
    `Node ${version} cannot run mailhost: install Node ${wanted} or newer, then run npm ci again.`,
  );
  process.exitCode = 1;
}
