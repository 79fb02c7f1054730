"""The built-in workshop with another pace: its player, and so every drill, writes and probes several times as often.

In: a shell. Out: the folder of a copy, to be named by `--workshop`. Nothing else differs: a drill with the built-in pace spends
most of its half minute waiting for the next write. Drills at the pace of the built-in workshop are in tests/checks, tests/docs.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.cloud.shell import ROOT, Shell

__all__ = ["quick_workshop"]

PACE = {
    "writeEveryMs": 100, "writeTimeoutMs": 3000, "probeEveryMs": 200, "probeTimeoutMs": 3000, "readEveryMs": 200,
    "countdownMs": 1000, "minFailures": 2, "recoverAfter": 2, "failbackAfter": 3,
}  # fmt: skip


def quick_workshop(shell: Shell) -> Path:
    """A copy of the built-in workshop in the shell's folder. It is not built in: its first setup needs `--yes`."""
    folder = shell.work / "quick"
    shutil.copytree(
        ROOT / "templates" / "global-serverless", folder, ignore=shutil.ignore_patterns("media-source", "__pycache__"),
        dirs_exist_ok=True,
    )  # fmt: skip
    shutil.copytree(ROOT / "templates" / "_shared", folder / "templates" / "_shared", dirs_exist_ok=True)
    shutil.copy(ROOT / "sample-data.json", folder)
    (folder / "web" / "failover-settings.js").write_text(f"window.WORKSHOP_FAILOVER =\n{json.dumps(PACE)}\n;\n")
    return folder
