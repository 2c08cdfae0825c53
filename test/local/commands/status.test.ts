import assert from "node:assert/strict";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { cloudStatus, type Ec2View, restText, statusText } from "../../../local/commands/status.ts";
import type { WorldSummary } from "../../../local/world/world.ts";

const paths = { id: "demo", folder: "/somewhere/clouds/demo" };
const info = {
  slot: 7,
  pid: 4711,
  resolver: "198.18.7.6",
  nameservers: ["198.18.7.4", "198.18.7.5"],
  acmeDirectory: "https://acme.example.net:14000/dir",
  cloudflareUrl: "http://127.0.0.1:20007/client/v4",
};
const machine = {
  id: "i-1",
  running: true,
  on: true,
  leader: 100,
  privateIpv4: "10.20.0.5",
  volumes: ["vol-1"],
};
const world: Omit<WorldSummary, "downloads"> = {
  machines: [machine],
  addresses: { "198.18.7.16": "10.20.0.5" },
  port25Blocked: false,
  zones: ["example.org", "example.com"],
  services: { knotd: 11, pebble: 12 },
};
const ec2: Ec2View = { instances: { "i-1": "running" }, addresses: ["198.18.7.16", "198.18.7.17"] };
const of = (change: Partial<typeof world> = {}, view: Ec2View = ec2) =>
  cloudStatus(paths, info, { ...world, ...change }, view);

it("says in words what runs", () => {
  assert.equal(
    statusText(of()),
    `Local cloud demo runs (process 4711), network 198.18.7.0/24
  machine   i-1 runs; 198.18.7.16 (inside 10.20.0.5), vol-1
  address   198.18.7.16 leads to 10.20.0.5
  address   198.18.7.17 leads nowhere
  port 25   open on the way out
  zones     example.org, example.com, at 198.18.7.4 and 198.18.7.5
  resolver  198.18.7.6
  ACME      https://acme.example.net:14000/dir
  services  knotd, pebble
  state     /somewhere/clouds/demo`,
  );
});

it("says that there is no machine, and that port 25 is blocked, with what to do", () => {
  const text = statusText(of({ machines: [], addresses: {}, port25Blocked: true }));
  assert.match(text, /^ {2}machine +none$/m);
  assert.match(text, /^ {2}port 25 +blocked on the way out; npm run cloud -- port25 open opens it$/m);
});

it("knows a machine's power, and what is to become of it", () => {
  const power = (running: boolean, on: boolean, state: string | undefined): string =>
    of(
      { machines: [{ ...machine, running, on }] },
      { ...ec2, instances: state === undefined ? {} : { "i-1": state } },
    ).machines[0]?.power ?? "";
  assert.equal(power(true, true, "running"), "on");
  assert.equal(power(true, true, "pending"), "on");
  assert.equal(power(false, true, "pending"), "going on");
  assert.equal(power(true, true, "stopping"), "going off");
  assert.equal(power(true, false, "stopping"), "going off");
  assert.equal(power(false, false, "stopped"), "off");
  assert.equal(power(false, true, "stopped"), "without power");
  assert.equal(power(true, true, "shutting-down"), "being deleted");
  assert.equal(power(false, true, undefined), "without power");
});

it("of a cloud that was destroyed with everything, no folder is named", () => {
  const folder = mkdtempSync(join(tmpdir(), "mailhost-"));
  const text = `Local cloud demo is not running. Start it: npm start. Its state: ${folder}`;
  assert.equal(restText({ id: "demo", folder }), text);
  rmdirSync(folder);
  assert.equal(restText({ id: "demo", folder }), "There is no local cloud demo. Make it: npm start");
});
