import type { FirstAnswers } from "../../cli/stackFile/first.ts";

/** What somebody answers to `mailhost init`. */
export const answers: FirstAnswers = {
  region: "eu-central-1",
  hostname: "mail.example.org",
  owner: "ann@example.org",
  sshFrom: ["203.0.113.7/32"],
  domain: "example.org",
  since: "2026-11-21",
  mailboxes: ["ann", "bob"],
};
