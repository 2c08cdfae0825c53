/** Changes of what a stack file says about mail: mailboxes, aliases, domains. Text in, text out. */
import { nearest } from "../../settings/mistakes.ts";
import { addressParts, domainName, emailAddress } from "../../settings/names.ts";
import { Failure } from "../failure.ts";
import { type Edit, edited, type Keys, readYaml, type Value } from "./edit.ts";

/** A stack file's text. */
export interface StackText {
  readonly text: string;
  /** `Pulumi.prod.yaml`: for messages. */
  readonly name: string;
  /** @default the stack file says it all itself */
  readonly shared?: SharedDomains;
}

/** The domains of the file that `mailhost:shared` names (settings/shared.ts). They are not changed here: other stacks have them, too. */
export interface SharedDomains {
  /** `stacks.yaml`: for messages. */
  readonly name: string;
  /** As that file has them. */
  readonly domains: Tree;
  /** Together with those of the stack file. */
  readonly all: Tree;
}

/** What a mailbox says of itself; what is left out has its default. */
export interface MailboxWishes {
  /** In GiB. */
  readonly quota?: number;
  readonly appPasswords?: readonly string[];
  /** `${NAME}`, or what Pulumi made of a secret: `{ secure: … }`. */
  readonly passwordHash?: Value;
}

type Tree = Readonly<Record<string, unknown>>;

const domainsKey = ["config", "mailhost:domains"];

/** One domain of the file, by the name that it has there. */
interface Found {
  readonly key: string;
  readonly at: Keys;
  readonly mailboxes: Tree;
  readonly aliases: Tree;
  /** What the shared file has of it. */
  readonly shared: { readonly mailboxes: Tree; readonly aliases: Tree };
}

export function addMailbox(file: StackText, address: string, wishes: MailboxWishes): string {
  const { local, domain } = placeOf(file, address);
  if (keyOf(domain.mailboxes, local) !== undefined)
    throw new Failure(`${address} is there already. See all: mailhost mailbox list`);
  refuseShared(file, address, [domain.shared.mailboxes, domain.shared.aliases], local);
  if (keyOf(domain.aliases, local) !== undefined) {
    throw new Failure(
      `${address} is an alias. To make a mailbox of it, take that away first: mailhost alias remove ${address}`,
    );
  }
  const entries = Object.entries(wishes).filter(([, value]) => value !== undefined);
  return change(file, {
    kind: "set",
    at: [...domain.at, "mailboxes", local],
    value: Object.fromEntries(entries) as Value,
  });
}

export function removeMailbox(file: StackText, address: string): string {
  const at = mailboxAt(file, address);
  // What the shared file says of it would hold without this.
  if (sharedMailbox(file, address) !== undefined) throw isShared(file, address);
  return change(file, { kind: "remove", at });
}

/** Nobody can log in to it any more, or again. */
export function suspendMailbox(file: StackText, address: string, suspended: boolean): string {
  const at = [...mailboxAt(file, address), "suspended"];
  const shared = sharedMailbox(file, address)?.suspended;
  // In whatever form Pulumi takes a truth value.
  if ((String(valueAt(file, at) ?? shared) === "true") === suspended) {
    throw new Failure(`${address} is ${suspended ? "suspended already" : "not suspended"}.`);
  }
  if (suspended) return change(file, { kind: "set", at, value: true });
  if (String(shared) === "true") throw isShared(file, `That ${address} is suspended`);
  return change(file, { kind: "remove", at });
}

/** @param hash undefined: none, so that a password is generated */
export function setPasswordHash(file: StackText, address: string, hash: Value | undefined): string {
  const at = [...mailboxAt(file, address), "passwordHash"];
  const known = valueAt(file, at);
  if (hash === undefined && sharedMailbox(file, address)?.passwordHash !== undefined)
    throw isShared(file, `The password's hash of ${address}`);
  if (hash === undefined) return known === undefined ? file.text : change(file, { kind: "remove", at });
  // In any other form than a text it is on lines of its own: it is set anew.
  const cleared = typeof known === "object" ? { ...file, text: change(file, { kind: "remove", at }) } : file;
  return change(cleared, { kind: "set", at, value: hash });
}

/** Whether the stack has the password's hash, so that none is generated. @throws Failure where there is no such mailbox */
export function hasOwnPassword(file: StackText, address: string): boolean {
  const known = mailboxIn(file.shared?.all ?? treeAt(file, domainsKey), address);
  return (known ?? tree(valueAt(file, mailboxAt(file, address)))).passwordHash !== undefined;
}

/** @param targets addresses, or names of the same domain */
export function addAlias(file: StackText, address: string, targets: readonly string[]): string {
  const { local, domain } = placeOf(file, address);
  const key = keyOf(domain.aliases, local);
  const wanted = targets.map((target) => shortened(target, domain.key));
  const at = [...domain.at, "aliases", key ?? local];
  if (key === undefined) {
    if (keyOf(domain.mailboxes, local) !== undefined)
      throw new Failure(`${address} is a mailbox, and cannot be an alias as well.`);
    refuseShared(file, address, [domain.shared.mailboxes, domain.shared.aliases], local);
    const [only] = wanted;
    // The first of a domain as a list, so that it is on a line of its own.
    const isPlain = wanted.length === 1 && only !== undefined && Object.keys(domain.aliases).length > 0;
    return change(file, { kind: "set", at, value: isPlain ? only : wanted });
  }
  const known = targetsOf(domain.aliases[key]);
  const fresh = wanted.filter((target) => !known.some((one) => isSame(one, target, domain.key)));
  if (fresh.length === 0) throw new Failure(`${address} leads there already.`);
  if (!Array.isArray(domain.aliases[key])) {
    return change(file, { kind: "set", at, value: [...known, ...fresh] });
  }
  return fresh.reduce((text, value) => change({ ...file, text }, { kind: "append", at, value }), file.text);
}

/** @param targets those that it is to lead to no more; none: the alias itself goes */
export function removeAlias(file: StackText, address: string, targets: readonly string[]): string {
  const { local, domain } = placeOf(file, address);
  const key = keyOf(domain.aliases, local);
  if (key === undefined) {
    refuseShared(file, address, [domain.shared.aliases], local);
    throw new Failure(`There is no alias ${address}.${meant(local, Object.keys(domain.aliases))}`);
  }
  const at = [...domain.at, "aliases", key];
  const known = targetsOf(domain.aliases[key]);
  const places = targets.map((target) => {
    const place = known.findIndex((one) => isSame(one, target, domain.key));
    if (place < 0)
      throw new Failure(`${address} does not lead to ${target}. It leads to: ${known.join(", ")}.`);
    return place;
  });
  const gone = new Set(places);
  if (gone.size === 0 || gone.size === known.length) {
    refuseShared(file, address, [domain.shared.aliases], local);
    return change(file, { kind: "remove", at });
  }
  // From the end, so that no place moves.
  return [...gone]
    .toSorted((one, other) => other - one)
    .reduce((text, place) => change({ ...file, text }, { kind: "remove", at: [...at, place] }), file.text);
}

/** @param since the day it comes, `2026-11-21` */
export function addDomain(file: StackText, name: string, since: string, zone: string | undefined): string {
  const wanted = domainName(name);
  if (wanted === undefined) throw new Failure(`${name} is no domain name. Write one such as example.org.`);
  const known = domainsIn(file);
  if (keyOfDomain(known, wanted) !== undefined) throw new Failure(`The domain ${name} is there already.`);
  if (sharedDomain(file, name) !== undefined) throw isShared(file, `The domain ${name}`);
  return change(file, {
    kind: "set",
    at: [...domainsKey, name],
    value: { since, ...(zone !== undefined && { zone }), mailboxes: {} },
  });
}

export function removeDomain(file: StackText, name: string): string {
  const { at } = domainOf(file, name);
  if (sharedDomain(file, name) !== undefined) throw isShared(file, `The domain ${name}`);
  return change(file, { kind: "remove", at });
}

/** Addresses of a domain's mailboxes. */
export function mailboxesOf(file: StackText, name: string): readonly string[] {
  const { key, mailboxes } = domainOf(file, name);
  return Object.keys(mailboxes).map((local) => `${local.toLowerCase()}@${domainName(key) ?? key}`);
}

// ── What is there ──

function change(file: StackText, edit: Edit): string {
  return edited(file.text, edit, file.name);
}

function valueAt(file: StackText, at: Keys): unknown {
  return at.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? (value as Tree)[key] : undefined),
    readYaml(file.text, file.name).toJS(),
  );
}

function treeAt(file: StackText, at: Keys): Tree {
  return tree(valueAt(file, at));
}

function tree(value: unknown): Tree {
  return typeof value === "object" && value !== null ? (value as Tree) : {};
}

function domainsIn(file: StackText): readonly string[] {
  return Object.keys(treeAt(file, domainsKey));
}

function keyOfDomain(known: readonly string[], wanted: string): string | undefined {
  return known.find((key) => domainName(key) === domainName(wanted));
}

function domainOf(file: StackText, name: string): Found {
  const known = domainsIn(file);
  const key = keyOfDomain(known, name);
  const shared = sharedDomain(file, name);
  if (key === undefined) {
    if (shared !== undefined) throw isShared(file, `The domain ${name}`);
    throw new Failure(
      `${file.name} has no domain ${name}. It has: ${known.join(", ") || "none"}. To add it: mailhost domain add ${name}`,
    );
  }
  const at = [...domainsKey, key];
  return {
    key,
    at,
    mailboxes: treeAt(file, [...at, "mailboxes"]),
    aliases: treeAt(file, [...at, "aliases"]),
    shared: { mailboxes: tree(shared?.mailboxes), aliases: tree(shared?.aliases) },
  };
}

function placeOf(file: StackText, address: string): { readonly local: string; readonly domain: Found } {
  const whole = emailAddress(address);
  if (whole === undefined) {
    throw new Failure(
      `${address} is no mail address that can be had here. Write one such as ann@example.org.`,
    );
  }
  const { local, domain } = addressParts(whole);
  return { local: local.toLowerCase(), domain: domainOf(file, domain) };
}

/** @throws Failure where there is no such mailbox */
function mailboxAt(file: StackText, address: string): Keys {
  const { local, domain } = placeOf(file, address);
  const key = keyOf(domain.mailboxes, local);
  if (key === undefined) {
    refuseShared(file, address, [domain.shared.mailboxes], local);
    throw new Failure(`There is no mailbox ${address}.${meant(local, Object.keys(domain.mailboxes))}`);
  }
  return [...domain.at, "mailboxes", key];
}

function isShared({ shared, name }: StackText, what: string): Failure {
  return new Failure(`${what} is in ${shared?.name ?? name} (mailhost:shared); change it there.`);
}

/** @throws Failure where one of the shared file's mappings has the name */
function refuseShared(file: StackText, address: string, shared: readonly Tree[], local: string): void {
  if (shared.some((names) => keyOf(names, local) !== undefined)) throw isShared(file, address);
}

/** What the shared file has of a domain. */
function sharedDomain({ shared }: StackText, name: string): Tree | undefined {
  return shared && domainIn(shared.domains, name);
}

/** What the shared file has of a mailbox. */
function sharedMailbox({ shared }: StackText, address: string): Tree | undefined {
  return shared && mailboxIn(shared.domains, address);
}

function domainIn(domains: Tree, name: string): Tree | undefined {
  const key = keyOfDomain(Object.keys(domains), name);
  return key === undefined ? undefined : tree(domains[key]);
}

function mailboxIn(domains: Tree, address: string): Tree | undefined {
  const { local, domain } = addressParts(address);
  const mailboxes = tree(domainIn(domains, domain)?.mailboxes);
  const key = keyOf(mailboxes, local.toLowerCase());
  return key === undefined ? undefined : tree(mailboxes[key]);
}

/** Names of mailboxes and aliases are the same in upper and lower case. */
function keyOf(tree: Tree, local: string): string | undefined {
  return Object.keys(tree).find((key) => key.toLowerCase() === local);
}

function meant(word: string, known: readonly string[]): string {
  const guess = nearest(word, known);
  return guess === undefined ? "" : ` Did you mean ${guess}?`;
}

function targetsOf(value: unknown): string[] {
  return [value ?? []].flat().map(String);
}

/** Without its domain, where that is the alias's own, as stack files have it. */
function shortened(target: string, domain: string): string {
  if (!target.includes("@")) return target;
  const parts = addressParts(target);
  return domainName(parts.domain) === domainName(domain) ? parts.local : target;
}

function isSame(one: string, other: string, domain: string): boolean {
  const normal = (target: string) => shortened(target, domain).toLowerCase();
  return normal(one) === normal(other);
}
