# Runs a command at a pseudo-terminal and answers what it asks: a JSON object on standard input says which, and how.
import json
import os
import pty
import select
import signal
import sys
import time

order = json.load(sys.stdin)
command, answers = order["command"], order["answers"]
child, terminal = pty.fork()
if child == 0:
    os.chdir(order["folder"])
    os.execvpe(command[0], command, order["environment"])
end = time.monotonic() + order["seconds"]
said, seen, late = b"", 0, False
while True:
    if answers and (at := said.find(answers[0][0].encode(), seen)) >= 0:
        asked, answer = answers.pop(0)
        seen = at + len(asked.encode())
        os.write(terminal, answer.encode())
        continue
    ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
    if not ready:
        late = True
        os.kill(child, signal.SIGKILL)
        break
    try:
        some = os.read(terminal, 65536)
    except OSError:
        # So Linux says that nobody is at the other side any more.
        break
    if not some:
        break
    said += some
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(said)
if late:
    sys.exit(f"after {order['seconds']} seconds it waits yet: {answers[0][0] if answers else 'for its end'}")
if answers:
    sys.exit(f"never asked: {answers[0][0]}")
print(f"\n{os.waitstatus_to_exitcode(status)}", end="")
