"""Record sets as MiniStack's Route 53 keeps them, and how they are named, shown and refused.

In: a record set. Out: its key, its routing policy, its label in messages. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["POLICIES", "RecordSet", "Refused", "policy_of", "record_key", "record_label", "shown_name", "stored_name"]

RecordSet = Mapping[str, Any]
"""The members of the API by their names; names in lower case, with a dot at the end, a wildcard as `*`."""
POLICIES = {
    "Weight": "weighted",
    "Region": "latency",
    "Failover": "failover",
    "GeoLocation": "geolocation",
    "MultiValueAnswer": "multivalue answer",
    "GeoProximityLocation": "geoproximity",
    "CidrRoutingConfig": "IP-based",
}
"""The routing policies besides simple, by the member that decides about each."""


class Refused(Exception):
    """A call that Route 53 refuses, with its code, text and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message)
        self.code, self.message, self.status = code, message, status


def stored_name(name: str) -> str:
    """A name as it is stored: lower case, a dot at the end, `*` for a wildcard that the API shows as `\\052`."""
    return f"{name.lower().removesuffix('.')}.".replace("\\052", "*")


def shown_name(name: str) -> str:
    """A name as the API shows it: a wildcard is `\\052`."""
    return name.replace("*", "\\052")


def record_key(record: RecordSet) -> tuple[str, str, str]:
    """Name, type and set identifier ("" for none): what identifies a record set in its zone."""
    return record["Name"], record["Type"], record.get("SetIdentifier") or ""


def record_label(record: RecordSet) -> str:
    """How messages name a record set: [name='...', type='...'], with its set identifier if it has one."""
    name, kind, set_id = record_key(record)
    more = f", set-identifier='{set_id}'" if set_id else ""
    return f"[name='{shown_name(name)}', type='{kind}'{more}]"


def policy_of(record: RecordSet) -> str:
    """The member of `POLICIES` that decides the record set's routing policy, "" for simple routing."""
    return next((member for member in POLICIES if _is_set(record, member)), "")


def _is_set(record: RecordSet, member: str) -> bool:
    return bool(record.get(member)) if member == "MultiValueAnswer" else record.get(member) is not None
