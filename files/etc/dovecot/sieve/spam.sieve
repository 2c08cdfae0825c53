# Before anything of the mailbox's owner: what rspamd marked is filed to Junk, as read (RFC 5228, RFC 5232).
require ["fileinto", "imap4flags"];

if header :is "X-Spam" "Yes" {
  fileinto :flags "\\Seen" "Junk";
  stop;
}
