/** Logos in SVG Tiny Portable/Secure (draft-svg-tiny-ps-abrotman), as BIMI wants them: a picture, and nothing that does anything. */

/** Bytes that mail programs take (BIMI Group's "Solving SVG issues"). */
const most = 32_768;

/**
 * What of SVG Tiny 1.2 draws, and names what is drawn. Scripts, animation, links, other media and pictures of pixels are not in the
 * profile; fonts and `switch` a logo does not need.
 */
const elements = new Set(
  "svg title desc metadata defs g use path rect circle ellipse line polyline polygon text tspan textArea tbreak solidColor linearGradient radialGradient stop".split(
    " ",
  ),
);

/** What is wrong with a logo, and what to do about it; undefined where nothing is. */
export function logoMistake(svg: string): string | undefined {
  const size = Buffer.byteLength(svg);
  if (size > most)
    return `has ${size} bytes, and mail programs take ${most}; write one with simpler paths and without metadata`;
  const read = tagsOf(svg);
  if (typeof read === "string") return `${read}; write the text of an SVG file, from <svg to </svg>`;
  const [root, ...rest] = read;
  if (root?.name !== "svg") return "is no SVG; write the text of an SVG file, from <svg to </svg>";
  const foreign = rest.find(({ name }) => !elements.has(name) || name === "svg");
  if (foreign !== undefined)
    return `has <${foreign.name}>, which a logo may not have (SVG Tiny PS); take it out, and turn what it draws into paths`;
  return rootMistake(root) ?? titleMistake(read) ?? read.flatMap(attributeMistake)[0];
}

interface Tag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Names of the elements that it lies in, the outermost first. */
  readonly inside: readonly string[];
  /** Text that stands in it, up to the next tag. */
  readonly text: string;
}

function rootMistake({ attributes }: Tag): string | undefined {
  const wanted = { xmlns: "http://www.w3.org/2000/svg", version: "1.2", baseProfile: "tiny-ps" };
  for (const [name, value] of Object.entries(wanted))
    if (attributes.get(name) !== value)
      return `has ${attributes.has(name) ? `${name}="${attributes.get(name)}"` : `no ${name}`} in its first tag; write ${name}="${value}"`;
  const box = (attributes.get("viewBox") ?? "").trim().split(/[\s,]+/);
  const [, , width, height] = box.map(Number);
  const isBox = box.length === 4 && box.every((part) => /^-?\d+(\.\d+)?$/.test(part));
  if (!isBox || width === undefined || width <= 0 || width !== height)
    return 'is not square, or does not say so; write a viewBox with the same width and height, such as viewBox="0 0 100 100"';
  if (attributes.get("width") !== attributes.get("height"))
    return "has another width than height in its first tag; take both out";
  const place = ["x", "y"].find((name) => attributes.has(name));
  return place === undefined ? undefined : `has ${place}= in its first tag; take it out`;
}

function titleMistake(tags: readonly Tag[]): string | undefined {
  const title = tags.find(({ name, inside }) => name === "title" && inside.length === 1);
  return title?.text.trim()
    ? undefined
    : "has no title; write one with the brand's name as the first element, such as <title>Example</title>";
}

/** What acts, and what leads outside. */
function attributeMistake({ name: tag, attributes }: Tag): readonly string[] {
  return [...attributes].flatMap(([name, value]) => {
    if (/^on/i.test(name) || name === "style")
      return [`has ${name}= in <${tag}>; take it out (a style's parts are attributes: fill="#123456")`];
    const leads = /(^|:)(href|base|src)$/i.test(name)
      ? [value]
      : [...value.matchAll(/url\(\s*['"]?([^'")]*)/gi)].map(([, where = ""]) => where);
    // A backslash is an escape of CSS: \75rl( is url(, too.
    return leads.every((where) => where.startsWith("#")) && !value.includes("\\")
      ? []
      : [`leads outside itself by ${name}= in <${tag}>; take it out, and let it have all that it shows`];
  });
}

/** What a value of XML says: any of its characters may stand there by its number, or by a name. */
function decoded(value: string): string {
  return value.replaceAll(
    /&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi,
    (whole: string, hex?: string, decimal?: string, name?: string) =>
      name === undefined
        ? character(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))
        : (named[name] ?? whole),
  );
}

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function character(code: number): string {
  return isCharacter(code) ? String.fromCodePoint(code) : "";
}

/** Whether XML may have it (https://www.w3.org/TR/xml/#charsets). */
function isCharacter(code: number): boolean {
  return (
    [0x9, 0xa, 0xd].includes(code) ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff)
  );
}

/** Whether a text has characters that XML may not have, as they are or by their number. */
function hasForeignCharacter(text: string): boolean {
  const numbers = [...text.matchAll(/&#(?:x([\da-f]+)|(\d+));/gi)].map(([, hex, decimal]) =>
    hex === undefined ? Number(decimal) : Number.parseInt(hex, 16),
  );
  return !numbers.every(isCharacter) || ![...text].every((one) => isCharacter(one.codePointAt(0) ?? 0));
}

/** The prefix of a name that nothing around it declares; undefined where there is none. */
function undeclared(names: readonly string[], declared: ReadonlySet<string>): string | undefined {
  const prefixes = names.filter((name) => name.includes(":")).map((name) => name.slice(0, name.indexOf(":")));
  return prefixes.find((prefix) => prefix !== "xml" && prefix !== "xmlns" && !declared.has(prefix));
}

/** Every start tag, in order; or what keeps it from being XML (without a document type, and with XML's own entities alone). */
function tagsOf(svg: string): readonly Tag[] | string {
  const token =
    /<!--(?:(?!--)[\s\S])*-->|<\?xml\s+version="1\.0"(?:\s+encoding="[Uu][Tt][Ff]-8")?(?:\s+standalone="(?:yes|no)")?\s*\?>|<(?<end>\/)?(?<name>[A-Za-z_][\w:.-]*)(?<attributes>(?:\s+[A-Za-z_][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(?<empty>\/)?>|(?<text>[^<]+)/y;
  const text = svg.trim();
  if (hasForeignCharacter(text)) return "has a character that XML may not have";
  const tags: (Tag & { text: string })[] = [];
  const open: string[] = [];
  /** The prefixes of namespaces that each of these has. */
  const scopes: ReadonlySet<string>[] = [];
  for (let last = 0; last < text.length; last = token.lastIndex) {
    token.lastIndex = last;
    const { 0: whole, groups = {} } = token.exec(text) ?? {};
    if (whole === undefined) return `cannot be read from ${JSON.stringify(text.slice(last, last + 20))} on`;
    const { end, name, attributes = "", empty, text: words } = groups;
    if (/&(?!(amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);)/.test(whole) && !whole.startsWith("<!--"))
      return "has an & that begins nothing XML knows";
    if (whole.startsWith("<?xml") && last > 0) return "says in its middle that it begins (<?xml)";
    const [inside] = open.slice(-1);
    if (words !== undefined) {
      if (inside === undefined && words.trim() !== "") return "has text outside its tags";
      const tag = tags.at(-1);
      if (tag !== undefined && tag.name === inside) tag.text += words;
    } else if (name === undefined) continue;
    else if (end !== undefined) {
      if (open.pop() !== name || attributes !== "" || empty !== undefined)
        return `ends <${name}> where something else is open`;
      scopes.pop();
    } else {
      if (inside === undefined && tags.length > 0) return "has more than one outermost tag";
      const pairs = [...attributes.matchAll(/([A-Za-z_][\w:.-]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(
        ([, key = "", double, single]) => [key, decoded(double ?? single ?? "")] as const,
      );
      const own = new Map(pairs);
      if (own.size < pairs.length) return `has an attribute twice in <${name}>`;
      const declares = [...own.keys()].filter((key) => key.startsWith("xmlns:")).map((key) => key.slice(6));
      const scope = new Set([...(scopes.at(-1) ?? []), ...declares]);
      const prefix = undeclared([name, ...own.keys()], scope);
      if (prefix !== undefined)
        return `has ${prefix}: in <${name}>, and no xmlns:${prefix}= in its first tag`;
      tags.push({ name, attributes: own, inside: [...open], text: "" });
      if (empty === undefined) {
        open.push(name);
        scopes.push(scope);
      }
    }
  }
  const [unended] = open;
  return unended === undefined ? tags : `does not end <${unended}>`;
}
