"""A change batch of Route 53: what AWS refuses in it, and the records of the zone after it.

In: the zone's name, its records as MiniStack keeps them, and the changes. Out: the records afterwards, or `Refused` with every
reason at once. Pure: a batch is applied as a whole or not at all (docs/aws-behaviours.md, section 6.4).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workshop.cloud.names.groups import group_problems
from workshop.cloud.names.rdata import value_problems
from workshop.cloud.names.recordsets import RecordSet, Refused, record_key, record_label
from workshop.cloud.names.requests import check_requests

__all__ = ["Change", "ZoneContents", "changed_records"]

MOST_RECORDS = 1000
MOST_CHARACTERS = 32_000
TOO_MANY = "Number of records limit of 1000 exceeded."
TOO_LONG = "RDATA character limit of 32000 exceeded."
OUTSIDE = "RRSet with DNS name {name} is not permitted in zone {zone}"
EXISTS = "Tried to create resource record set {label} but it already exists"
ABSENT = "Tried to delete resource record set {label} but it was not found"
DIFFERENT = "Tried to delete resource record set {label} but the values provided do not match the current values"
TWICE = "The request contains an invalid set of changes for a resource record set '{type} {name}'"
NO_NS = "A HostedZone must contain at least one NS record for the zone itself."
NO_SOA = "A HostedZone must contain exactly one SOA record."
NO_CHECK = "The specified health check {id} of RRSet with DNS name {name}, type {type} does not exist."
APEX = "RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}"
CNAME_IN_THE_WAY = (
    "RRSet of type {type} with DNS name {name} is not permitted because a conflicting RRSet of type CNAME with the same DNS name "
    "already exists in zone {zone}"
)
CNAME_CONFLICTS = (
    "RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records with the same DNS name in zone "
    "{zone}"
)
NO_TARGET = "Tried to create an alias that targets {target}, type {type} in zone {id}, but that target was not found"
FOREIGN_TARGET = (
    "Tried to create an alias that targets {target}, type {type} in zone {id}, but the alias target name does not lie within the "
    "target zone"
)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a batch: CREATE, DELETE or UPSERT of a record set."""

    action: str
    record: RecordSet


@dataclass(frozen=True, slots=True)
class ZoneContents:
    """A zone as a batch sees it: its id, its name with a dot at the end, its record sets, the names of the account's other zones
    by id, and whether a health check exists."""

    id: str
    name: str
    records: tuple[RecordSet, ...]
    others: Mapping[str, str]
    has_check: Callable[[str], bool]


def changed_records(zone: ZoneContents, changes: Collection[Change]) -> list[RecordSet]:
    """The zone's records after the batch. Raises `Refused`: `InvalidInput` for a request that is malformed, `InvalidChangeBatch`
    with all reasons for one that the zone's records forbid."""
    check_requests((change.action, change.record) for change in changes)
    records, reasons = _applied(zone, changes)
    written = [change.record for change in changes if change.action != "DELETE"]
    for record in written:
        reasons += value_problems(record)
        check = record.get("HealthCheckId")
        if check and not zone.has_check(check):
            reasons.append(NO_CHECK.format(id=check, name=record["Name"], type=record["Type"]))
        reasons += _alias_problems(zone, record, records)
    reasons += _name_problems(zone, written, records)
    reasons += group_problems(written, records)
    reasons += _zone_problems(zone, records)
    reasons += _size_problems(changes)
    if reasons:
        raise Refused("InvalidChangeBatch", f"[{', '.join(dict.fromkeys(reasons))}]")
    return records


def _applied(zone: ZoneContents, changes: Collection[Change]) -> tuple[list[RecordSet], list[str]]:
    """The records after all changes, one after the other, and what is wrong with single ones."""
    current = {record_key(record): record for record in zone.records}
    done: dict[tuple[str, str, str], str] = {}
    reasons: list[str] = []
    for change in changes:
        record, key = change.record, record_key(change.record)
        before = current.get(key)
        if not _is_below(record["Name"], zone.name):
            reasons.append(OUTSIDE.format(name=record["Name"], zone=zone.name))
            continue
        if key in done and (done[key], change.action) != ("DELETE", "CREATE"):
            reasons.append(TWICE.format(type=record["Type"], name=record["Name"]))
            continue
        done[key] = change.action
        if change.action == "DELETE":
            if before is None:
                reasons.append(ABSENT.format(label=record_label(record)))
            elif _values(before) != _values(record):
                reasons.append(DIFFERENT.format(label=record_label(record)))
            else:
                del current[key]
        elif change.action == "CREATE" and before is not None:
            reasons.append(EXISTS.format(label=record_label(record)))
        else:
            current[key] = record
    return list(current.values()), reasons


def _values(record: RecordSet) -> dict[str, Any]:
    """What a DELETE has to match: everything but the key; the order of the values does not matter."""
    values = {name: value for name, value in record.items() if name not in ("Name", "Type", "SetIdentifier")}
    if "TTL" in values:
        values["TTL"] = int(values["TTL"])
    if "ResourceRecords" in values:
        values["ResourceRecords"] = sorted(values["ResourceRecords"])
    return values


def _is_below(name: str, zone: str) -> bool:
    return name == zone or name.endswith(f".{zone}")


def _alias_problems(zone: ZoneContents, record: RecordSet, records: Collection[RecordSet]) -> Iterator[str]:
    """An alias to a record of a zone needs that record; zones of AWS's services are not looked into."""
    alias = record.get("AliasTarget")
    if not alias:
        return
    target, target_zone = alias["DNSName"].lower(), zone.name if alias["HostedZoneId"] == zone.id else None
    values = {"target": target, "type": record["Type"], "id": alias["HostedZoneId"]}
    name = target_zone or zone.others.get(alias["HostedZoneId"])
    if name is not None and not _is_below(target, name):
        yield FOREIGN_TARGET.format(**values)
    elif target_zone is not None and not any(
        (other["Name"], other["Type"]) == (target, record["Type"]) and other is not record for other in records
    ):
        yield NO_TARGET.format(**values)


def _name_problems(zone: ZoneContents, written: Collection[RecordSet], records: Collection[RecordSet]) -> Iterator[str]:
    """A CNAME is alone at its name, and never at the apex."""
    types: dict[str, set[str]] = {}
    for record in records:
        types.setdefault(record["Name"], set()).add(record["Type"])
    existing = {(record["Name"], record["Type"]) for record in zone.records}
    for record in written:
        name, kind = record["Name"], record["Type"]
        values = {"name": name, "type": kind, "zone": zone.name}
        if kind == "CNAME" and name == zone.name:
            yield APEX.format(**values)
        elif types.get(name, set()) > {"CNAME"}:
            if kind == "CNAME":
                yield CNAME_CONFLICTS.format(**values)
            elif (name, "CNAME") in existing:
                yield CNAME_IN_THE_WAY.format(**values)


def _zone_problems(zone: ZoneContents, records: Collection[RecordSet]) -> Iterator[str]:
    """The zone keeps its own NS and SOA records."""
    apex = {record["Type"] for record in records if record["Name"] == zone.name}
    if "NS" not in apex:
        yield NO_NS
    if "SOA" not in apex:
        yield NO_SOA


def _size_problems(changes: Collection[Change]) -> Iterator[str]:
    """A batch is limited in records and characters; an UPSERT counts twice."""
    records = characters = 0
    for change in changes:
        values = change.record.get("ResourceRecords") or ()
        factor = 2 if change.action == "UPSERT" else 1
        records += factor * max(1, len(values))
        characters += factor * sum(len(value) for value in values)
    if records > MOST_RECORDS:
        yield TOO_MANY
    if characters > MOST_CHARACTERS:
        yield TOO_LONG
