"""Faults on demand, the client: order, list and end faults of a running cloud.

In: the state folder and a fault. Out: the faults that are in force. This is the module that a command line or a test imports;
it loads nothing of the emulator. The server keeps its faults in `fault_registry`.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from workshop.cloud import daemon
from workshop.cloud.fault_model import ASSIGNED, KINDS, CloudFault, checked_fault, fault_from
from workshop.errors import UsageError, WorkshopError

__all__ = ["KINDS", "CloudFault", "fault_add", "fault_from", "faults_clear", "faults_list"]

PATH = "/_workshop/faults"


def faults_list(home: Path) -> tuple[CloudFault, ...]:
    """The faults in force. Raises `WorkshopError` when the cloud does not run."""
    return tuple(CloudFault(**row) for row in daemon.ask(home, "GET", PATH)["faults"])


def fault_add(home: Path, fault: CloudFault) -> CloudFault:
    """Order a fault; returns it with its id. Raises `UsageError` for a fault that could never hit a call."""
    checked_fault(fault)
    document = {name: value for name, value in asdict(fault).items() if name not in ASSIGNED}
    try:
        return CloudFault(**daemon.ask(home, "POST", PATH, document)["fault"])
    except WorkshopError as error:
        if error.code == "Fault":
            raise UsageError(what=error.what, why=error.why, fix=error.fix, code="Fault") from error
        raise


def faults_clear(home: Path, ids: tuple[str, ...] = ()) -> int:
    """End the named faults, or all; returns how many. Replication that was held back is delivered at once."""
    if not ids:
        return int(daemon.ask(home, "DELETE", PATH)["cleared"])
    return sum(int(daemon.ask(home, "DELETE", f"{PATH}/{name}")["cleared"]) for name in ids)
