/** Webmail in a real browser, as somebody with a mailbox uses it; and who comes to it with other things in mind. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { type Browser, openBrowser } from "../browser.ts";
import { count, imap, mailHost, otherSide } from "../mail.ts";
import { cloudFolder, cloudInfo, eventually, onHost } from "../mailhost.ts";
import { asNeighbour, talks, withNeighbours } from "../neighbour.ts";
import { web } from "../web.ts";

const host = await mailHost();
const home = `https://${host.hostname}/`;
const carol = "carol@example.com";
const first = host.credentials[carol] ?? "";
const pictures = process.env.MAILHOST_PICTURES ?? join(cloudFolder, "pictures");
const unique = (what: string) => `${what} ${process.pid}-${Date.now()}`;

describe("the door", () => {
  test("port 80 leads to 443, which tells browsers to stay there and what a page may do", async () => {
    const way = await web(`http://${host.hostname}/?_task=mail`);
    assert.deepEqual([way.status, way.headers.location], [301, `${home}?_task=mail`]);
    const { status, headers } = await web(home);
    assert.equal(status, 200);
    assert.equal(headers.server, "nginx");
    assert.equal(headers["x-powered-by"], undefined);
    assert.match(String(headers["strict-transport-security"]), /^max-age=31536000$/);
    assert.match(String(headers["content-security-policy"]), /^default-src 'none'; .*frame-ancestors 'self'/);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.match(String(headers["set-cookie"]), /secure; HttpOnly; SameSite=Lax/);
  });

  test("nothing but webmail is there: no installer, no file of the packages, no other name", async () => {
    for (const path of [
      "installer/",
      "installer/index.php",
      "plugins/password/password.php",
      "plugins/managesieve/config.inc.php.dist",
      "config/config.inc.php",
      "program/lib/Roundcube/rcube.php",
      "SQL/sqlite.initial.sql",
      "logs/errors.log",
      ".htaccess",
      "composer.json",
      "phpinfo.php",
      "%2e%2e/config/config.inc.php",
    ])
      assert.match(String((await web(home + path)).status), /^40[04]$/, path);
    await assert.rejects(handshake(host.publicIp), /unrecognized name|alert/i);
  });
});

/** The certificate that is shown for a name, verified. */
function handshake(servername: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: host.publicIp, port: 443, servername, ca: [...host.roots] }, () => {
      resolve(socket.getPeerCertificate().raw);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

describe("carol's mail in the browser", () => {
  let browser: Browser;
  before(async () => {
    mkdirSync(pictures, { recursive: true });
    const certificate = await handshake(host.hostname);
    browser = await openBrowser({ name: host.hostname, address: host.publicIp, certificate });
    await browser.size(1280, 800, false);
  });
  after(() => browser?.close());

  const picture = (name: string) => browser.picture(join(pictures, `${name}.png`));
  const settled = () =>
    browser.until("document.readyState === 'complete' && !!window.rcmail && !window.rcmail.busy");

  async function logIn(password: string): Promise<void> {
    await browser.goTo(home);
    await browser.fill("#rcmloginuser", carol);
    await browser.fill("#rcmloginpwd", password);
    await browser.click("#rcmloginsubmit");
    await settled();
  }

  test("she is let in with her address and her password, and with no other", async () => {
    await logIn("not her password");
    await browser.until("document.body.innerText.includes('Login failed')");
    await picture("refused");
    browser.complaints();
    await logIn(first);
    await browser.until("document.querySelectorAll('#mailboxlist > li').length >= 6");
    await picture("inbox");
    assert.deepEqual(browser.complaints(), []);
  });
});
