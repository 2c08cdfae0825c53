import { addressParts, withoutTag } from "./names.ts";
import type { Settings } from "./types.ts";

/** The name before the `@` of each domain that other servers' reports on TLS go to. */
export const TLS_REPORTS = "tls-reports";

/** The one that complaints go to, where they are asked for. */
export const FEEDBACK = "feedback";

/**
 * Names that have to work in every mail domain (RFC 2142 sections 4 and 5) and those that reports go to.
 * Where a domain has no mailbox or alias of the name, its mail goes to the owner.
 */
const reportNames = ["dmarc", TLS_REPORTS, FEEDBACK] as const;
const roleNames = ["postmaster", "abuse", ...reportNames] as const;

/** Where those reports go that the host reads itself: no address of the world's, Postfix alone brings them there. */
export function reportsMailbox(hostname: string): string {
  return `reports@${hostname}`;
}

export interface Route {
  /** Full address, or `@domain` for what nothing else in the domain takes. */
  readonly address: string;
  readonly to: readonly string[];
}

type Addresses = Pick<Settings, "domains" | "owner"> & {
  /** What some role names hang on. @default all of them are there, and lead to the owner */
  readonly options?: Pick<Settings["options"], "reports" | "tlsReports" | "feedback">;
  readonly hostname?: string;
};

/** Those that a stack has. */
function rolesOf(options: Addresses["options"]): readonly string[] {
  const isThere: Readonly<Record<string, boolean>> = {
    [TLS_REPORTS]: options?.tlsReports !== false,
    [FEEDBACK]: options?.feedback === true,
  };
  return roleNames.filter((role) => isThere[role] ?? true);
}

/**
 * Everything that is passed on instead of stored: what `virtual_alias_maps` needs. Postfix looks up
 * `user+tag@domain`, `user@domain`, then `@domain`, and asks again for each result (virtual(5)), so aliases of aliases
 * stand as written. Aliasing comes before delivery: where a domain has a catch-all, its mailboxes have to be in
 * the map too, each as its own alias, or the catch-all takes their mail.
 */
export function routes({ domains, owner, options, hostname }: Addresses): readonly Route[] {
  const names = rolesOf(options);
  return domains.flatMap((domain) => {
    const taken = new Set([...domain.mailboxes, ...domain.aliases].map(({ address }) => address));
    const reader = options?.reports && hostname !== undefined ? reportsMailbox(hostname) : owner;
    const roles = names.map((role) => `${role}@${domain.name}`).filter((address) => !taken.has(address));
    return [
      ...domain.aliases,
      ...roles.map((address) => ({
        address,
        to: [reportNames.some((role) => address.startsWith(`${role}@`)) ? reader : owner],
      })),
      ...(domain.catchAll === undefined ? [] : [{ address: `@${domain.name}`, to: [domain.catchAll] }]),
    ];
  });
}

/** Where mail for an address goes next. */
export type Step =
  | { readonly kind: "mailbox"; readonly address: string }
  | { readonly kind: "route"; readonly route: Route }
  /** A hosted domain in which nothing takes the address. */
  | { readonly kind: "nobody" }
  /** A domain that is not hosted here. */
  | { readonly kind: "outside" };

/** Looks addresses up as Postfix does: the mailbox or alias (tag or not), then the domain's catch-all. */
export function router(settings: Addresses): (address: string) => Step {
  const hosted = new Set(settings.domains.map(({ name }) => name));
  const mailboxes = new Set(
    settings.domains.flatMap((domain) => domain.mailboxes.map(({ address }) => address)),
  );
  const table = new Map(routes(settings).map((route) => [route.address, route]));
  return (address) => {
    const plain = withoutTag(address);
    const { domain } = addressParts(plain);
    if (!hosted.has(domain)) return { kind: "outside" };
    if (mailboxes.has(plain)) return { kind: "mailbox", address: plain };
    const route = table.get(plain) ?? table.get(`@${domain}`);
    return route ? { kind: "route", route } : { kind: "nobody" };
  };
}

/**
 * Which addresses pass mail on to somewhere else: `true` where at least one of its targets, in the end, is outside. Where a
 * domain's catch-all leads outside (`@domain`), those of its addresses that do not are in the map too, as `false`.
 * Role names never count: whoever reads abuse@ wants to see the spam that it is told of.
 */
export function passedOn(settings: Addresses): ReadonlyMap<string, boolean> {
  const step = router(settings);
  const all = routes(settings);
  const leaves = (address: string, seen: ReadonlySet<string>): boolean => {
    const next = step(address);
    if (next.kind === "outside") return true;
    if (next.kind !== "route" || seen.has(next.route.address)) return false;
    return next.route.to.some((target) => leaves(target, new Set([...seen, next.route.address])));
  };
  const roles = rolesOf(settings.options);
  const isRole = (address: string) => roles.some((role) => address.startsWith(`${role}@`));
  return new Map(
    settings.domains.flatMap((domain) => {
      const addresses = all
        .map(({ address }) => address)
        .filter((address) => address.endsWith(`@${domain.name}`));
      const found = [...domain.mailboxes.map(({ address }) => address), ...addresses].map(
        (address) => [address, !isRole(address) && leaves(address, new Set())] as const,
      );
      const isCaughtOutside = found.some(([address, isOut]) => isOut && address.startsWith("@"));
      return found.filter(([, isOut]) => isOut || isCaughtOutside);
    }),
  );
}
