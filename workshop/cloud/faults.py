"""Faults on demand: what they are, and how a client orders, lists and ends them.

What comes in: the state folder and a fault. What goes out: the faults that are in force. The server's part is `injection`; this
module is the one that a command line or a test imports, and it loads nothing of the emulator.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from workshop.cloud import daemon
from workshop.errors import UsageError, WorkshopError

__all__ = ["KINDS", "Fault", "fault_add", "fault_from", "faults_clear", "faults_list"]

KINDS = {
    "error": "answer with an error (code, message, status)",
    "latency": "answer later (seconds)",
    "drop-before": "close the connection without doing anything",
    "drop-after": "do it, then close the connection without an answer",
    "expired": "answer that the credentials have expired",
    "region-disabled": "answer as a region that the account has not enabled (region)",
    "replica-abort": "let a replica that is being created vanish again (region, table)",
    "small-account": "let the account run only so many functions at once (limit: 10 or 50 in new accounts)",
    "cut": "hold back replication to, from or both ways of a region (region, direction, table)",
}
ALLOWED = (
    "direction both, to or from; status 400 to 599; seconds 0 to 300; times from 0; probability above 0, up to 1; limit 1 to 1000"
)
DIRECTIONS = ("both", "to", "from")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. An empty `service`, `operation`, `region` or `table` means any; `times` 0 means until it is cleared.

    `seconds` is the added latency, `probability` the share of matching calls that it strikes, `hits` counts them, `limit` is
    the account's limit of concurrent functions.
    """

    kind: str
    service: str = ""
    operation: str = ""
    region: str = ""
    table: str = ""
    code: str = "InternalServerError"
    message: str = "An internal error occurred."
    status: int = 500
    seconds: float = 0.0
    direction: str = "both"
    times: int = 0
    probability: float = 1.0
    limit: int = 10
    id: str = ""
    hits: int = 0


def fault_from(document: dict[str, Any]) -> Fault:
    """A fault from its JSON form; `UsageError` says which member is wrong and what it may be."""
    known = {field.name: type(field.default) if field.name != "kind" else str for field in fields(Fault)}
    for name, value in document.items():
        kind = known.get(name)
        if kind is None or name in ("id", "hits"):
            raise _wrong(f"A fault has no member {name!r}.", f"It has {', '.join(k for k in known if k not in ('id', 'hits'))}.")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number if kind is float else isinstance(value, kind) and not isinstance(value, bool)):
            raise _wrong(f"The member {name!r} has to be a {kind.__name__}.", f"It is {value!r}.")
    if document.get("kind") not in KINDS:
        raise _wrong(f"Unknown kind of fault: {document.get('kind')!r}.", f"There are {', '.join(KINDS)}.")
    fault = Fault(**document)
    ranges = {
        "direction": fault.direction in DIRECTIONS,
        "status": 400 <= fault.status <= 599,
        "seconds": 0 <= fault.seconds <= 300,
        "times": 0 <= fault.times <= 1_000_000,
        "probability": 0 < fault.probability <= 1,
        "limit": 1 <= fault.limit <= 1000,
    }
    for name, fits in ranges.items():
        if not fits:
            raise _wrong(f"The member {name!r} is out of range: {getattr(fault, name)!r}.", f"Allowed: {ALLOWED}.")
    if fault.kind in ("cut", "region-disabled") and not fault.region:
        raise _wrong(f"A fault of the kind {fault.kind} names a region.", "Without one it would mean every region.")
    return fault


def faults_list(home: Path) -> tuple[Fault, ...]:
    """The faults in force. Raises `WorkshopError` when the cloud does not run."""
    answer = daemon.ask(home, "GET", "/_workshop/faults")
    return tuple(Fault(**row) for row in answer["faults"])


def fault_add(home: Path, fault: Fault) -> Fault:
    """Order a fault; answers it with its id. Raises `UsageError` for one that could never strike."""
    document = {name: value for name, value in asdict(fault).items() if name not in ("id", "hits")}
    fault_from(document)
    try:
        return Fault(**daemon.ask(home, "POST", "/_workshop/faults", document)["fault"])
    except WorkshopError as error:
        if error.code == "Fault":
            raise UsageError(error.what, error.why, error.fix, code="Fault") from error
        raise


def faults_clear(home: Path, ids: tuple[str, ...] = ()) -> int:
    """End the named faults, or all; answers how many. Held-back replication is delivered at once."""
    if not ids:
        return int(daemon.ask(home, "DELETE", "/_workshop/faults")["cleared"])
    return sum(int(daemon.ask(home, "DELETE", f"/_workshop/faults/{name}")["cleared"]) for name in ids)


def _wrong(what: str, why: str) -> UsageError:
    return UsageError(what, why, "See: workshop cloud fault --help", code="Fault")
