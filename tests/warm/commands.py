"""`workshop` in a process of its own, forked from one that has everything imported already.

The same entry point, arguments, environment, streams, signals and exit code as the installed command, without half a second of
imports: the tests run hundreds of commands on two cores.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.warm import processes
from tests.warm.entries import COMMAND, SCRIPT

__all__ = ["run", "start"]


def start(words: Sequence[str], *, speed: float = 1.0, **how: Any) -> processes.Process | subprocess.Popen[str]:
    """Start `workshop WORDS`; `how` is as for `processes.start`. Its waits are `speed` times shorter."""
    return processes.start(COMMAND, json.dumps({"program": str(SCRIPT), "words": list(words), "speed": speed}), **how)


def run(
    words: Sequence[str], *, cwd: Path, environment: Mapping[str, str], text: str, timeout: float, speed: float = 1.0
) -> tuple[int, str, str]:
    """Run `workshop WORDS` to its end and return its exit code, stdout and stderr."""
    with tempfile.TemporaryFile("w+") as stdin:
        stdin.write(text)
        stdin.seek(0)
        process = start(words, speed=speed, cwd=cwd, environment=environment, stdin=stdin)
        try:
            out, err = process.communicate(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
    assert process.returncode is not None and out is not None and err is not None
    return process.returncode, out, err
