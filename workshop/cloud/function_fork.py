"""The process that Python functions are forked from, started by `workshop.cloud.function_processes`.

In: orders on an inherited socket, each with four file descriptors. Out: the names of the modules that are loaded, then the id of
the process forked for each order. It ends with the socket. Only what functions of Lambda have is imported: boto3.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import time
import types
from pathlib import Path

__all__ = ["HEADER_BYTES", "STREAMS", "main"]

HEADER_BYTES = 8
"""The length of an order, before the order itself; the descriptors come with it."""
STREAMS = 3
"""stdin, stdout and stderr; the fourth descriptor is held open for as long as the process lives."""


def main(handle: int) -> None:
    """Load what functions use, then fork one process for each order."""
    import boto3  # noqa: F401 - loaded once, for all of them

    orders = socket.socket(fileno=handle)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel collects them; that they ended is seen by the fourth descriptor
    gc.freeze()
    loaded = json.dumps(sorted({name.partition(".")[0] for name in sys.modules})).encode()
    orders.sendall(len(loaded).to_bytes(HEADER_BYTES, "big") + loaded)
    while True:
        header, handles, _, _ = socket.recv_fds(orders, HEADER_BYTES, STREAMS + 1)
        if len(header) < HEADER_BYTES:
            return
        order = json.loads(_exactly(orders, int.from_bytes(header, "big")))
        process = os.fork()
        if process == 0:
            orders.close()
            _become(order["script"], order["folder"], order["environment"], handles)
        for each in handles:
            os.close(each)
        orders.sendall(process.to_bytes(HEADER_BYTES, "big"))


def _exactly(orders: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = orders.recv(size - len(received))
        if not part:
            os._exit(0)  # the cloud has ended
        received += part
    return received


def _become(script: str, folder: str, environment: dict[str, str], handles: list[int]) -> None:
    """Run the script as `python SCRIPT` in that folder and environment would, and end the process."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, handle in enumerate(handles[:STREAMS]):
            os.dup2(handle, number)
            os.close(handle)
        os.set_inheritable(handles[STREAMS], False)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - these three live as long as the process
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
        sys.argv = [script]
        sys.path.insert(0, str(Path(script).parent))
        module = sys.modules["__main__"] = types.ModuleType("__main__")
        module.__file__ = script
        exec(compile(Path(script).read_text(encoding="utf-8"), script, "exec"), module.__dict__)  # noqa: S102 - what an interpreter does
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                code = code or 1
        os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]))
