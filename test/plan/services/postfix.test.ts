import assert from "node:assert/strict";
import { it } from "node:test";
import { postfix } from "../../../plan/services/postfix.ts";
import { sampleSettings } from "./sample.ts";

const bundle = postfix(sampleSettings());
const file = (path: string) => bundle.files.find((candidate) => candidate.path === path)?.content ?? "";

/** Services of master.cf by name and type, with their `-o` options. */
function services(): Map<string, { fields: string[]; options: Map<string, string> }> {
  const found = new Map<string, { fields: string[]; options: Map<string, string> }>();
  let options = new Map<string, string>();
  for (const line of file("/etc/postfix/master.cf").split("\n")) {
    const option = /^\s+-o (\S+?)=(\S*)$/.exec(line);
    if (option) options.set(option[1] ?? "", option[2] ?? "");
    else if (/^[a-z]/.test(line)) {
      options = new Map();
      const fields = line.split(/\s+/);
      found.set(`${fields[0]}/${fields[1]}`, { fields, options });
    }
  }
  return found;
}

it("main.cf has the host's name, and relays nothing of itself", () => {
  assert.match(file("/etc/postfix/main.cf"), /^myhostname = mail\.example\.org$/m);
  assert.match(file("/etc/postfix/main.cf"), /^smtpd_relay_restrictions = reject$/m);
});

it("port 25 has no AUTH and takes mail for our own domains only", () => {
  const { options } = services().get("smtp/inet") ?? assert.fail();
  assert.equal(options.get("smtpd_sasl_auth_enable"), "no");
  assert.equal(options.get("smtpd_relay_restrictions"), "reject_unauth_destination");
});

it("both submission services are the same but for how TLS begins", () => {
  const [implicit, starttls] = ["submissions/inet", "submission/inet"].map(
    (name) => services().get(name)?.options ?? assert.fail(),
  ) as [Map<string, string>, Map<string, string>];
  for (const options of [implicit, starttls]) {
    assert.equal(options.get("smtpd_tls_security_level"), "encrypt");
    assert.equal(options.get("smtpd_relay_restrictions"), "permit_sasl_authenticated,reject");
    assert.match(
      options.get("smtpd_sender_restrictions") ?? "",
      /reject_authenticated_sender_login_mismatch/,
    );
    assert.equal(options.get("cleanup_service_name"), "submission-cleanup");
    assert.deepEqual(
      ["auth", "message", "recipient"].map((event) => options.get(`smtpd_client_${event}_rate_limit`)),
      ["100", "200", "500"],
    );
  }
  assert.equal(implicit.get("smtpd_tls_wrappermode"), "yes");
  implicit.delete("smtpd_tls_wrappermode");
  implicit.delete("syslog_name");
  starttls.delete("syslog_name");
  assert.deepEqual(implicit, starttls);
});

it("other servers' messages are counted by nobody unless asked for: a large one sends for thousands", () => {
  const names = [...(services().get("smtp/inet")?.options ?? assert.fail()).keys()];
  assert.deepEqual(
    names.filter((name) => name.endsWith("_rate_limit")),
    [],
  );
  assert.doesNotMatch(file("/etc/postfix/main.cf"), /_rate_limit/);
});

it("no service lives in a chroot jail", () => {
  for (const { fields } of services().values()) assert.equal(fields[4], "n", fields.join(" "));
});

it("a message written on a laptop leaves without the laptop's address, but with how it was encrypted", () => {
  // header_checks(5): the first pattern that matches decides; `.` matches a newline and case does not matter.
  const rules = file("/etc/postfix/submission-headers")
    .split("\n")
    .flatMap((line) => {
      const [, pattern, action = "", text = ""] = /^\/(.*)\/ +(REPLACE|IGNORE) ?(.*)$/.exec(line) ?? [];
      return pattern === undefined ? [] : [{ pattern: new RegExp(pattern, "is"), action, text }];
    });
  const after = (header: string) => {
    for (const { pattern, action, text } of rules) {
      const match = pattern.exec(header);
      if (match) return action === "IGNORE" ? undefined : text.replace(/\$(\d)/g, (_, n) => match[n] ?? "");
    }
    return header;
  };
  const received = (by: string) =>
    [
      "Received: from laptop.local (dsl-7.isp.example [203.0.113.9])",
      "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))",
      "\t(No client certificate requested)",
      `\tby ${by} (Postfix) with ESMTPSA id 4jWZCy28pKz1WTff`,
      "\tfor <friend@elsewhere.example>; Sat, 21 Nov 2026 01:21:18 +0000 (UTC)",
    ].join("\n");
  const ours = after(received("mail.example.org")) ?? assert.fail();
  assert.doesNotMatch(ours, /laptop|isp\.example|203\.0\.113/);
  assert.match(ours, /^Received: from submission\n\t\(using TLSv1\.3 .*\n.*\n\tby mail\.example\.org/);
  for (const gone of [received("mailXexample.org"), "X-Originating-IP: [203.0.113.9]", "User-Agent: X 1.0"])
    assert.equal(after(gone), undefined);
  assert.equal(after("Subject: Received: from you"), "Subject: Received: from you");
});
