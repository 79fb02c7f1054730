"""What a warm process becomes: the command `workshop`, or the process that serves a local cloud.

In: the argument of the order and the descriptors that the process inherits. Out: the exit code.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.hurried import Hurried

__all__ = ["CLOUD", "COMMAND", "PROGRAM", "SCRIPT", "cloud", "command", "program"]

CLOUD, COMMAND, PROGRAM = f"{__name__}:cloud", f"{__name__}:command", f"{__name__}:program"
SCRIPT = Path(sys.executable).with_name("workshop")


def command(argument: str, _: Sequence[int]) -> int:
    """As the installed script runs it; `speed` makes its waits shorter."""
    order = json.loads(argument)
    sys.argv = [order["program"], *order["words"]]
    sys.path.insert(0, str(SCRIPT.parent))
    if order["speed"] != 1.0:
        asyncio.set_event_loop_policy(_HurriedPolicy(order["speed"]))
    from workshop.cli import main

    return main()


def cloud(argument: str, handles: Sequence[int]) -> int:
    """As `python -P -m workshop.cloud.server` runs it; the descriptors are the listening socket and the pipe for its word."""
    from tests.warm.preloaded import for_cloud
    from workshop.cloud.server import main

    order = json.loads(argument)
    for_cloud(Path(order["home"]), order["port"])
    listen, ready = handles
    sys.argv = ["-m", json.dumps({**order, "listen": listen, "ready": ready})]
    return main(sys.argv[1:])


def program(argument: str, _: Sequence[int]) -> None:
    """As `python -c PROGRAM` runs it."""
    sys.argv = ["-c"]
    exec(compile(argument, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - what an interpreter does


class _HurriedPolicy(asyncio.DefaultEventLoopPolicy):
    """Every loop of the process is hurried."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return Hurried(self._speed)
