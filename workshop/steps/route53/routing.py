"""What a group of records is expected to answer, by its routing policy and the health of its targets.

In: the record sets of one name, the state of their health checks. Out: the members by region, and the share of the answers that
each should have. The rules are those of docs/aws-behaviours.md, section 6.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from workshop.aws.client import AwsClient
from workshop.aws.resources.health_checks import HEALTHY_SHARE, find_health_check, observations
from workshop.aws.resources.route53 import RecordSet, records_at
from workshop.steps.route53.world import named_region

__all__ = ["POLICIES", "Expectation", "Member", "check_is_healthy", "expectation", "policy_of", "routed_group"]

POLICIES = {
    "weighted": "Weight",
    "failover": "Failover",
    "latency": "Region",
    "geolocation": "GeoLocation",
    "geoproximity": "GeoProximityLocation",
    "multivalue": "MultiValueAnswer",
    "simple": "",
}
"""The routing policies, and the member of a record set by which each is known."""
_ENDPOINT = re.compile(r"\.execute-api\.([a-z0-9-]+)\.")


@dataclass(frozen=True, slots=True)
class Member:
    """One record of the group. `region` is what people call it; `values` are empty for an alias, `target` for an address."""

    region: str
    policy: str
    type: str
    target: str
    values: tuple[str, ...]
    healthy: bool
    ttl: int = 0
    weight: int = 0
    role: str = ""


@dataclass(frozen=True, slots=True)
class Expectation:
    """`shares` by region add up to 1; they are empty where the policy answers by the asker. `regions` are all that may answer."""

    policy: str
    regions: tuple[str, ...]
    shares: Mapping[str, float] = field(default_factory=dict)
    words: str = ""


async def routed_group(aws: AwsClient, zone_id: str, name: str) -> list[Member]:
    """The records that route a name, with the health of their targets now; none when it has no address."""
    records = await records_at(aws, zone_id, name)
    kind = next((kind for kind in ("CNAME", "A", "AAAA") if any(record.type == kind for record in records)), "")
    found = []
    for record in records:
        if record.type == kind:
            healthy = not record.health_check or await check_is_healthy(aws, record.health_check)
            found.append(_member(record, healthy))
    return found


def policy_of(record: RecordSet) -> str:
    """The routing policy of a record set."""
    return next(policy for policy, member in POLICIES.items() if not member or member in record.raw)


def expectation(members: Sequence[Member]) -> Expectation:
    """What the group should answer while the health of its members stays as it is; the members have one policy."""
    policy = members[0].policy
    healthy = [member for member in members if member.healthy]
    match policy:
        case "weighted":
            return _weighted(members, healthy)
        case "failover":
            return _failover(members)
        case "simple":
            return Expectation(policy, _regions(members), _even(members), "the one record, whatever its target does")
    some = healthy or list(members)
    if policy == "multivalue":
        return Expectation(policy, _regions(some), words="up to eight of the healthy targets in each answer")
    words = f"{policy}: every asker is sent to one region, which depends on where it is, among those that are healthy"
    shares = {some[0].region: 1.0} if len(set(_regions(some))) == 1 else {}
    return Expectation(policy, _regions(some), shares, words)


def _weighted(members: Sequence[Member], healthy: Sequence[Member]) -> Expectation:
    """Healthy records with a weight above 0; else healthy ones of weight 0; else all."""
    used = [m for m in healthy if m.weight] or list(healthy) or list(members)
    total = sum(member.weight for member in used)
    if not total:
        return Expectation("weighted", _regions(used), _even(used), "equal chances: every weight is 0")
    shares: dict[str, float] = {}
    for member in used:
        if member.weight:
            shares[member.region] = shares.get(member.region, 0.0) + member.weight / total
    out = sorted({member.region for member in members} - set(shares))
    words = "by weight" + (f", without {', '.join(out)}: unhealthy or weight 0" if out else "")
    return Expectation("weighted", tuple(shares), shares, words)


def _failover(members: Sequence[Member]) -> Expectation:
    """The primary while it is healthy, else the secondary if that is; both unhealthy: the primary."""
    primary = next((m for m in members if m.role == "PRIMARY"), None)
    secondary = next((m for m in members if m.role == "SECONDARY"), None)
    if primary is not None and (primary.healthy or secondary is None or not secondary.healthy):
        words = "the primary" + ("" if primary.healthy else ", although it is unhealthy: no other is better")
        return Expectation("failover", (primary.region,), {primary.region: 1.0}, words)
    used = secondary or members[0]
    return Expectation("failover", (used.region,), {used.region: 1.0}, "the secondary: the primary is unhealthy")


def _even(members: Sequence[Member]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for member in members:
        shares[member.region] = shares.get(member.region, 0.0) + 1 / len(members)
    return shares


def _regions(members: Iterable[Member]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(member.region for member in members))


def _member(record: RecordSet, healthy: bool) -> Member:
    raw = record.raw
    endpoint = _ENDPOINT.search(f".{record.target}.")
    known = named_region(record.set_identifier) or (endpoint[1] if endpoint else "") or str(raw.get("Region", ""))
    return Member(
        region=known or record.set_identifier or record.target or ", ".join(record.values),
        policy=policy_of(record),
        type=record.type,
        target=record.target,
        values=record.values,
        healthy=healthy,
        ttl=record.ttl,
        weight=int(raw.get("Weight", 0)),
        role=str(raw.get("Failover", "")),
    )


async def check_is_healthy(aws: AwsClient, check_id: str) -> bool:
    """Whether Route 53 counts a check as healthy; without a status, or where it does not exist, it does (section 6.3)."""
    check = await find_health_check(aws, check_id)
    if check is None:
        return True
    inverted = bool(check.config.get("Inverted"))
    if check.config.get("Disabled"):
        return not inverted
    seen = await observations(aws, check.id)
    if not seen:
        return True
    return (sum(each.healthy for each in seen) / len(seen) > HEALTHY_SHARE) != inverted
