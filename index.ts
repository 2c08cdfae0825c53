import { Accounts } from "./components/accounts.ts";
import { AcmeAccount } from "./components/acmeAccount.ts";
import { DataVolume } from "./components/dataVolume.ts";
import { sharedSpf } from "./components/dns/sharedSpf.ts";
import { findKeepers } from "./components/dns/zones.ts";
import { Dns } from "./components/dns.ts";
import { hostFacts, knownOf } from "./components/facts.ts";
import { Firewall } from "./components/firewall.ts";
import { Generated } from "./components/generated.ts";
import { Host, loginTo } from "./components/host.ts";
import { DkimKeys, SshKeys, TlsKeys } from "./components/keys.ts";
import { currentMoment } from "./components/moment.ts";
import { Nameserver } from "./components/nameserver.ts";
import { Network } from "./components/network.ts";
import { stackOutputs } from "./components/outputs.ts";
import { rampsInPlace } from "./components/ramps.ts";
import { RecordMark } from "./components/recordMark.ts";
import { ReverseName } from "./components/reverseName.ts";
import { Server } from "./components/server.ts";
import { Ses } from "./components/ses.ts";
import { SignedZones } from "./components/signedZones.ts";
import {
  keepOutOfDebugLog,
  readSettings,
  showErrorsAsNodeDoes,
  startCommandProvider,
  writeDownNoPlacesOfPromises,
} from "./components/stack.ts";
import { mayRunWorkers, Worker } from "./components/worker.ts";
import { findZones } from "./components/zone.ts";
import { makePlan } from "./plan/plan.ts";
import { dmarcTakenBack } from "./plan/ramps.ts";
import { pageHost } from "./plan/web.ts";

showErrorsAsNodeDoes();
writeDownNoPlacesOfPromises();
keepOutOfDebugLog();
await startCommandProvider();
const settings = readSettings();
const moment = await currentMoment(settings);
const plan = makePlan(settings, moment);
const { bundles } = plan;
const zones = await findZones(settings);
const keepers = await findKeepers(settings, () => nameserver.keeper);
const web = { zones: keepers.cloudflare, ...plan.worker };
await mayRunWorkers(web);
const spf = await sharedSpf(settings, plan.records, keepers);
const mailboxes = settings.domains.flatMap((domain) => domain.mailboxes);

const keys = new SshKeys("ssh", { hostKeys: plan.hostKeys });
const dkim = new DkimKeys("dkim", { selectors: plan.dkim });
const tls = new TlsKeys("tls", { keys: plan.tlsKeys });
const publicKeys = { ...dkim.publicKeys, ...tls.publicKeys };
const accounts = new Accounts("accounts", { mailboxes });

const volume = new DataVolume("server-data", { size: settings.server.dataSize, zone: zones.first });
const { availabilityZone } = volume;
const network = new Network("network", { settings: settings.network, availabilityZone });
const { ipv6 } = settings.network;
const { securityGroupId } = new Firewall("firewall", {
  vpcId: network.vpcId,
  ports: plan.ports,
  exits: plan.exits,
  ipv6,
});
const { offering } = zones;
const server = new Server("server", { settings, network, volume, offering, securityGroupId, keys });

const login = loginTo("host", { settings, server, keys });
const nameserver: Nameserver = new Nameserver("nameserver", {
  settings,
  login,
  server,
  host: () => host,
});
const facts = hostFacts(server, publicKeys, () => account.url);
const published = { keepers, facts, spf, mark: new RecordMark("mark").text };
const dns = new Dns("dns", { ...published, records: plan.first });
const signed = new SignedZones("dnssec", { zones: keepers.cloudflare, names: plan.signedZones });
const ds = { ...signed.ds, ...nameserver.ds };
const { address } = server;
const reverseName = new ReverseName("ptr", { address, settings, dns, nameserver });

const { passwords: generated } = new Generated("generated", { bundles });
const ses = new Ses("ses", { domains: plan.ses, dkim, dns });
const { passwordHashes } = accounts;
const secrets = {
  dkimPrivateKeys: dkim.privateKeys,
  tlsKeys: tls.privateKeys,
  passwordHashes,
  generated,
  ses: ses.login,
  known: knownOf(settings, server, publicKeys, ds),
};
// Nothing is sent before the address has its name, and no certificate is asked for before the name has its address.
const names = plan.webmail?.names ?? [];
const named = [reverseName, ...names.flatMap((name) => dns.record("A", name))];
const after = { postfix: [reverseName, ...ses.ready], certbot: named };
const tlsKeys = settings.options.dane ? { tlsKeys: tls.named } : {};
const host = new Host("host", { settings, server, keys, login, bundles, secrets, ...tlsKeys, after });
// Mail is asked for only where it is known already: until then a sender would be told that there is no such domain.
const inbound = new Dns("inbound", { ...published, records: plan.inbound, after: () => [host] });

const account = new AcmeAccount("acme", { host, settings, volumeId: server.volume.id });
const caa = new Dns("caa", { ...published, records: plan.caa });

const worker = new Worker("web", web);
const shown = ({ name }: { readonly name: string }) => worker.serving(pageHost(name) ?? "");
const policies = new Dns("policies", { ...published, records: plan.policies, after: shown });

const made = { ...dns.records, ...policies.records, ...caa.records, ...inbound.records };
// Which keys are in use is written down when the host has them, and not before.
const keyRotation = host.hasKeys().apply((has) => (has ? moment.rotation : moment.before));
const policyRamps = rampsInPlace(moment, plan.records, [dns, policies]);
export default stackOutputs({
  settings,
  server,
  accounts,
  publicKeys,
  keyRotation,
  policyRamps,
  dmarcTakenBack: dmarcTakenBack(moment.recordsBefore, plan.records),
  records: made,
  acmeAccount: account.url,
  dnssec: ds,
  nameservers: nameserver.registrar,
  keys,
  hostKeys: host.shownKeys,
  generated,
});
