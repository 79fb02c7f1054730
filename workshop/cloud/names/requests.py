"""What makes a change batch malformed before its zone is looked at: missing, contradicting or impossible members.

In: the actions and record sets of a batch. Out: nothing, or `Refused` with the code InvalidInput and every reason. Pure
(docs/aws-behaviours.md, section 6.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workshop.cloud.names.recordsets import POLICIES, RecordSet, Refused, policy_of

__all__ = ["check_requests"]

ACTIONS = ("CREATE", "DELETE", "UPSERT")
TYPES = frozenset(
    (
        *("SOA", "A", "TXT", "NS", "CNAME", "MX", "NAPTR", "PTR", "SRV", "SPF", "AAAA", "CAA", "DS", "TLSA", "SSHFP", "SVCB"),
        "HTTPS",
    )
)
CONTENT = (
    "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found {found}"
)
POLICY = f"Expected exactly one of [{', '.join(list(POLICIES)[:-1])}, or {list(POLICIES)[-1]}], but found {{found}}"
NO_SET = "Missing field 'SetIdentifier'"
OUT_OF_RANGE = (
    "Invalid XML ; cvc-{limit}-valid: Value '{value}' is not facet-valid with respect to {limit} '{bound}' for type "
    "'RRSetWeight'."
)
UNKNOWN = "Invalid XML ; cvc-enumeration-valid: Value '{value}' is not facet-valid with respect to enumeration '[{known}]'."
EMPTY = "Invalid request: Expected at least one Change"


def check_requests(changes: Iterable[tuple[str, RecordSet]]) -> None:
    """Raises `Refused` unless every change has the members that its kind of record needs, and no others."""
    every = list(changes)
    if not every:
        raise Refused("InvalidInput", EMPTY)
    for action, record in every:
        for reason in _outside_schema(action, record):
            raise Refused("InvalidInput", reason)
    reasons = [
        f"{reason} in Change with [Action={action}, Name={record['Name']}, Type={record['Type']}, "
        f"SetIdentifier={record.get('SetIdentifier') or 'null'}]"
        for action, record in every
        for reason in _problems(record)
    ]
    if reasons:
        raise Refused("InvalidInput", f"Invalid request: {', '.join(reasons)}")


def _outside_schema(action: str, record: RecordSet) -> Iterator[str]:
    """Values that the schema of the API does not allow."""
    if action not in ACTIONS:
        yield UNKNOWN.format(value=action, known=", ".join(ACTIONS))
    if record["Type"] not in TYPES:
        yield UNKNOWN.format(value=record["Type"], known=", ".join(sorted(TYPES)))
    weight = record.get("Weight")
    if weight is not None and not 0 <= weight <= 255:
        limit, bound = ("maxInclusive", 255) if weight > 255 else ("minInclusive", 0)
        yield OUT_OF_RANGE.format(limit=limit, value=weight, bound=bound)


def _problems(record: RecordSet) -> Iterator[str]:
    alias, ttl, values = record.get("AliasTarget"), record.get("TTL") is not None, bool(record.get("ResourceRecords"))
    if alias and (ttl or values):
        yield CONTENT.format(found="more than one")
    elif not alias and not (ttl and values):
        yield CONTENT.format(found="none")
    policies = [member for member in POLICIES if policy_of({member: record.get(member)})]
    if policies and not record.get("SetIdentifier"):
        yield NO_SET
    elif record.get("SetIdentifier") and not policies:
        yield POLICY.format(found="none")
    if len(policies) > 1:
        yield POLICY.format(found="more than one")
