"""The receipt of a teardown: what was removed, what is left and why, in a file that outlives the run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workshop.engine.results import NodeResult
from workshop.engine.workspace import Workspace
from workshop.home import write_private
from workshop.steps.base import Resource

__all__ = ["write_receipt"]


def write_receipt(
    folder: Path, workspace: Workspace, account: str, results: Sequence[NodeResult], leftovers: Sequence[Resource], since: str
) -> Path:
    """Write `receipts/<workshop>-<target>-<run>.json` and answer its path."""
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{workspace.name}-{workspace.target.name}-{workspace.run}.json"
    document: dict[str, Any] = {
        "version": 1,
        "workshop": workspace.name,
        "target": workspace.target.name,
        "account": account,
        "regions": list(workspace.settings.regions),
        "run": workspace.run,
        "set_up": since or None,
        "torn_down": workspace.clock.now().isoformat(timespec="seconds"),
        "steps": [result.document() for result in results],
        "leftovers": [
            {"kind": r.kind, "name": r.name, "region": r.region, "why": r.why, "fix": r.fix, "earliest": r.earliest}
            for r in leftovers
        ],
    }
    write_private(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return path
