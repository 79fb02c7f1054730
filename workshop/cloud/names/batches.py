"""A change batch of Route 53: what AWS refuses in it, and the records of the zone after it.

In: a zone's name and records, and the changes. Out: the records afterwards, or `Refused` with every reason at once. Pure: a batch
is applied as a whole or not at all (docs/aws-behaviours.md, section 6.4).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Container, Iterator, Mapping
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from workshop.cloud.names.records import POLICIES, Stored, is_below, shown_name
from workshop.cloud.names.wire import Refused

__all__ = ["Change", "changed_records", "record_key"]

Change = tuple[str, Stored]
"""CREATE, DELETE or UPSERT, and the record set."""
ByName = Mapping[str, list[Stored]]
MOST_RECORDS, MOST_CHARACTERS = 1000, 32_000
ONCE = {"Failover": "failover", "Region": "region", "GeoLocation": "geolocation"}
"""Members whose value occurs once in a group, and what messages call them."""
SOURCES = (
    "AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId",
    "{}, or {}".format(", ".join(list(POLICIES)[:-1]), list(POLICIES)[-1]),
)
CNAME_CONFLICTS = (
    "RRSet of type CNAME with DNS name {} is not permitted as it conflicts with other records with the same DNS name in zone {}"
)
CNAME_IN_THE_WAY = (
    "RRSet of type {} with DNS name {} is not permitted because a conflicting RRSet of type CNAME with the same DNS name already "
    "exists in zone {}"
)
STRING = r'"(?:[^"\\]|\\.)*"'
ILLEGAL = {
    "A": "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)",
    "AAAA": "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)",
    "MX": "MXRRDATAIllegalPriority (Priority is not an integer from 0 to 65535)",
}
NAMES: tuple[tuple[type[dns.exception.DNSException], str], ...] = (
    (dns.name.EmptyLabel, "DomainLabelEmpty (Domain label is empty)"),
    (dns.name.LabelTooLong, "DomainLabelTooLong (Domain label is too long)"),
    (dns.name.NameTooLong, "DomainNameTooLong (Domain name is too long)"),
)


def changed_records(
    zone: Mapping[str, Any],
    before: Collection[Stored],
    changes: Collection[Change],
    others: Mapping[str, str],
    checks: Container[str],
) -> list[Stored]:
    """The records of `zone` (`id`, `name`) after the batch. `others` are the names of the account's other zones by id,
    `checks` its health checks. Raises `Refused`: `InvalidInput` for a malformed request, `InvalidChangeBatch` for what the
    records forbid."""
    malformed = [
        f"{reason} in Change with [Action={action}, Name={record['Name']}, Type={record['Type']}, "
        f"SetIdentifier={record.get('SetIdentifier') or 'null'}]"
        for action, record in changes
        for reason in _form_problems(record)
    ]
    if malformed:
        raise Refused("InvalidInput", f"Invalid request: {', '.join(malformed)}")
    after, reasons = _applied(zone["name"], before, changes)
    by_name, cnames = _by_name(after), {record["Name"] for record in before if record["Type"] == "CNAME"}
    for record in (record for action, record in changes if action != "DELETE"):
        reasons += _value_problems(record)
        reasons += _reference_problems(zone, record, by_name, others, checks)
        reasons += _name_problems(zone["name"], record, by_name, cnames)
        reasons += _group_problems(record, by_name)
    own = {record["Type"] for record in by_name[zone["name"]]}
    sizes = [(2 if action == "UPSERT" else 1, record.get("ResourceRecords") or ()) for action, record in changes]
    limits = {
        "A HostedZone must contain at least one NS record for the zone itself.": "NS" not in own,
        "A HostedZone must contain exactly one SOA record.": "SOA" not in own,
        "Number of records limit of 1000 exceeded.": sum(n * max(1, len(values)) for n, values in sizes) > MOST_RECORDS,
        "RDATA character limit of 32000 exceeded.": sum(n * len("".join(values)) for n, values in sizes) > MOST_CHARACTERS,
    }
    reasons += [reason for reason, holds in limits.items() if holds]
    if reasons:
        raise Refused("InvalidChangeBatch", f"[{', '.join(dict.fromkeys(reasons))}]")
    return after


def record_key(record: Stored) -> tuple[str, str, str]:
    """Name, type and set identifier ("" for none): what identifies a record set in its zone."""
    return record["Name"], record["Type"], record.get("SetIdentifier") or ""


def _by_name(records: Collection[Stored]) -> ByName:
    found: defaultdict[str, list[Stored]] = defaultdict(list)
    for record in records:
        found[record["Name"]].append(record)
    return found


def _policies(record: Stored) -> list[str]:
    """The members that give the record set a routing policy: none for simple routing, one otherwise."""
    return [member for member in POLICIES if record.get(member) is not None and record[member] is not False]


def _form_problems(record: Stored) -> Iterator[str]:
    """Members that are missing or contradict each other."""
    alias, values = bool(record.get("AliasTarget")), [record.get("TTL") is not None, bool(record.get("ResourceRecords"))]
    policies, named = _policies(record), bool(record.get("SetIdentifier"))
    if alias == any(values) or (not alias and not all(values)):
        yield f"Expected exactly one of [{SOURCES[0]}], but found {'more than one' if alias else 'none'}"
    if policies and not named:
        yield "Missing field 'SetIdentifier'"
    if len(policies) > 1 or (named and not policies):
        yield f"Expected exactly one of [{SOURCES[1]}], but found {'more than one' if policies else 'none'}"


def _applied(zone: str, before: Collection[Stored], changes: Collection[Change]) -> tuple[list[Stored], list[str]]:
    """The records after all changes, one after the other, and what is wrong with single ones."""
    current = {record_key(record): record for record in before}
    done: dict[tuple[str, str, str], str] = {}
    reasons: list[str] = []
    for action, record in changes:
        name, kind, set_id = key = record_key(record)
        label = f"[name='{shown_name(name)}', type='{kind}'" + (f", set-identifier='{set_id}']" if set_id else "]")
        if not is_below(name, zone):
            reasons.append(f"RRSet with DNS name {name} is not permitted in zone {zone}")
        elif key in done and (done[key], action) != ("DELETE", "CREATE"):
            reasons.append(f"The request contains an invalid set of changes for a resource record set '{kind} {name}'")
        elif action == "DELETE" and key not in current:
            reasons.append(f"Tried to delete resource record set {label} but it was not found")
        elif action == "DELETE" and _values(current[key]) != _values(record):
            reasons.append(f"Tried to delete resource record set {label} but the values provided do not match the current values")
        elif action == "DELETE":
            del current[key]
        elif action == "CREATE" and key in current:
            reasons.append(f"Tried to create resource record set {label} but it already exists")
        else:
            current[key] = record
        done[key] = action
    return list(current.values()), reasons


def _values(record: Stored) -> dict[str, Any]:
    """What a DELETE has to match: everything but the key; the order of the values does not matter."""
    values = {member: value for member, value in record.items() if member not in ("Name", "Type", "SetIdentifier")}
    if "ResourceRecords" in values:
        values.update(TTL=int(values.get("TTL", 0)), ResourceRecords=sorted(values["ResourceRecords"]))
    return values


def _reference_problems(
    zone: Mapping[str, Any], record: Stored, by_name: ByName, others: Mapping[str, str], checks: Container[str]
) -> Iterator[str]:
    """A health check exists, and so does the record that an alias names in its own zone."""
    name, kind, check = record["Name"], record["Type"], record.get("HealthCheckId")
    if check and check not in checks:
        yield f"The specified health check {check} of RRSet with DNS name {name}, type {kind} does not exist."
    alias = record.get("AliasTarget")
    if alias:
        target, zone_id = alias["DNSName"], alias["HostedZoneId"]
        text = f"Tried to create an alias that targets {target}, type {kind} in zone {zone_id}, but "
        inside = zone_id == zone["id"]
        holder = zone["name"] if inside else others.get(zone_id)
        if holder is not None and not is_below(target, holder):
            yield text + "the alias target name does not lie within the target zone"
        elif inside and not any(other["Type"] == kind and other is not record for other in by_name.get(target, ())):
            yield text + "that target was not found"


def _name_problems(zone: str, record: Stored, by_name: ByName, cnames: Container[str]) -> Iterator[str]:
    """A CNAME is alone at its name, and never at the apex."""
    name, kind = record["Name"], record["Type"]
    if kind == "CNAME" and name == zone:
        yield f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}"
    elif {other["Type"] for other in by_name[name]} > {"CNAME"}:
        if kind == "CNAME":
            yield CNAME_CONFLICTS.format(name, zone)
        elif name in cnames:
            yield CNAME_IN_THE_WAY.format(kind, name, zone)


def _group_problems(record: Stored, by_name: ByName) -> Iterator[str]:
    """The record sets of one name and type have one policy, and a primary, a region or a place once."""
    name, kind, set_id = record_key(record)
    group = [other for other in by_name[name] if other["Type"] == kind and record_key(other)[2] != set_id]
    policies, label = _policies(record), f"RRSet with DNS name {shown_name(name)}, type {kind}"
    if any(_policies(other) != policies for other in group):
        reason = f", SetIdentifier {set_id} cannot be created as a non-{POLICIES[policies[0]]} set exists" if policies else ""
        yield label + (reason or " cannot be created as other RRSets exist") + " with the same name and type."
    for member in set(policies) & ONCE.keys():
        value = record[member]
        if any(other.get(member) == value for other in group):
            text = "-".join(value.values()) if isinstance(value, dict) else value
            what = (
                f"{ONCE[member]} {text} cannot be created as another RRSet exists with the same name, type, and {ONCE[member]}."
            )
            yield f"{label}, SetIdentifier {set_id}, and {what}"


def _value_problems(record: Stored) -> Iterator[str]:
    """The reasons why Route 53 refuses the record set's values; none for an alias."""
    values, kind = list(record.get("ResourceRecords") or ()), record["Type"]
    for value in dict.fromkeys(values):
        problem = _text_problem(value) if kind in ("TXT", "SPF") else _problem(kind, value)
        if problem:
            yield f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"
        elif values.count(value) > 1:
            yield f"Duplicate Resource Record: '{value}'"
    if kind in ("CNAME", "SOA") and len(set(values)) > 1:
        yield f"Invalid Resource Record: 'FATAL problem: TooManyValues (A record of type {kind} has one value)'"


def _problem(kind: str, value: str) -> str:
    fields = len(value.split())
    if kind in ("A", "AAAA") and fields != 1:
        return f"{kind}RRDATANotSingleField (Value contains spaces)"
    if kind in ("CNAME", "NS", "PTR") and fields != 1:
        return "DomainNameNotSingleField (Value contains spaces)"
    if kind == "MX" and fields != 2:
        return "MXRRDATANotTwoFields (MX record doesn't have 2 fields)"
    try:
        dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), value)
    except (dns.exception.DNSException, ValueError) as error:
        named = (text for found, text in NAMES if isinstance(error, found))
        return next(named, ILLEGAL.get(kind, f"{kind}RRDATAIllegalValue (Value is not valid)"))
    return ""


def _text_problem(value: str) -> str:
    """One or more quoted strings of up to 255 characters; escapes are Route 53's own, which are octal."""
    if not re.fullmatch(rf"\s*{STRING}(?:\s+{STRING})*\s*", value):
        return "InvalidCharacterString (Value should be enclosed in quotation marks)"
    too_long = any(len(string) > 257 for string in re.findall(STRING, value))
    return "CharacterStringTooLong (Value is too long)" if too_long else ""
