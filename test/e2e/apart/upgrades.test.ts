/**
 * A host of an older version under today's program: the preview by the real engine, over the clouds as they were recorded,
 * replaces and deletes nothing. Needs no local cloud.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Laboratory } from "../../laboratory.ts";
import { recorded, versions } from "../../upgrades/recorded.ts";

/** A resource as the engine's state has it. Components have no id. */
interface Kept {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
}

interface Step {
  readonly op: string;
  readonly urn: string;
  readonly oldState?: Kept;
}

/** What the owner would lose: the mail, the address that others know, the machine, keys, and what the world has of them. */
const lives = [
  "aws:ebs/volume:Volume",
  "aws:ec2/eip:Eip",
  "aws:ec2/eipDomainName:EipDomainName",
  "aws:ec2/instance:Instance",
  "cloudflare:index/dnsRecord:DnsRecord",
  "random:index/randomPassword:RandomPassword",
  "tls:index/privateKey:PrivateKey",
];

const named = ({ op, urn }: Step) => `${op} ${urn.split("::").at(-1)}`;

for (const version of versions)
  test(`a host of ${version} is updated in place`, async (t) => {
    const { stackFile, environment, state, ...cloud } = recorded(version);
    const { resources } = (state as { readonly deployment: { readonly resources: readonly Kept[] } })
      .deployment;
    const lab = await Laboratory.start(t, { cloud, environment });
    await lab.known("dev", stackFile, state);
    const { code, stdout, output } = await lab.run("preview", "--json", "--show-sames", "--stack", "dev");
    assert.equal(code, 0, output);
    const { steps } = JSON.parse(stdout) as { readonly steps: readonly Step[] };
    assert.deepEqual(steps.filter(({ op }) => /replace|delete|discard/.test(op)).map(named), []);
    const before = resources.filter(({ type }) => lives.includes(type));
    for (const type of lives)
      assert.ok(
        before.some((resource) => resource.type === type),
        type,
      );
    // Whatever it is called today, it is the same one.
    const goesOn = steps
      .filter(({ op }) => op === "same" || op === "update")
      .map(({ oldState }) => `${oldState?.type} ${oldState?.id}`);
    assert.deepEqual(
      before.map(({ type, id }) => `${type} ${id}`).filter((resource) => !goesOn.includes(resource)),
      [],
    );
  });
