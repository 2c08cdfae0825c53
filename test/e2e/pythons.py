"""A mail program written with Python's own libraries, and many of them at one mailbox.

    python3 pythons.py session|load      with what it has to know as JSON on standard input

`session` sends over 465 and 587 and works with the mailbox over IMAP; `load` has several sessions do everything at
random to one folder, as imaptest does, and then compares what two of them see. Whatever is not as it should be is an
exception.
"""

import imaplib
import json
import random
import smtplib
import socket
import ssl
import sys
import threading
import time
from email.message import EmailMessage

told = json.load(sys.stdin)
HOST, USER, PASSWORD = told["hostname"], told["user"], told["password"]

# The host's name leads to its address as it would in the world's DNS; the certificate is judged by the name.
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda name, *rest, **more: resolve(told["address"] if name == HOST else name, *rest, **more)
context = ssl.create_default_context(cadata="\n".join(told["roots"]))


def imap() -> imaplib.IMAP4_SSL:
    session = imaplib.IMAP4_SSL(HOST, 993, ssl_context=context, timeout=60)
    ok(session.login(USER, PASSWORD))
    return session


def ok(answer):
    status, data = answer
    if status != "OK":
        raise RuntimeError(f"{status} {data}")
    return data


def letter(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = USER
    message["To"] = USER
    message["Subject"] = subject
    message.set_content("Grüße, and words.\n")
    message.add_attachment(b"\x00\x01" * 5000, maintype="application", subtype="octet-stream", filename="däta.bin")
    return message


def session() -> None:
    subjects = [f"python {time.time_ns()} {port}" for port in (465, 587)]
    with smtplib.SMTP_SSL(HOST, 465, context=context, timeout=60) as smtp:
        smtp.login(USER, PASSWORD)
        smtp.send_message(letter(subjects[0]))
    with smtplib.SMTP(HOST, 587, timeout=60) as smtp:
        smtp.starttls(context=context)
        smtp.login(USER, PASSWORD)
        smtp.send_message(letter(subjects[1]))
    reader = imap()
    ok(reader.select("INBOX"))
    for subject in subjects:
        for _ in range(100):
            ok(reader.noop())
            found = ok(reader.uid("SEARCH", "SUBJECT", f'"{subject}"'))[0].split()
            if found:
                break
            time.sleep(0.2)
        (uid,) = found
        whole = ok(reader.uid("FETCH", uid, "(FLAGS BODY.PEEK[])"))[0][1]
        if b"=?utf-8?" not in whole and b"d=C3=A4ta" not in whole and b"d%C3%A4ta" not in whole:
            raise RuntimeError("the attachment's name is gone")
        ok(reader.uid("STORE", uid, "+FLAGS", r"(\Flagged)"))
        ok(reader.uid("MOVE", uid, "Archive"))
    ok(reader.select("Archive"))
    if len(ok(reader.uid("SEARCH", "FLAGGED", "SUBJECT", '"python"'))[0].split()) < 2:
        raise RuntimeError("what was moved is not in Archive, flagged")
    reader.logout()


def load() -> None:
    folder = f"Load-{time.time_ns()}"
    first = imap()
    ok(first.create(folder))
    failures: list[BaseException] = []

    def work(number: int) -> None:
        dice = random.Random(number)
        try:
            own = imap()
            ok(own.select(folder))
            for step in range(told["steps"]):
                uids = ok(own.uid("SEARCH", "ALL"))[0].split()
                uid = dice.choice(uids).decode() if uids else None
                action = dice.choice("append append fetch store copy expunge search noop".split())
                if action == "append" or uid is None:
                    ok(own.append(folder, r"(\Seen)", None, letter(f"{number}-{step}").as_bytes()))
                elif action == "fetch":
                    ok(own.uid("FETCH", uid, "(FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[])"))
                elif action == "store":
                    ok(own.uid("STORE", uid, dice.choice(["+FLAGS", "-FLAGS"]), r"(\Flagged \Answered)"))
                elif action == "copy":
                    # Another session may have expunged it meanwhile.
                    own.uid("COPY", uid, folder)
                elif action == "expunge":
                    ok(own.uid("STORE", uid, "+FLAGS", r"(\Deleted)"))
                    ok(own.uid("EXPUNGE", uid))
                elif action == "search":
                    ok(own.uid("SEARCH", "SUBJECT", f'"{dice.randrange(told["sessions"])}-"', "FLAGGED"))
                else:
                    ok(own.noop())
            own.logout()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(told["sessions"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]

    def seen(own: imaplib.IMAP4_SSL) -> list[bytes]:
        ok(own.select(folder))
        return sorted(entry for entry in ok(own.uid("FETCH", "1:*", "(FLAGS RFC822.SIZE)")) if entry)

    (one, other) = (seen(first), seen(imap()))
    strip = [entry.split(b"UID ")[1].replace(rb"\Recent ", b"").replace(rb" \Recent", b"") for entry in one]
    again = [entry.split(b"UID ")[1].replace(rb"\Recent ", b"").replace(rb" \Recent", b"") for entry in other]
    if strip != again or not strip:
        raise RuntimeError(f"two sessions see two folders: {len(one)} and {len(other)} messages")
    ok(first.select("INBOX"))
    ok(first.delete(folder))
    print(len(strip))


{"session": session, "load": load}[sys.argv[1]]()
