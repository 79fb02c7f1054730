"""All faults by name, and all that an undo in the journal can name."""

from __future__ import annotations

from collections.abc import Mapping

from workshop.drill.bad_deploy import BadDeploy
from workshop.drill.bookmarks import Bookmarks
from workshop.drill.cut import CutReplication
from workshop.drill.fault import Fault, Undoable
from workshop.drill.health import Health
from workshop.drill.throttle import Throttle

__all__ = ["FAULTS", "UNDOABLE"]

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in (Throttle(), Health(), BadDeploy(), CutReplication())}
UNDOABLE: Mapping[str, Undoable] = {**FAULTS, Bookmarks.name: Bookmarks()}
