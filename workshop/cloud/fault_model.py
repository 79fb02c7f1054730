"""What a fault of the local cloud is: its kinds, its members, their ranges.

In: the members of a fault, or its JSON form. Out: a `CloudFault`, or `UsageError` naming the member that is wrong. Whether the
service and the operation exist is not checked here: only the running cloud knows its services.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from workshop.errors import UsageError

__all__ = ["DIRECTIONS", "KINDS", "CloudFault", "checked_fault", "fault_error", "fault_from"]

KINDS = {
    "error": "return an error (code, message, status)",
    "latency": "respond later (seconds)",
    "drop-before": "close the connection without doing anything",
    "drop-after": "do it, then close the connection without a response",
    "expired": "respond that the credentials have expired",
    "region-disabled": "respond as a region that the account has not enabled (region)",
    "replica-abort": "let a replica that is being created vanish again (region, table)",
    "small-account": "let the account run only so many functions at once (limit: 10 or 50 in new accounts)",
    "checkers-blind": "let health checkers reach nothing (region of the checkers, or count: so many of them; check)",
    "checker-noise": "let all checkers of a health check fail during single intervals (probability of each; check)",
    "cut": "hold back replication to, from or both ways of a region (region, direction, table)",
    "gateway-down": "respond 503 to every call of the APIs of a region; alias records to them count as unhealthy (region)",
    "stale-resolver": "let the front door keep DNS answers longer than their TTL (seconds)",
    "unvalidated": "leave certificates in PENDING_VALIDATION, as without a delegation (name)",
}
DIRECTIONS = ("both", "to", "from")
REGIONAL = ("cut", "region-disabled", "gateway-down")
"""The kinds that need a region: without one they would mean every region."""
ASSIGNED = ("id", "hits")
"""Members that the cloud sets, not the client."""


@dataclass(frozen=True, slots=True)
class CloudFault:
    """One fault. An empty `service`, `operation`, `region`, `table` or `check` means any; `times` 0 means until it is cleared.

    `seconds` is the added latency or the time for which an answer outlives its TTL, `probability` the share of matching calls
    that are hit, `hits` their number so far, `limit` the account's limit of concurrent functions, `check` the id of a health
    check, `count` how many of its checkers (0: all), `name` a DNS name, an empty one any.
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
    check: str = ""
    count: int = 0
    direction: str = "both"
    times: int = 0
    probability: float = 1.0
    limit: int = 10
    name: str = ""
    id: str = ""
    hits: int = 0


@dataclass(frozen=True, slots=True)
class _Range:
    """The values that a member may have; `text` describes them to users."""

    text: str
    contains: Callable[[Any], bool]


def _between(lowest: float, highest: float) -> _Range:
    return _Range(f"{lowest:,} to {highest:,}", lambda value: lowest <= value <= highest)


RANGES = {
    "kind": _Range(", ".join(KINDS), KINDS.__contains__),
    "direction": _Range(", ".join(DIRECTIONS), DIRECTIONS.__contains__),
    "status": _between(400, 599),
    "seconds": _between(0, 300),
    "count": _between(0, 16),
    "times": _between(0, 1_000_000),
    "probability": _Range("above 0, up to 1", lambda value: 0 < value <= 1),
    "limit": _between(1, 1000),
}
TYPES = {field.name: str if field.name == "kind" else type(field.default) for field in fields(CloudFault)}


def fault_from(document: dict[str, Any]) -> CloudFault:
    """A fault from its JSON form; `UsageError` for an unknown member, a wrong type, or what `checked_fault` refuses."""
    for name, value in document.items():
        if name not in TYPES or name in ASSIGNED:
            known = ", ".join(member for member in TYPES if member not in ASSIGNED)
            raise fault_error(f"A fault has no member {name!r}.", why=f"It has {known}.")
        wanted = TYPES[name]
        accepted = (int, float) if wanted is float else wanted
        if isinstance(value, bool) or not isinstance(value, accepted):
            raise fault_error(f"The member {name!r} has to be a {wanted.__name__}.", why=f"It is {value!r}.")
    return checked_fault(CloudFault(**{"kind": "", **document}))


def checked_fault(fault: CloudFault) -> CloudFault:
    """The fault itself; `UsageError` for a member out of its range or a missing region."""
    for name, allowed in RANGES.items():
        value = getattr(fault, name)
        if not allowed.contains(value):
            raise fault_error(f"The member {name!r} of a fault cannot be {value!r}.", why=f"Allowed: {allowed.text}.")
    if fault.kind in REGIONAL and not fault.region:
        raise fault_error(f"A fault of the kind {fault.kind} names a region.", why="Without one it would mean every region.")
    if fault.kind == "stale-resolver" and not fault.seconds:
        raise fault_error("A fault of the kind stale-resolver has `seconds`.", why="With 0 it would change nothing.")
    if fault.kind == "gateway-down" and fault.service not in ("", "execute-api"):
        raise fault_error("A fault of the kind gateway-down is about APIs alone.", why=f"The service is {fault.service!r}.")
    return fault


def fault_error(what: str, *, why: str) -> UsageError:
    """Wrong usage of faults, with the code by which a client recognizes it."""
    return UsageError(what=what, why=why, fix="See: workshop cloud fault --help", code="Fault")
