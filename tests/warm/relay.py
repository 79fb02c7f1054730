"""A program for scripts: has the process of a command forked where everything is imported, and ends as that process ends.

In: its own words, folder, environment, limits and streams, all of which it hands on. Out: the exit code, or the signal. Its first
lines, which `tests.warm.programs` writes, name the socket of the origin, the entry, and the program that it takes the place of:
that one is run where the origin would not do the same.
"""

import json
import os
import resource
import signal
import socket
import sys

HERE = SOCKET = ENTRY = PROGRAM = STARTED_WITH = ""
LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]


def relay() -> None:
    """Order the process, and end as it ends."""
    os.environ["PATH"] = os.pathsep.join(folder for folder in os.environ["PATH"].split(os.pathsep) if folder != HERE)
    if not (_all_open() and _as_the_origin()):
        os.execv(PROGRAM, [PROGRAM, *sys.argv[1:]])  # noqa: S606 - a program of ours, found by its path
    order = {
        "entry": ENTRY, "argument": json.dumps({"program": PROGRAM, "words": sys.argv[1:], "speed": 1.0}),
        "cwd": os.getcwd(), "environment": dict(os.environ), "umask": os.umask(0),  # noqa: PTH109 - pathlib is slow to import
        "limits": [[each, resource.getrlimit(each)] for each in LIMITS],
    }  # fmt: skip
    ended, end = os.pipe()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as orders:
        orders.connect(SOCKET)
        socket.send_fds(orders, [json.dumps(order).encode()], [0, 1, 2, end])
        os.close(end)
        process = int.from_bytes(orders.recv(8), "big")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda given, _: os.kill(process, given))
    code = int(os.read(ended, 16))
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _all_open() -> bool:
    """Whether every standard stream is open; an interpreter takes note of one that is not."""
    try:
        return all(os.fstat(number) for number in range(3))
    except OSError:
        return False


def _as_the_origin() -> bool:
    """Whether every variable is as for the origin that an interpreter reads when it starts, and never again."""
    prefixes, wanted = json.loads(STARTED_WITH)
    return {name: value for name, value in os.environ.items() if name.startswith(tuple(prefixes))} == wanted
