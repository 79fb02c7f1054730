"""All faults by name, and everything that an undo in the journal can refer to.

Modules are imported when they are used, so that the command line offers the names without loading them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workshop.drill.base import RegionFault, Undoable

__all__ = ["DEFAULT_FAULT", "FAULTS", "MACHINE_CLIENT", "OWN_ROWS", "OWN_THINGS", "fault_named", "undoable_named"]

FAULTS = {
    "throttle": "workshop.drill.faults.throttle",
    "health": "workshop.drill.faults.health",
    "bad-deploy": "workshop.drill.faults.bad_deploy",
    "replication": "workshop.drill.faults.replication_pause",
    "withdraw": "workshop.drill.faults.withdraw",
    "gateway-down": "workshop.drill.faults.gateway_down",
}
"""Every fault and the module whose attribute `FAULT` it is, in the order of the help."""
DEFAULT_FAULT = "throttle"
OWN_ROWS = "bookmarks"
"""The kind of an undo that removes a command's own items, named after the first load."""
MACHINE_CLIENT = "machine-client"
"""The kind of an undo that removes the app client by which a load got its tokens."""
OWN_THINGS = frozenset({OWN_ROWS, MACHINE_CLIENT})
"""The kinds of undos that remove what a command made for itself; no region is failed by them."""
UNDOS = {
    OWN_ROWS: "workshop.drill.own_rows",
    MACHINE_CLIENT: "workshop.drill.machine_client",
    "crossed-checks": "workshop.drill.faults.crossed_checks",
}
"""What else an undo can be of, and the module whose attribute `UNDO` it is."""


def fault_named(name: str) -> RegionFault:
    """The fault; raises `KeyError` when there is none of that name."""
    fault: RegionFault = importlib.import_module(FAULTS[name]).FAULT
    return fault


def undoable_named(kind: str) -> Undoable:
    """What takes back an undo of this kind; raises `KeyError` for an unknown kind."""
    if kind in UNDOS:
        undoable: Undoable = importlib.import_module(UNDOS[kind]).UNDO
        return undoable
    return fault_named(kind)
