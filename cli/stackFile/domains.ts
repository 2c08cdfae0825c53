/** Changes of what a stack file says about mail: mailboxes, aliases, domains. Text in, text out. */
import { defaultStack } from "../../local/paths.ts";
import { nearest } from "../../settings/mistakes.ts";
import { addressParts, domainName, emailAddress } from "../../settings/names.ts";
import { joined, NAMESPACE, pieceTops, topOf } from "../../settings/pieces.ts";
import { mailhostCommand } from "../engineWords.ts";
import { Failure } from "../failure.ts";
import { type Edit, edited, type Keys, readPart, readYaml, type Value } from "./edit.ts";

/** What a stack says, as text. */
export interface StackText {
  /** Of the stack file. */
  readonly text: string;
  /** `Pulumi.prod.yaml`: for messages. */
  readonly name: string;
  /** For commands that messages name. @default the local cloud's */
  readonly stack?: string;
  /** The files that `mailhost:parts` names. @default none */
  readonly parts?: readonly Part[];
  /** @default the stack says it all itself */
  readonly shared?: SharedDomains;
}

/** A piece of what a stack says. */
export interface Part {
  readonly text: string;
  /** As the stack file names it. */
  readonly name: string;
}

/** The domains of the file that `mailhost:shared` names (settings/pieces.ts). They are not changed here: other stacks have them, too. */
export interface SharedDomains {
  /** `stacks.yaml`: for messages. */
  readonly name: string;
  /** As that file has them. */
  readonly domains: Tree;
  /** Together with those of the stack. */
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

/** One domain of the stack, by the name that it has there. */
interface Found {
  readonly key: string;
  readonly mailboxes: Tree;
  readonly aliases: Tree;
  /** What the shared file has of it. */
  readonly shared: { readonly mailboxes: Tree; readonly aliases: Tree };
}

export function addMailbox(file: StackText, address: string, wishes: MailboxWishes): StackText {
  const { local, domain } = placeOf(file, address);
  if (keyOf(domain.mailboxes, local) !== undefined)
    throw new Failure(`${address} is there already. See all: ${toType(file, "mailbox list")}`);
  refuseShared(file, address, [domain.shared.mailboxes, domain.shared.aliases], local);
  if (keyOf(domain.aliases, local) !== undefined) {
    throw new Failure(
      `${address} is an alias. To make a mailbox of it, take that away first: ${toType(file, `alias remove ${address}`)}`,
    );
  }
  const entries = Object.entries(wishes).filter(([, value]) => value !== undefined);
  return change(file, homeOf(file, domain.key, "mailboxes"), {
    kind: "set",
    at: [domain.key, "mailboxes", local],
    value: Object.fromEntries(entries) as Value,
  });
}

export function removeMailbox(file: StackText, address: string): StackText {
  const at = mailboxAt(file, address);
  // What the shared file says of it would hold without this.
  if (sharedMailbox(file, address) !== undefined) throw isShared(file, address);
  return removed(file, at);
}

/** Nobody can log in to it any more, or again. */
export function suspendMailbox(file: StackText, address: string, suspended: boolean): StackText {
  const at = [...mailboxAt(file, address), "suspended"];
  const shared = sharedMailbox(file, address)?.suspended;
  // In whatever form Pulumi takes a truth value.
  if ((String(valueAt(file, at) ?? shared) === "true") === suspended) {
    throw new Failure(`${address} is ${suspended ? "suspended already" : "not suspended"}.`);
  }
  if (suspended) return change(file, holderOf(file, at), { kind: "set", at, value: true });
  if (String(shared) === "true") throw isShared(file, `That ${address} is suspended`);
  return removed(file, at);
}

/** @param hash undefined: none, so that a password is generated */
export function setPasswordHash(file: StackText, address: string, hash: Value | undefined): StackText {
  const at = [...mailboxAt(file, address), "passwordHash"];
  const known = valueAt(file, at);
  if (hash === undefined && sharedMailbox(file, address)?.passwordHash !== undefined)
    throw isShared(file, `The password's hash of ${address}`);
  if (hash === undefined) return known === undefined ? file : removed(file, at);
  // Pulumi decrypts what is in the stack file, and nothing else.
  const to = typeof hash === "object" ? file.name : holderOf(file, at);
  // In any other form than a text it is on lines of its own: it is set anew.
  const isMoved = typeof known === "object" || (known !== undefined && holderOf(file, at) !== to);
  return change(isMoved ? removed(file, at) : file, to, { kind: "set", at, value: hash });
}

/** Whether the stack has the password's hash, so that none is generated. @throws Failure where there is no such mailbox */
export function hasOwnPassword(file: StackText, address: string): boolean {
  const known = mailboxIn(file.shared?.all ?? treeAt(file, []), address);
  return (known ?? tree(valueAt(file, mailboxAt(file, address)))).passwordHash !== undefined;
}

/** @param targets addresses, or names of the same domain */
export function addAlias(file: StackText, address: string, targets: readonly string[]): StackText {
  const { local, domain } = placeOf(file, address);
  const key = keyOf(domain.aliases, local);
  const wanted = targets.map((target) => shortened(target, domain.key));
  const at = [domain.key, "aliases", key ?? local];
  if (key === undefined) {
    if (keyOf(domain.mailboxes, local) !== undefined)
      throw new Failure(`${address} is a mailbox, and cannot be an alias as well.`);
    refuseShared(file, address, [domain.shared.mailboxes, domain.shared.aliases], local);
    const [only] = wanted;
    // The first of a domain as a list, so that it is on a line of its own.
    const isPlain = wanted.length === 1 && only !== undefined && Object.keys(domain.aliases).length > 0;
    const value = isPlain ? only : wanted;
    return change(file, homeOf(file, domain.key, "aliases"), { kind: "set", at, value });
  }
  const known = targetsOf(domain.aliases[key]);
  const fresh = wanted.filter((target) => !known.some((one) => isSame(one, target, domain.key)));
  if (fresh.length === 0) throw new Failure(`${address} leads there already.`);
  const home = holderOf(file, at);
  if (!Array.isArray(domain.aliases[key])) {
    return change(file, home, { kind: "set", at, value: [...known, ...fresh] });
  }
  return fresh.reduce((before, value) => change(before, home, { kind: "append", at, value }), file);
}

/** @param targets those that it is to lead to no more; none: the alias itself goes */
export function removeAlias(file: StackText, address: string, targets: readonly string[]): StackText {
  const { local, domain } = placeOf(file, address);
  const key = keyOf(domain.aliases, local);
  if (key === undefined) {
    refuseShared(file, address, [domain.shared.aliases], local);
    if (keyOf(domain.mailboxes, local) !== undefined) {
      throw new Failure(
        `${address} is a mailbox, and no alias. To remove it: ${toType(file, `mailbox remove ${address}`)}`,
      );
    }
    throw new Failure(
      `There is no alias ${address}.${meant(local, domain.aliases)} ${domain.key} has ${namesIn(file, "alias", domain.aliases)}.`,
    );
  }
  const at = [domain.key, "aliases", key];
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
    return removed(file, at);
  }
  // From the end, so that no place moves.
  return [...gone]
    .toSorted((one, other) => other - one)
    .reduce((before, place) => removed(before, [...at, place]), file);
}

/** @param since the day it comes, `2026-11-21` */
export function addDomain(file: StackText, name: string, since: string, zone: string | undefined): StackText {
  const wanted = domainName(name);
  if (wanted === undefined) throw new Failure(`${name} is no domain name. Write one such as example.org.`);
  const known = domainsIn(file);
  if (keyOfDomain(known, wanted) !== undefined) throw new Failure(`The domain ${name} is there already.`);
  if (sharedDomain(file, name) !== undefined) throw isShared(file, `The domain ${name}`);
  const home = pieceOf(file, (piece) => Object.values(piece).some((domain) => "since" in tree(domain)));
  return change(file, home, {
    kind: "set",
    at: [name],
    value: {
      since,
      ...(zone !== undefined && { zone }),
      // Not where those of all domains stand elsewhere.
      ...(homeOf(file, name, "mailboxes") === home && { mailboxes: {} }),
    },
  });
}

export function removeDomain(file: StackText, name: string): StackText {
  // Here is nothing to be added.
  if (keyOfDomain(domainsIn(file), name) === undefined && sharedDomain(file, name) === undefined)
    throw noDomain(file, name, "");
  const { key } = domainOf(file, name);
  if (sharedDomain(file, name) !== undefined) throw isShared(file, `The domain ${name}`);
  return removed(file, [key]);
}

/** Addresses of a domain's mailboxes. */
export function mailboxesOf(file: StackText, name: string): readonly string[] {
  const { key, mailboxes } = domainOf(file, name);
  return Object.keys(mailboxes).map((local) => `${local.toLowerCase()}@${domainName(key) ?? key}`);
}

// ── What is there ──

/** @param edit at keys from the domains down */
function change(file: StackText, name: string, edit: Edit): StackText {
  const made = <P extends Part>(piece: P): P => {
    if (piece.name !== name) return piece;
    const at = [...domainsKeyIn(wholeOf(file, piece)), ...edit.at];
    return { ...piece, text: edited(piece.text, { ...edit, at }, name, readOf(file, piece)) };
  };
  return { ...made(file), ...(file.parts && { parts: file.parts.map(made) }) };
}

/** Wherever it stands. */
function removed(file: StackText, at: Keys): StackText {
  return piecesOf(file)
    .filter((piece) => within(domainsOf(file, piece), at) !== undefined)
    .reduce((before, { name }) => change(before, name, { kind: "remove", at }), file);
}

/** The stack file, and behind it its parts. */
export function piecesOf(file: StackText): readonly Part[] {
  return [file, ...(file.parts ?? [])];
}

/** Who reads a stack file takes its names otherwise than who reads its parts. */
function readOf(file: StackText, piece: Part): typeof readYaml {
  return piece === file ? readYaml : readPart;
}

function wholeOf(file: StackText, piece: Part): unknown {
  return readOf(file, piece)(piece.text, piece.name).toJS();
}

/** In a stack file, or in a part of its own form or that of an environment of Pulumi ESC. */
function domainsKeyIn(whole: unknown): Keys {
  return [...(topOf(whole) ?? pieceTops[0]), `${NAMESPACE}domains`];
}

/** Each is asked often, and a file of a thousand mailboxes takes its time. */
const read = new WeakMap<Part, Tree>();

function domainsOf(file: StackText, piece: Part): Tree {
  const known = read.get(piece);
  if (known !== undefined) return known;
  const whole = wholeOf(file, piece);
  const domains = tree(within(whole, domainsKeyIn(whole)));
  read.set(piece, domains);
  return domains;
}

/** The name of the last piece whose domains are so. @default the stack file's */
function pieceOf(file: StackText, isIt: (domains: Tree) => boolean): string {
  return piecesOf(file).findLast((piece) => isIt(domainsOf(file, piece)))?.name ?? file.name;
}

/** The piece that has a value, or else what it is to be in. */
function holderOf(file: StackText, at: Keys): string {
  const has = at.map((_, index) => at.slice(0, at.length - index));
  const known = has.find((keys) => valueAt(file, keys) !== undefined) ?? [];
  return pieceOf(file, (domains) => within(domains, known) !== undefined);
}

/** The piece that one more of a domain's mailboxes or aliases comes into. */
function homeOf(file: StackText, key: string, kind: "mailboxes" | "aliases"): string {
  const entries = (domain: unknown) => Object.keys(tree(tree(domain)[kind])).length;
  const pieces = piecesOf(file);
  const own = pieces.findLast((piece) => entries(domainsOf(file, piece)[key]) > 0);
  const begun = pieces.findLast((piece) => kind in tree(domainsOf(file, piece)[key]));
  // Where those of all other domains are.
  const others = pieces.filter((piece) =>
    Object.values(domainsOf(file, piece)).some((domain) => entries(domain) > 0),
  );
  const only = others.length === 1 ? others[0] : undefined;
  return (own ?? begun ?? only)?.name ?? holderOf(file, [key]);
}

/** From the domains down, in whichever piece it is. */
function valueAt(file: StackText, at: Keys): unknown {
  return within(allDomains(file), at);
}

function allDomains(file: StackText): Tree {
  return tree(
    piecesOf(file)
      .map((piece) => domainsOf(file, piece))
      .reduce<unknown>((one, other) => joined(one, other), {}),
  );
}

function within(value: unknown, at: Keys): unknown {
  return at.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Tree)[key]
        : undefined,
    value,
  );
}

function treeAt(file: StackText, at: Keys): Tree {
  return tree(valueAt(file, at));
}

function tree(value: unknown): Tree {
  return typeof value === "object" && value !== null ? (value as Tree) : {};
}

function domainsIn(file: StackText): readonly string[] {
  return Object.keys(allDomains(file));
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
    throw noDomain(file, name, ` To add it: ${toType(file, `domain add ${name}`)}`);
  }
  return {
    key,
    mailboxes: treeAt(file, [key, "mailboxes"]),
    aliases: treeAt(file, [key, "aliases"]),
    shared: { mailboxes: tree(shared?.mailboxes), aliases: tree(shared?.aliases) },
  };
}

/** @param otherwise what else can be done */
function noDomain(file: StackText, name: string, otherwise: string): Failure {
  return new Failure(
    `${file.name} has no domain ${name}. It has: ${domainsIn(file).join(", ") || "none"}.${otherwise}`,
  );
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
    if (keyOf(domain.aliases, local) !== undefined) {
      throw new Failure(
        `${address} is an alias, and no mailbox. Where it leads: ${toType(file, "alias list")}`,
      );
    }
    throw new Failure(
      `There is no mailbox ${address}.${meant(local, domain.mailboxes)} ${domain.key} has ${namesIn(file, "mailbox", domain.mailboxes)}.`,
    );
  }
  return [domain.key, "mailboxes", key];
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

function meant(word: string, known: Tree): string {
  const guess = nearest(word, Object.keys(known));
  return guess === undefined ? "" : ` Did you mean ${guess}?`;
}

/** Names that a message has room for. */
const most = 10;

/** What there is in place of what was named, where a domain may have a thousand of them. */
function namesIn(file: StackText, what: "mailbox" | "alias", known: Tree): string {
  const names = Object.keys(known).toSorted();
  if (names.length === 0) return `no ${what}`;
  const rest = names.length - most;
  return rest > 0
    ? `${names.slice(0, most).join(", ")} and ${rest} more: ${toType(file, `${what} list`)}`
    : names.join(", ");
}

function toType({ stack = defaultStack }: StackText, words: string): string {
  return mailhostCommand(stack, words);
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
