import type { Change, Preview } from "../types.ts";
import { and, capital, count, isSame, name, names } from "../words.ts";
import { type Chapter, difference, type Effect, type Risk } from "./chapter.ts";

/** What a kind of resource has to say: nothing, where it is told elsewhere. */
type Tell = (change: Change) => Partial<Chapter>;

const VOLUME = "aws:ebs/volume:Volume";

const tellers: Readonly<Record<string, Tell>> = {
  "aws:ec2/instance:Instance": machine,
  [VOLUME]: volume,
  "aws:ec2/eip:Eip": address,
  "aws:ec2/eipDomainName:EipDomainName": reverseName,
  "aws:ec2/volumeAttachment:VolumeAttachment": (change) => attachment(change, "data volume"),
  "aws:ec2/eipAssociation:EipAssociation": (change) => attachment(change, "public address"),
  "aws:ec2/securityGroup:SecurityGroup": firewall,
  "cloudflare:index/zoneDnssec:ZoneDnssec": dnssec,
};

const WORKER = "cloudflare:index/workersScript:WorkersScript";

/** Machine, disks, address and network, and what is at Cloudflare beside records. */
export function cloud({ changes }: Preview): Chapter {
  const machineIsNew = changes.some(
    ({ type, kind }) => type === "aws:ec2/instance:Instance" && kind !== "update",
  );
  const told = changes
    // A new machine has both taken off the old one: that is said once.
    .filter(({ type }) => !(machineIsNew && /Attachment$|Association$/.test(type)))
    // All mail is on it.
    .toSorted((one, other) => Number(other.type === VOLUME) - Number(one.type === VOLUME))
    .map((change) => tellers[change.type]?.(change) ?? {});
  return {
    risks: told.flatMap(({ risks = [] }) => risks),
    effects: told.flatMap(({ effects = [] }) => effects),
  };
}

function machine({ kind, before, after, changed, causes }: Change): Partial<Chapter> {
  const typeChanges = changed.includes("instanceType") || causes.includes("instanceType");
  const types = `${name(String(before.instanceType))} to ${name(String(after.instanceType))}`;
  if (kind === "replace" || kind === "create") {
    return {
      risks: [
        {
          title: kind === "replace" ? "The machine is replaced" : "A new machine is made",
          text: `${because(causes)}The host is away for several minutes: mail that comes meanwhile waits at its senders. Mail, queue, certificates and what the spam filter learned are on the data volume, which the new machine gets. What somebody put on the machine by hand is lost.`,
        },
      ],
      effects: [
        {
          short: `${kind === "replace" ? "replaces" : "makes"} the machine`,
          text: `${kind === "replace" ? "Replaces" : "Makes"} the machine${typeChanges && kind === "replace" ? `, from ${types}` : ""}, and sets it up anew.`,
        },
      ],
    };
  }
  if (kind === "delete" || kind === "forget")
    return {
      risks: [
        {
          title: "The machine goes",
          text: "There is no mail host any more: nobody can send, receive or read.",
        },
      ],
      effects: [{ short: "removes the machine", text: "Removes the machine." }],
    };
  if (typeChanges)
    return {
      risks: [
        {
          title: "The machine is stopped, and started again as another type",
          text: "The host is away for some minutes: mail that comes meanwhile waits at its senders, and mail programs connect again by themselves. Disks, address and mail stay. It changes what the machine costs.",
        },
      ],
      effects: [
        { short: `changes the machine from ${types}`, text: `Changes the machine's type from ${types}.` },
      ],
    };
  return {
    effects: [
      {
        short: "changes the machine",
        text: `Changes the machine in place (${changed.map(name).join(", ")}).`,
      },
    ],
  };
}

function volume({ kind, before, after, changed, causes }: Change): Partial<Chapter> {
  if (kind === "update" && isSame(changed, ["size"])) {
    const sizes = `from ${String(before.size)} to ${String(after.size)} GiB`;
    return {
      risks: [
        {
          title: `The data volume grows ${sizes}`,
          text: "It cannot be made smaller again, and costs by its size. The mail on it stays, and the host goes on meanwhile.",
        },
      ],
      effects: [{ short: `grows the data volume ${sizes}`, text: `Grows the data volume ${sizes}.` }],
    };
  }
  if (kind === "update")
    return {
      risks: [
        {
          title: "The data volume is changed",
          text: `All mail is on it. What changes: ${changed.map(name).join(", ")}.`,
        },
      ],
      effects: [{ short: "changes the data volume", text: "Changes the data volume." }],
    };
  const fate = {
    create: ["is gone, and an empty one is made", "makes a data volume anew"],
    replace: ["is replaced by an empty one", "replaces the data volume"],
    delete: ["is deleted", "deletes the data volume"],
    forget: ["is given up by this stack, and stays in the account", "gives the data volume up"],
  } as const;
  const [title, short] = fate[kind];
  return {
    risks: [
      {
        title: `THE DATA VOLUME ${title.toUpperCase()}`,
        text:
          kind === "create"
            ? "All mail, the queue and the certificates were on it. Do not go on before you know where it is: who finds it can import it into the stack, and a backup is what else there is."
            : `${because(causes)}All mail, the queue and the certificates are on it. Do not go on unless that is what you want, and there is a backup.`,
      },
    ],
    effects: [{ short, text: `${capital(short)}.` }],
  };
}

function address({ kind, changed, causes }: Change): Partial<Chapter> {
  if (kind === "update" && isSame(changed, ["tags"])) return {};
  const gone = {
    create: "is gone, and another is made",
    update: "is changed",
    replace: "becomes another",
    delete: "is given up",
    forget: "is given up",
  }[kind];
  return {
    risks: [
      {
        title: `The public address ${gone}`,
        text: `${because(causes)}What other servers think of the host goes by its address: another begins without a reputation, and may be on a list; its reverse name has to be set anew. One that is given up does not come back.`,
      },
    ],
    effects: [{ short: `the public address ${gone}`, text: `The public address ${gone}.` }],
  };
}

function reverseName({ kind, before, after }: Change): Partial<Chapter> {
  if (kind === "create") {
    const short = `sets the reverse name of the address to ${name(String(after.domainName))}`;
    return { effects: [{ short, text: `${capital(short)}.` }] };
  }
  const now = after.domainName === undefined ? "gone" : name(String(after.domainName));
  return {
    risks: [
      {
        title: "The reverse name (PTR) of the address changes",
        text: `It was ${name(String(before.domainName))}, and will be ${now}. Where it is not the host's name, other servers refuse mail.`,
      },
    ],
    effects: [{ short: "changes the reverse name", text: "Changes the reverse name." }],
  };
}

function attachment({ kind }: Change, what: string): Partial<Chapter> {
  if (kind === "create") {
    const short = `puts the ${what} to the machine`;
    return { effects: [{ short, text: `${capital(short)}: today none is there.` }] };
  }
  return {
    risks: [
      {
        title: `The ${what} is taken off the machine${kind === "replace" || kind === "update" ? ", and put to it again" : ""}`,
        text: "The host is away meanwhile: mail that comes waits at its senders.",
      },
    ],
    effects: [{ short: `moves the ${what}`, text: `Moves the ${what}.` }],
  };
}

interface Rule {
  readonly protocol: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly cidrBlocks?: readonly string[];
  readonly ipv6CidrBlocks?: readonly string[];
  readonly description?: string;
}

function firewall({ kind, before, after, changed: inputs, causes }: Change): Partial<Chapter> {
  if (kind !== "update") {
    const fate = {
      create: ["The firewall is gone, and another is made", "makes a firewall anew"],
      replace: ["The firewall is replaced", "replaces the firewall"],
      delete: ["The firewall goes", "removes the firewall"],
      forget: ["The firewall is given up by this stack", "gives the firewall up"],
    } as const;
    const [title, short] = fate[kind];
    return {
      risks: [
        {
          title,
          text: `${because(causes)}It says which ports of the host are open, and to whom: until the machine has one again, nobody can send, receive or read, or more is open than should be.`,
        },
      ],
      effects: [{ short, text: `${capital(short)}.` }],
    };
  }
  const { added, removed, changed } = difference(openings(before.ingress), openings(after.ingress));
  const open = [...added, ...changed.map(({ key }) => key)];
  const now = openings(after.ingress);
  const risky = open.filter((port) => port === "22/tcp" && now[port]?.some(isWorld));
  const parts = [
    ...open.map((port) => `opens port ${port} to ${(now[port] ?? []).map(place).join(", ")}`),
    ...(removed.length > 0
      ? [`closes ${removed.length === 1 ? "port" : "the ports"} ${removed.join(", ")}`]
      : []),
  ];
  return {
    risks: risky.map(
      (): Risk => ({
        title: "Port 22 (SSH) is opened to the whole world",
        text: "It should be open to the networks that you log in from, and no others: `mailhost:ssh.from`.",
      }),
    ),
    effects: [
      parts.length > 0
        ? { short: and(parts), text: `${capital(and(parts))}.` }
        : {
            short: "changes the firewall",
            text: `Changes the firewall in place (${inputs.map(name).join(", ")}).`,
          },
    ],
  };
}

/** To whom each port is open. */
function openings(rules: unknown): Readonly<Record<string, readonly string[]>> {
  if (!Array.isArray(rules)) return {};
  return Object.fromEntries(
    (rules as readonly Rule[]).map(({ protocol, fromPort, toPort, cidrBlocks = [], ipv6CidrBlocks = [] }) => [
      `${fromPort === toPort ? fromPort : `${fromPort}–${toPort}`}/${protocol}`,
      [...cidrBlocks, ...ipv6CidrBlocks].toSorted(),
    ]),
  );
}

function isWorld(network: string): boolean {
  return network.endsWith("/0");
}

function place(network: string): string {
  return isWorld(network) ? "everybody" : name(network);
}

function dnssec({ kind, name: resource }: Change): Partial<Chapter> {
  const zone = name(resource.replace(/^dnssec-/, ""));
  if (kind === "create")
    return {
      effects: [
        {
          short: `signs the zone ${zone}`,
          text: `Lets Cloudflare sign the zone ${zone}; the registrar needs its DS record then (output \`dnssec\`).`,
        },
      ],
    };
  return {
    risks: [
      {
        title: `DNSSEC of the zone ${zone} changes`,
        text: "Where the registrar still has its DS record, and the zone is not signed any more, the whole zone is unreachable for who validates.",
      },
    ],
  };
}

/** What the domains show on the web, by a Worker; its script has each page's lines (`plan/web.ts`). */
export function web({ changes }: Preview): Chapter {
  const change = changes.find(({ type }) => type === WORKER);
  if (change === undefined || change.kind === "create") return { risks: [], effects: [] };
  const { kind, before, after } = change;
  const { changed } = difference(stsModes(before.content), stsModes(after.content));
  const steps = ["none", "testing", "enforce"];
  const risks = changed.flatMap(({ key, before: old, after: now }): Risk[] =>
    steps.indexOf(now) < steps.indexOf(old)
      ? [
          {
            title: `The MTA-STS policy of ${name(key)} goes backwards: ${name(now)} instead of ${name(old)}`,
            text: "Other servers deliver also where they cannot verify this host, so that an attacker on the way can read along.",
          },
        ]
      : [],
  );
  const [had, has] = [setUp(before.content), setUp(after.content)];
  const [come, gone] = [has.filter((each) => !had.includes(each)), had.filter((each) => !has.includes(each))];
  const effects: Effect[] = [
    ...(come.length > 0
      ? [
          {
            short: "lets mail programs find their settings",
            text: `Lets mail programs find their settings by themselves, for addresses of ${names(come)}.`,
          },
        ]
      : []),
    ...(gone.length > 0
      ? [
          {
            short: "takes the automatic set-up of mail programs away",
            text: `Takes the automatic set-up of mail programs away, for addresses of ${names(gone)}: who sets one up types servers and ports by hand. Those that are set up go on.`,
          },
        ]
      : []),
    ...changed.map(({ key, before: old, after: now }) => ({
      short: `sets MTA-STS of ${name(key)} to ${name(now)}`,
      text: `MTA-STS of ${name(key)} goes from ${name(old)} to ${name(now)}.`,
    })),
    {
      short: "changes what the domains show on the web",
      text: `${kind === "update" ? "Changes" : "Takes away"} what the domains show on the web: settings for mail programs, and how to send here.`,
    },
  ];
  return { risks, effects };
}

/** Domains of which a page tells mail programs their settings. */
function setUp(script: unknown): readonly string[] {
  const pages = String(script ?? "").matchAll(/"host": "autoconfig\.([^"]+)"/g);
  return [...new Set([...pages].map(([, domain = ""]) => domain))];
}

function stsModes(script: unknown): Readonly<Record<string, string>> {
  if (typeof script !== "string") return {};
  const pages = script.matchAll(/"host": "mta-sts\.([^"]+)"(?:(?!"host":)[\s\S])*?"mode: (\w+)/g);
  return Object.fromEntries([...pages].map(([, domain = "", mode = ""]) => [domain, mode]));
}

function because(causes: readonly string[]): string {
  return causes.length === 0 ? "" : `The reason: ${causes.map(name).join(", ")} cannot be changed in place. `;
}

/** Whether a change is told of by its kind of resource. */
export function isTold({ type, kind }: Change): boolean {
  return type in tellers || (type === WORKER && kind !== "create");
}

/** What people call some kinds of resources. */
const kindNames: Readonly<Record<string, string>> = {
  PrivateKey: "key",
  WorkersCustomDomain: "web name",
  EmailIdentity: "Amazon SES identity",
  RandomPassword: "password",
};

/** How many things of which kind; for what is told of nowhere else. */
export function counts(changes: readonly Change[]): string {
  const kinds = Map.groupBy(changes, ({ type }) => type.split(":").at(-1) ?? type);
  return and([...kinds].map(([kind, all]) => count(all.length, kindNames[kind] ?? `${kind} resource`)));
}
