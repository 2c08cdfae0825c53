import type { Item } from "./host.ts";
import { auth } from "./items/auth.ts";
import { bimi } from "./items/bimi.ts";
import { clock } from "./items/clock.ts";
import { complaints } from "./items/complaints.ts";
import { delegation } from "./items/delegation.ts";
import { files } from "./items/files.ts";
import { firewall } from "./items/firewall.ts";
import { gtube } from "./items/gtube.ts";
import { identity } from "./items/identity.ts";
import { incoming } from "./items/incoming.ts";
import { listed } from "./items/listed.ts";
import { logins } from "./items/logins.ts";
import { manners } from "./items/manners.ts";
import { nameservers } from "./items/nameservers.ts";
import { outgoing } from "./items/outgoing.ts";
import { passwords } from "./items/passwords.ts";
import { policies } from "./items/policies.ts";
import { ports } from "./items/ports.ts";
import { queue } from "./items/queue.ts";
import { recipients } from "./items/recipients.ts";
import { records } from "./items/records.ts";
import { removed } from "./items/removed.ts";
import { renewal } from "./items/renewal.ts";
import { resources } from "./items/resources.ts";
import { senders } from "./items/senders.ts";
import { services } from "./items/services.ts";
import { spf } from "./items/spf.ts";
import { tls } from "./items/tls.ts";
import { updates } from "./items/updates.ts";
import { validation } from "./items/validation.ts";
import { viruses } from "./items/viruses.ts";
import { outgoingWay } from "./items/wayout.ts";
import { web } from "./items/web.ts";
import { webmail } from "./items/webmail.ts";

/** Everything that is looked at, in the order of the result. */
export const items: readonly Item[] = [
  records,
  delegation,
  nameservers,
  validation,
  spf,
  identity,
  ports,
  tls,
  auth,
  manners,
  recipients,
  senders,
  gtube,
  logins,
  web,
  webmail,
  bimi,
  outgoing,
  incoming,
  passwords,
  outgoingWay,
  files,
  firewall,
  services,
  viruses,
  resources,
  clock,
  updates,
  listed,
  queue,
  complaints,
  removed,
  renewal,
  policies,
];
