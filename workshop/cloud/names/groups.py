"""What Route 53 refuses in a group: the record sets of one name and type.

In: the record sets that a batch writes, and all of the zone after it. Out: the reasons, in AWS's words. Pure
(docs/aws-behaviours.md, section 6.4).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from workshop.cloud.names.recordsets import POLICIES, RecordSet, policy_of, record_key, shown_name

__all__ = ["group_problems"]

SIMPLE = "RRSet with DNS name {name}, type {type} cannot be created as other RRSets exist with the same name and type."
MIXED = (
    "RRSet with DNS name {name}, type {type}, SetIdentifier {set_id} cannot be created as a non-{policy} set exists with the "
    "same name and type."
)
TAKEN = (
    "RRSet with DNS name {name}, type {type}, SetIdentifier {set_id}, and {what} cannot be created as another RRSet exists with "
    "the same name, type, and {member}."
)
EXCLUSIVE = ("Failover", "Region", "GeoLocation")
"""Members whose value may occur once in a group."""


def group_problems(written: Collection[RecordSet], after: Collection[RecordSet]) -> Iterator[str]:
    """The reasons why the groups of the written record sets cannot exist."""
    groups: dict[tuple[str, str], list[RecordSet]] = {}
    for record in after:
        groups.setdefault((record["Name"], record["Type"]), []).append(record)
    for record in written:
        name, kind, set_id = record_key(record)
        others = [other for other in groups.get((name, kind), []) if record_key(other)[2] != set_id]
        values = {"name": shown_name(name), "type": kind, "set_id": set_id}
        policy = policy_of(record)
        if any(policy_of(other) != policy for other in others):
            yield (MIXED if policy else SIMPLE).format(policy=POLICIES.get(policy, ""), **values)
        elif policy in EXCLUSIVE and any(other[policy] == record[policy] for other in others):
            yield TAKEN.format(what=_value(policy, record), member=_word(policy), **values)


def _word(policy: str) -> str:
    return {"Failover": "failover", "Region": "region", "GeoLocation": "geolocation"}[policy]


def _value(policy: str, record: RecordSet) -> str:
    value = record[policy]
    text = "-".join(str(part) for part in value.values()) if policy == "GeoLocation" else str(value)
    return f"{_word(policy)} {text}"
