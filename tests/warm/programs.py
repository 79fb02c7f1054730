"""Programs for scripts: `workshop` and `aws`, whose processes are forked from ones that have them imported already.

Out: a folder to put at the beginning of a PATH. A script that runs the programs there does what it does with the real ones.
"""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import sys
import tempfile
from pathlib import Path

from tests.warm.entries import COMMAND
from tests.warm.processes import AWS_CLI, EVERYTHING, INTERPRETER_PREFIXES, STARTED_WITH, origin

__all__ = ["folder"]

PROGRAMS = {"workshop": (COMMAND, EVERYTHING), "aws": (f"{AWS_CLI}:command", AWS_CLI)}


@functools.cache
def folder() -> Path:
    """The programs of this process's origins; an origin begins when one of its programs is first needed."""
    made = Path(tempfile.mkdtemp(prefix="programs-"))
    atexit.register(shutil.rmtree, made)
    body = Path(__file__).with_name("relay.py").read_text()
    for name, (entry, preload) in PROGRAMS.items():
        given = {
            "HERE": str(made), "SOCKET": origin(preload), "ENTRY": entry,
            "PROGRAM": str(Path(sys.executable).with_name(name)),
            "STARTED_WITH": json.dumps([INTERPRETER_PREFIXES, STARTED_WITH]),
        }  # fmt: skip
        lines = "".join(f"{key} = {value!r}\n" for key, value in given.items())
        (made / name).write_text(f"#!{sys.executable} -IS\n{body}\n{lines}relay()\n")
        (made / name).chmod(0o755)
    return made
