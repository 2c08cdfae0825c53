# A shell that waits half an hour for its person ends: whoever finds the open window would be root (bash(1), TMOUT).
readonly TMOUT=1800
export TMOUT
