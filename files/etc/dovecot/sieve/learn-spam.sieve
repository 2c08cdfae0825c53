# Moved or put into Junk.
require ["copy", "imapsieve", "vnd.dovecot.execute", "vnd.dovecot.pipe"];

pipe :copy "learn" ["spam"];
execute :pipe "wanted" ["forget"];
