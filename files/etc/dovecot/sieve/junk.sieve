# As spam.sieve, but that a sender whose mail the user has taken out of Junk is not filed there again.
require ["fileinto", "imap4flags", "vnd.dovecot.execute"];

if allof (header :is "X-Spam" "Yes", not execute :pipe "wanted" ["knows"]) {
  fileinto :flags "\\Seen" "Junk";
  stop;
}
