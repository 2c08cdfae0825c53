#!/usr/bin/env node
/**
 * `mailhost`, wherever it is called from. Plain JavaScript, since an old Node reads no TypeScript: it hands over to the Node
 * that came with `npm ci`, where one did.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const own = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));
const main = fileURLToPath(new URL("main.ts", import.meta.url));
const { status, error } = spawnSync(
  existsSync(own) ? own : process.execPath,
  [main, ...process.argv.slice(2)],
  {
    stdio: "inherit",
  },
);
if (error) console.error(error.message);
process.exitCode = status ?? 1;
