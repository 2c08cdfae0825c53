# Moved out of Junk. To throw away says nothing of what it is.
require ["copy", "environment", "imapsieve", "vnd.dovecot.execute", "vnd.dovecot.pipe"];

if environment :matches "imap.mailbox" ["Trash", "Trash/*"] {
  stop;
}
pipe :copy "learn" ["ham"];
execute :pipe "wanted" ["remember"];
