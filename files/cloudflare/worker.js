/* global pages */
// Each page is one address of the web, as listed above. Nothing is stored, and no other server is asked.

// Each asked for by HTTPS alone (RFC 6797), never as something else than it is, and never from within another page.
const always = {
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
};

// Bytes of a request's body; a mail program sends a few hundred.
const bodyLimit = 16384;

export default {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.protocol === "http:") {
      url.protocol = "https:";
      // Outlook follows a 302 and no other (MS-OXDISCO section 3.1.5.4).
      return new Response(null, { status: 302, headers: { location: url.href } });
    }
    const here = pages.filter(
      ({ host, path }) => host === url.hostname && path === url.pathname.toLowerCase(),
    );
    if (here.length === 0) return refuse(404, "There is nothing here.");
    const page = here.find(({ method }) => method === (request.method === "HEAD" ? "GET" : request.method));
    if (page === undefined)
      return refuse(405, "Not by this method.", { allow: here.map(({ method }) => method).join(", ") });
    const headers = { ...always, ...page.headers };
    if (page.base64 !== undefined) return answer(bytesOf(page.base64), headers);
    const text = page.lines.join("\n").replaceAll("%UUID%", () => crypto.randomUUID());
    if (page.address === undefined) return answer(text, headers);
    const address = await addressIn(request, url, page.address);
    if (address === undefined) return refuse(400, `Which address of ${page.address.domain} is it for?`);
    // Each person's own.
    const own = { ...headers, "cache-control": "no-store" };
    return answer(
      text.replaceAll("%ADDRESS%", () => address.replaceAll("&", "&amp;")),
      own,
    );
  },
};

// Not every runtime has Uint8Array.fromBase64 yet.
function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function answer(content, headers) {
  return new Response(content, { headers });
}

function refuse(status, words, headers = {}) {
  return new Response(`${words}\n`, {
    status,
    headers: { ...always, "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

// The mail address that a request names: one of the domain, of characters that mean nothing in XML but for `&`.
async function addressIn(request, url, wanted) {
  const given =
    wanted.in === "query"
      ? url.searchParams.get("address")
      : /<EMailAddress>([^<]*)<\/EMailAddress>/i.exec(await bodyOf(request))?.[1].replaceAll("&amp;", "&");
  const [, local, domain] =
    /^([\w.!#$%&'*+/=?^`{|}~-]{1,64})@([\w.-]{1,253})$/.exec(given?.trim() ?? "") ?? [];
  return domain?.toLowerCase() === wanted.domain ? `${local}@${wanted.domain}` : undefined;
}

async function bodyOf(request) {
  if (Number(request.headers.get("content-length") ?? 0) > bodyLimit) return "";
  return (await request.text()).slice(0, bodyLimit);
}
