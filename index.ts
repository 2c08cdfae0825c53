import { Accounts } from "./components/accounts.ts";
import { DataVolume } from "./components/dataVolume.ts";
import { Dns } from "./components/dns.ts";
import { findDnsZones } from "./components/dnsZones.ts";
import { hostFacts } from "./components/facts.ts";
import { Firewall } from "./components/firewall.ts";
import { Generated } from "./components/generated.ts";
import { Host } from "./components/host.ts";
import { DkimKeys, SshKeys } from "./components/keys.ts";
import { Network } from "./components/network.ts";
import { stackOutputs } from "./components/outputs.ts";
import { RecordMark } from "./components/recordMark.ts";
import { ReverseName } from "./components/reverseName.ts";
import { Server } from "./components/server.ts";
import { readSettings, today } from "./components/stack.ts";
import { Worker } from "./components/worker.ts";
import { findZones } from "./components/zone.ts";
import { dkimSelectors } from "./plan/dkim.ts";
import { hostBundles } from "./plan/host.ts";
import { hostPorts } from "./plan/ports.ts";
import { dnsRecords } from "./plan/records.ts";
import { relayRoute } from "./plan/relay.ts";
import { webHosts, webPages, workerName, workerScript } from "./plan/web.ts";

const settings = readSettings();
const bundles = hostBundles(settings);
const zones = await findZones(settings);
const dnsZones = await findDnsZones(settings);
const mailboxes = settings.domains.flatMap((domain) => domain.mailboxes);

const keys = new SshKeys("ssh");
const dkim = new DkimKeys("dkim", dkimSelectors(settings));
const accounts = new Accounts("accounts", mailboxes);

const volume = new DataVolume("server-data", { size: settings.server.dataSize, zone: zones.first });
const network = new Network("network", {
  settings: settings.network,
  availabilityZone: volume.availabilityZone,
});
const firewall = new Firewall("firewall", {
  vpcId: network.vpcId,
  ports: hostPorts(bundles),
  ipv6: settings.network.ipv6,
});
const server = new Server("server", {
  settings,
  network,
  volume,
  offering: zones.offering,
  securityGroupId: firewall.securityGroupId,
  keys,
});

const facts = hostFacts(server, dkim);
const records = dnsRecords(settings, today());
const mark = new RecordMark("mark").text;
const dns = new Dns("dns", {
  zones: dnsZones,
  records: records.filter(({ type }) => type !== "MX"),
  facts,
  mark,
});
const reverseName = new ReverseName("ptr", {
  address: server.address,
  settings,
  after: dns.record("A", settings.hostname),
});

const secrets = {
  dkimPrivateKeys: dkim.privateKeys,
  passwordHashes: accounts.passwordHashes,
  generated: new Generated("generated", bundles).passwords,
};
// Nothing is sent before the address has its name, and no certificate is asked for before the name has its address.
const after = { postfix: [reverseName], certbot: [reverseName] };
const sendsStraight = relayRoute(settings.options.relay)?.all !== true;
const { rootSize } = settings.server;
const host = new Host("host", {
  server,
  rootSize,
  sshFrom: settings.ssh.from,
  keys,
  bundles,
  secrets,
  sendsStraight,
  after,
});
// Mail is asked for only where it is known already: until then a sender would be told that there is no such domain.
const inbound = new Dns("inbound", {
  zones: dnsZones,
  records: records.filter(({ type }) => type === "MX"),
  facts,
  mark,
  after: [host],
});

const pages = webPages(settings);
new Worker("web", {
  name: workerName(settings),
  script: workerScript(settings, pages),
  hosts: webHosts(pages),
});

export default stackOutputs({
  settings,
  server,
  accounts,
  dkim,
  records: [...dns.records, ...inbound.records],
  keys,
});
