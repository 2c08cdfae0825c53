/** Webmail in a real browser, as somebody with a mailbox uses it; and who comes to it with other things in mind. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import type { ReceivedMessage } from "../../../check/otherside.ts";
import { networkOf } from "../../../local/world/network.ts";
import { eventually } from "../../eventually.ts";
import { type Browser, openBrowser } from "../browser.ts";
import { asItCame, count, imap, mailHost, otherSide, unique } from "../mail.ts";
import { cloudFolder, cloudInfo, onHost } from "../mailhost.ts";
import { asNeighbour, talks, withNeighbours } from "../neighbour.ts";
import { judged } from "../sending.ts";
import { web } from "../web.ts";

const host = await mailHost();
const home = `https://${host.hostname}/`;
const carol = "carol@example.com";
const first = host.credentials[carol] ?? "";
const pictures = process.env.MAILHOST_PICTURES ?? join(cloudFolder, "pictures");
const bans = "/usr/local/lib/mailhost/bans";
const { slot } = cloudInfo();
const inside = (await onHost("hostname -I")).trim().split(" ")[0] ?? "";

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

  test("a domain's own name leads there as well", async () => {
    const { status, body } = await web("https://webmail.example.com/");
    assert.equal(status, 200);
    assert.match(body.toString(), /id="login-form"/);
    assert.equal((await web("http://webmail.example.com/")).headers.location, "https://webmail.example.com/");
  });

  test("the certificate is renewed while nginx has port 80, and then shown on every port", async () => {
    const before = await handshake(host.hostname);
    await onHost("/usr/local/lib/mailhost/certificate now");
    await eventually("the new one is shown everywhere", 10, async () => {
      const [imaps, https] = [await handshake(host.hostname, 993), await handshake("webmail.example.com")];
      return !imaps.equals(before) && imaps.equals(https);
    });
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
    await assert.rejects(handshake("other.example.org"), /unrecognized name|alert/i);
  });
});

/** The certificate that is shown for a name, verified. */
function handshake(servername: string, port = 443): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: host.publicIp, port, servername, ca: [...host.roots] }, () => {
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
    const namespace = networkOf(slot).internet;
    browser = await openBrowser({ namespace, name: host.hostname, address: host.publicIp, certificate });
    await browser.size(1280, 800, false);
  });
  after(() => browser?.close());

  const picture = (name: string) => browser.picture(join(pictures, `${name}.png`));
  const settled = () =>
    browser.until("document.readyState === 'complete' && !!window.rcmail && !window.rcmail.busy");

  async function logIn(password: string, address = carol): Promise<void> {
    await browser.forget();
    await browser.goTo(home);
    // Its script puts the cursor there when it is ready; before that it would take it away from the password.
    await browser.until("document.activeElement?.id === 'rcmloginuser'");
    await browser.fill("#rcmloginuser", address);
    await browser.fill("#rcmloginpwd", password);
    await browser.click("#rcmloginsubmit");
    await settled();
  }

  test("a suspended mailbox is not let in here either", async () => {
    const erin = "erin@example.org";
    await logIn(host.credentials[erin] ?? "", erin);
    await browser.until("document.body?.innerText.includes('Login failed')");
    assert.ok(browser.complaints().every((complaint) => complaint.includes("401")));
  });

  test("she is let in with her address and her password", async () => {
    await logIn(first);
    await browser.until("document.querySelectorAll('#mailboxlist > li').length >= 6");
    assert.deepEqual(browser.complaints(), []);
  });

  test("a letter with pictures from elsewhere and a script shows its text; neither is fetched or run", async () => {
    const subject = unique("Offer");
    const sent = await (await otherSide()).send({
      from: "zoe@example.net",
      to: carol,
      raw: [
        "From: Zoe <zoe@example.net>",
        `To: ${carol}`,
        `Subject: ${subject}`,
        `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
        `Message-ID: <${unique("offer").replaceAll(" ", "-")}@example.net>`,
        "MIME-Version: 1.0",
        "Content-Type: text/html; charset=utf-8",
        "",
        "<h1>Best wishes from the seaside</h1><p>Words of Zoe, over some lines of a letter as people write them.</p>",
        '<script>top.document.title = "taken over"</script><p onclick="alert(1)">a line</p>',
        '<img src="https://pictures.example.net/track.png" onerror="top.document.title = 1">',
      ].join("\r\n"),
    });
    assert.ok(sent.accepted, sent.response);
    assert.equal(await count(host, carol, subject), 1);
    await browser.goTo(`${home}?_task=mail`);
    await browser.until(
      `document.querySelector("#messagelist tbody tr")?.innerText.includes(${JSON.stringify(subject)})`,
    );
    await browser.click("#messagelist tbody tr:first-child td.subject");
    const frame = { frame: "messagecontframe" };
    await browser.until("document.body?.innerText.includes('Best wishes from the seaside')", frame);
    await browser.until("document.body.innerText.includes('remote resources have been blocked')", frame);
    await picture("letter");
    assert.doesNotMatch(await browser.value<string>("document.title"), /taken over/);
    assert.deepEqual(browser.complaints(), []);
  });

  test("she writes one: its spelling is looked at here, and it leaves as from any mail program", async () => {
    const subject = unique("Answer");
    await browser.goTo(`${home}?_task=mail&_action=compose`);
    await settled();
    await browser.fill("#compose_to input", "yves@example.net,");
    await browser.fill("#compose-subject", subject);
    await browser.fill("#composebody", "The waether is fine.");
    await picture("compose");
    await browser.click("a.spellcheck");
    await browser.until(
      "[...document.querySelectorAll('.googie_link')].some((word) => word.textContent === 'waether')",
    );
    await picture("spelling");
    // As if dropped there; a real choice of files opens a window of the system's.
    await browser.value(`((window) => {
      const files = new window.DataTransfer();
      files.items.add(new window.File(["Tides of the week"], "tides.txt", { type: "text/plain" }));
      window.rcmail.file_upload(files.files, { _id: window.rcmail.env.compose_id }, { name: "_attachments[]" });
      return null;
    })(window)`);
    await browser.until(
      "[...document.querySelectorAll('#attachment-list li')].some((item) => item.innerText.includes('tides.txt') && !item.matches('.uploading'))",
    );
    await browser.click("button.send");
    const got = await arrived("yves@example.net", subject);
    assert.equal(judged(got), "pass pass+pass pass");
    assert.equal(got.text.trim(), "The waether is fine.");
    const raw = await asItCame(got);
    assert.match(raw, /filename=tides\.txt/);
    assert.match(raw, /^Feedback-ID: carol:example\.com:mailbox:examplemail\r?$/m);
    // Neither the program, nor where it runs, nor where she sits.
    assert.doesNotMatch(raw, /roundcube|127\.0\.0\.1|203\.0\.113\.|localhost/i);
    await browser.until("location.search.includes('_task=mail') && !location.search.includes('compose')");
    assert.equal(await count(host, carol, subject, { folder: "Sent" }), 1);
    assert.deepEqual(browser.complaints(), []);
  });

  /** What has come to somebody at the other side under a subject. */
  async function arrived(to: string, subject: string): Promise<ReceivedMessage> {
    let found: ReceivedMessage | undefined;
    await eventually("it is at the other side", 20, async () => {
      found = (await (await otherSide()).messages({ to })).find((each) => each.subject === subject);
      return found !== undefined;
    });
    return found ?? assert.fail();
  }

  test("what she looks for is found", async () => {
    await browser.goTo(`${home}?_task=mail`);
    await settled();
    await browser.fill("#mailsearchform", "Offer");
    await browser.value("(window.rcmail.command('search'), null)");
    await browser.until("!!window.rcmail.env.search_request && !window.rcmail.busy");
    const found = "[...document.querySelectorAll('#messagelist tbody tr')].map((row) => row.innerText)";
    const rows = await browser.value<string[]>(found);
    assert.ok(rows.length > 0);
    for (const row of rows) assert.match(row, /Offer/);
    assert.deepEqual(browser.complaints(), []);
  });

  test("a folder, and a rule that files mail in it", async () => {
    await browser.goTo(`${home}?_task=settings&_action=folders`);
    await settled();
    await browser.click("a.create");
    const folder = { frame: "preferences-frame" };
    await browser.fill("[name=_name]", "Harbour", folder);
    await browser.click("button.submit", folder);
    await browser.until(
      "[...document.querySelectorAll('#subscription-table li')].some((row) => row.innerText.includes('Harbour'))",
    );

    await browser.goTo(`${home}?_task=settings&_action=plugin.managesieve`);
    await settled();
    await browser.click("a.create");
    const rule = { frame: "filter-box" };
    await browser.fill("#_name", "Boats", rule);
    await browser.fill("[name='_rule_target[0][]']", "boat", rule);
    await browser.choose("#action_mailbox0", "Harbour", rule);
    await picture("rule");
    await browser.click("button.submit", rule);
    await browser.until("document.querySelector('#filterslist')?.innerText.includes('Boats')");
    await picture("rules");
    const subject = unique("A boat for sale");
    const sent = await (await otherSide()).send({ from: "zoe@example.net", to: carol, subject });
    assert.ok(sent.accepted, sent.response);
    assert.equal(await count(host, carol, subject, { folder: "Harbour" }), 1);
    assert.deepEqual(browser.complaints(), []);
  });

  test("an absence note, which answers once", async () => {
    await browser.goTo(`${home}?_task=settings&_action=plugin.managesieve-vacation`);
    await settled();
    await browser.fill("#vacation_reason", "I am at sea until Monday.");
    await browser.choose("#vacation_status", "on");
    await picture("absence");
    await browser.click("button.submit");
    await browser.until("document.querySelector('#messagestack')?.innerText.includes('saved successfully')");
    const subject = unique("Are you there");
    const friend = `friend${process.pid}@example.net`;
    const sent = await (await otherSide()).send({ from: friend, to: carol, subject });
    assert.ok(sent.accepted, sent.response);
    const answer = await arrived(friend, `Auto: ${subject}`);
    assert.match(answer.text, /I am at sea until Monday\./);
    await browser.choose("#vacation_status", "off");
    await browser.click("button.submit");
    await settled();
    assert.deepEqual(browser.complaints(), []);
  });

  test("she changes her password: the old one is worth nothing then", async () => {
    const second = `Harbour-${process.pid}-lights`;
    const ask = async (current: string, wanted: string) => {
      await browser.goTo(`${home}?_task=settings&_action=plugin.password`);
      await settled();
      await browser.fill("#curpasswd", current);
      await browser.fill("#newpasswd", wanted);
      await browser.fill("#confpasswd", wanted);
      await browser.click("button.submit");
      await browser.until("(document.querySelector('#messagestack')?.innerText ?? '') !== ''");
      // Roundcube remembers the new one when its answer has ended.
      await settled();
      return await browser.value<string>("document.querySelector('#messagestack').innerText");
    };
    assert.match(await ask("not her password", second), /Current password incorrect/);
    assert.match(await ask(first, "short"), /at least 10 characters/);
    assert.match(await ask(first, "carolcarol12"), /too easy to guess/);
    await picture("password-refused");
    assert.match(await ask(first, second), /Successfully saved/);
    await picture("password-changed");
    // The window goes on with the new one, and so does a mail program.
    await browser.goTo(`${home}?_task=mail`);
    await browser.until("document.querySelectorAll('#messagelist tbody tr').length > 0");
    await (await imap(host, carol, second)).logout();
    // Asked inside: Dovecot would hold it against our address, and make everybody here wait (auth penalty).
    assert.equal(
      await onHost(`read -r old; doveadm auth test ${carol} "$old" >/dev/null 2>&1; echo $?`, `${first}\n`),
      "77\n",
    );
    assert.deepEqual(browser.complaints(), []);
    // A page left open asks each minute, and soon with a password that is void.
    await browser.goTo("about:blank");
  });

  test("the one of a device changes nothing, and nobody changes that of a suspended mailbox", async () => {
    const laptop = host.credentials["ann@example.org/laptop"] ?? assert.fail("no password for the laptop");
    const erin = host.credentials["erin@example.org"] ?? "";
    // As Roundcube asks; the socket is its own.
    const ask = async (user: string, old: string) => {
      const question = JSON.stringify({ user, old, new: "lights of the town", client: "192.0.2.1" });
      const script = [
        "import socket",
        "door = socket.socket(socket.AF_UNIX)",
        'door.connect("/run/mailhost-passwords")',
        `door.sendall(b"""${question}\\n""")`,
        "print(door.makefile().readline().strip())",
      ].join("\n");
      const said = await onHost("setpriv --reuid=webmail --regid=webmail --clear-groups python3 -", script);
      return JSON.parse(said) as { done: boolean; why?: string };
    };
    assert.deepEqual(await ask("ann@example.org", laptop), {
      done: false,
      why: "The password of a device is not the mailbox's own.",
    });
    assert.deepEqual(await ask("erin@example.org", erin), {
      done: false,
      why: "The current password is wrong.",
    });
    await (await imap(host, "ann@example.org", laptop)).logout();
  });

  test("another password in the stack file wins over hers", async () => {
    const users = "/etc/dovecot/users";
    // Within one second Dovecot looks at its list once.
    const merge =
      "setpriv --reuid=passwords --regid=passwords --init-groups /usr/local/lib/mailhost/passwords merge && sleep 1";
    const list = "/usr/local/lib/mailhost/passwords list";
    assert.equal(await onHost(list), `${carol}\n`);
    // As a deployment does it that brings a new list (bundle accounts).
    await onHost(
      `cp -a ${users} ${users}.kept && hash=$(doveadm pw -s BLF-CRYPT -p given-anew) && sed -i "s|^\\(${carol}:\\){[^:]*|\\1$hash|" ${users} && ${merge}`,
    );
    try {
      await (await imap(host, carol, "given-anew")).logout();
      assert.equal(await onHost(list), "\n");
    } finally {
      await onHost(`mv ${users}.kept ${users} && ${merge}`);
    }
    await (await imap(host, carol, first)).logout();
  });

  test("on a phone: the same, in its width; and after the way out nothing is left of it", async () => {
    await browser.size(390, 844, true);
    await logIn(first);
    await browser.until("document.querySelectorAll('#messagelist tbody tr').length > 0");
    await picture("phone-inbox");
    await browser.click("#messagelist tbody tr:first-child td.subject");
    await browser.until("document.body?.innerText.length > 50", { frame: "messagecontframe" });
    await picture("phone-letter");
    await browser.goTo(`${home}?_task=mail&_action=compose`);
    await settled();
    await picture("phone-compose");
    const wide = "document.documentElement.scrollWidth > window.innerWidth";
    assert.equal(await browser.value<boolean>(wide), false);
    await browser.goTo(`${home}?_task=mail`);
    await settled();
    await browser.value("(window.rcmail.command('logout'), null)");
    await browser.until("!!document.querySelector('#rcmloginuser')");
    await picture("phone-login");
    assert.deepEqual(browser.complaints(), []);
    await browser.goTo(`${home}?_task=mail`);
    await browser.until("!!document.querySelector('#rcmloginuser')");
  });
});

/** Logs in wrongly as often at once, each in a session of its own; runs as a neighbour. Whoever gets no answer in `patience` milliseconds has a 0. */
const guesses = `
  const [, from, to, name, times, patience] = process.argv;
  const { request } = require("node:https");
  const ask = (path, cookie, body) => new Promise((resolve) => {
    const call = request({ host: to, localAddress: from, servername: name, path, agent: false, rejectUnauthorized: false,
      timeout: Number(patience), method: body ? "POST" : "GET",
      headers: { host: name, cookie, ...(body && { "content-type": "application/x-www-form-urlencoded" }) } },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part) => { text += part; });
        answer.on("end", () => resolve({ status: answer.statusCode, cookie: String(answer.headers["set-cookie"]).split(";")[0], text }));
      });
    call.on("timeout", () => call.destroy(new Error()));
    call.on("error", () => resolve({ status: 0, cookie: "", text: "" })).end(body);
  });
  // All pages first: what is sent then arrives at once, however slow the machine is.
  const guess = async ({ cookie, text }, index) => {
    const [, token] = /name="_token" value="(\\w+)"/.exec(text) ?? [];
    if (!token) return 0;
    const form = new URLSearchParams({ _token: token, _task: "login", _action: "login", _user: "${carol}", _pass: "guess" + index });
    return (await ask("/?_task=login", cookie, form.toString())).status;
  };
  Promise.all(Array.from({ length: Number(times) }, () => ask("/", "")))
    .then((pages) => Promise.all(pages.map(guess)))
    .then((all) => console.log(JSON.stringify(all)));
`;

test("who guesses there is slowed down, seen with their own address, and banned with what they try elsewhere", () =>
  withNeighbours(slot, [249], async ([guesser = ""]) => {
    const guess = async (times: number, patience: number) =>
      JSON.parse(
        await asNeighbour(slot, [
          process.execPath,
          "-e",
          guesses,
          guesser,
          inside,
          host.hostname,
          String(times),
          String(patience),
        ]),
      ) as number[];
    const failures = `journalctl --sync; journalctl -t dovecot -o cat | grep -c "${carol},${guesser},.* Password mismatch" || true`;
    // Six are let through at once, then one each six seconds. Five of these are tried at a time.
    const answers = guess(9, 60_000);
    await eventually(
      "five failures with the browser's address",
      60,
      async () => Number(await onHost(failures)) >= 5,
    );
    assert.doesNotMatch(await onHost(bans), new RegExp(guesser), "six failures are not ten");
    const plain = Buffer.from(`\0${carol}\0guess`).toString("base64");
    const steps = [
      ["220 ", "EHLO guesser.example.net"],
      ["250 ", `AUTH PLAIN ${plain}`],
      ["503 ", `AUTH PLAIN ${plain}`],
      ["503 ", "QUIT"],
    ] as const;
    const onPort25 = { from: guesser, to: inside, port: 25, tls: false, steps, until: "221 " } as const;
    await talks(slot, [onPort25, onPort25, onPort25]);
    await eventually("the ban", 60, async () => (await onHost(bans)).includes(`${guesser} `));
    assert.deepEqual(await guess(1, 4000), [0]);
    assert.equal((await answers).filter((status) => status === 429).length, 3);
    await onHost(`${bans} lift ${guesser}`);
  }));

test("what people set there is in a database on the data volume", async () => {
  const people =
    'php -r \'$db = new PDO("sqlite:/srv/webmail/roundcube.db"); foreach ($db->query("select username from users") as $row) echo $row[0], "\\n";\'';
  assert.match(await onHost(`mountpoint -q /srv && ${people}`), /^carol@example\.com$/m);
});
