"""The records of a `route53.records` step: what it wants, and how that compares with what a zone has.

In: the step's settings, the workshop's regions. Out: record sets in botocore's form, the TXT record that shows whose they are,
and comparisons that know spellings. Pure (docs/aws-behaviours.md, sections 6.2, 6.4 and 6.11).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from workshop.aws.resources.route53 import RecordSet, plain_name
from workshop.errors import DefinitionError
from workshop.quoting import shown
from workshop.steps.context import Params
from workshop.steps.route53.service import DomainName
from workshop.steps.settings import PerRegion

__all__ = [
    "ADDRESSED",
    "OWNERSHIP_TTL",
    "Policy",
    "RecordTarget",
    "RecordsParams",
    "is_same_record",
    "marked_name",
    "owner_texts",
    "ownership_name",
    "ownership_record",
    "require_policy",
    "set_identifier",
    "wanted_records",
]

ADDRESSED = frozenset({"A", "AAAA", "CNAME"})
"""The types of records that lead to an endpoint."""
OWNER_LABEL = "_workshop"
"""The label before a name of ours, with a text that names its owner."""
OWNERSHIP_TTL = 60
MOST_TXT = 255
"""The longest string of a TXT record (RFC 1035, section 3.3.14)."""
WEIGHT = 100
CONTINENTS = {"af": "AF", "ap": "AS", "ca": "NA", "eu": "EU", "il": "AS", "me": "AS", "mx": "NA", "sa": "SA", "us": "NA"}
"""The continent of a region by the beginning of its name: where a target without a `place` serves."""
_PLACE = re.compile(r"\*|continent:(AF|AN|AS|EU|NA|OC|SA)|[A-Z]{2}(-[A-Z0-9]{1,3})?")
_OWNER = re.compile(r"workshop=(?P<workshop>\S+)(?: step=(?P<step>\S+))?(?: run=(?P<run>\S+))?(?: adopted=(?P<adopted>\S+))?")
Policy = Literal["simple", "weighted", "latency", "geolocation", "failover", "multivalue"]


class RecordTarget(BaseModel):
    """What the record of one region points at, and the health check that withdraws it: both from one entry, so that they belong
    to one region. `weight` counts for the policy weighted, `place` for geolocation, `role` for failover.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[str, Field(max_length=255, pattern=r"^[A-Za-z0-9._:-]*$")] = ""
    health: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_-]*$")] = ""
    weight: Annotated[int, Field(ge=0, le=255)] = WEIGHT
    place: str = ""
    role: Literal["", "primary", "secondary"] = ""

    @field_validator("place")
    @classmethod
    def _is_place(cls, place: str) -> str:
        if place and not _PLACE.fullmatch(place):
            raise ValueError("a place is a continent (continent:EU), a country (SG), a state (US-OR), or * for everywhere else")
        return place


class RecordsParams(Params):
    """`targets` is one entry, filled in for each region. `ttl` is in seconds. `aliases` makes alias records, which have the TTL
    of their target; AWS recommends health checks on records that are no aliases.
    """

    zone: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_-]*$")]
    name: DomainName
    policy: Policy = "weighted"
    ttl: Annotated[int, Field(ge=0, le=86_400)] = 60
    targets: Annotated[tuple[RecordTarget, ...], PerRegion()]
    aliases: bool = False


def wanted_records(
    params: RecordsParams, workshop: str, regions: Sequence[str], here: str, alias_zone: Callable[[str, str], str]
) -> list[dict[str, Any]]:
    """The record sets of the name: for the policy simple one, that of the region `here`; else one per region.

    `alias_zone` returns the hosted zone of a host in a region, empty when it has none. Raises `DefinitionError` for settings that
    Route 53 would refuse.
    """
    pairs = _pairs(params, regions, here)
    require_policy(params, regions, here)
    for region, target in pairs:
        if not target.host:
            raise _wrong(params.name, f"its target in {region} has no host", "Give `host` in `targets`.")
        if params.policy == "multivalue" and not _address_type(target.host):
            why = f"the policy multivalue takes addresses, and {shown(target.host)} is a name"
            raise _wrong(params.name, why, "Use the policy weighted, with equal weights.")
    places = _places(pairs) if params.policy == "geolocation" else {}
    found = []
    for region, target in pairs:
        record = {"Name": f"{plain_name(params.name)}.", **_content(params, region, target, alias_zone)}
        if params.policy != "simple":
            record["SetIdentifier"] = set_identifier(workshop, region)
        record |= _routing(params.policy, region, target, is_first=region == regions[0], place=places.get(region, {}))
        if target.health and params.policy != "simple":
            record["HealthCheckId"] = target.health
        found.append(record)
    return found


def set_identifier(workshop: str, region: str) -> str:
    """What distinguishes a record of ours from the others of its name."""
    return f"{workshop}:{region}"


def ownership_name(name: str) -> str:
    """The name of the TXT record that shows whose the records of `name` are."""
    return f"{OWNER_LABEL}.{plain_name(name)}"


def marked_name(record: RecordSet) -> str:
    """The name that such a TXT record belongs to; empty for other records."""
    label, _, name = record.name.partition(".")
    return name if record.type == "TXT" and label == OWNER_LABEL else ""


def ownership_record(name: str, workshop: str, step: str, run: str, adopted: str = "") -> dict[str, Any]:
    """That TXT record. `adopted` is a time (ISO 8601) where another hand made the records."""
    text = f"workshop={workshop} step={step} run={run}" + (f" adopted={adopted}" if adopted else "")
    return {
        "Name": f"{ownership_name(name)}.",
        "Type": "TXT",
        "TTL": OWNERSHIP_TTL,
        "ResourceRecords": [{"Value": f'"{text[:MOST_TXT]}"'}],
    }


def owner_texts(records: Iterable[RecordSet], name: str) -> dict[str, str]:
    """`workshop`, `step`, `run` and `adopted` of the ownership TXT record of a name; empty without one of our form."""
    for record in records:
        if record.type == "TXT" and record.name == ownership_name(name):
            for value in record.values:
                found = _OWNER.fullmatch(value.strip('"'))
                if found:
                    return {key: text for key, text in found.groupdict().items() if text}
    return {}


def is_same_record(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two record sets are equal, whatever their spelling."""
    return _canonical(one) == _canonical(other)


def _canonical(raw: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in raw.items() if value not in (None, "", [])}
    found["Name"] = plain_name(raw["Name"])
    if "ResourceRecords" in found:
        hosts = raw["Type"] == "CNAME"
        found["ResourceRecords"] = sorted(plain_name(v["Value"]) if hosts else v["Value"] for v in raw["ResourceRecords"])
    if "AliasTarget" in found:
        found["AliasTarget"] = {**raw["AliasTarget"], "DNSName": plain_name(raw["AliasTarget"]["DNSName"])}
    return found


def require_policy(params: RecordsParams, regions: Sequence[str], here: str) -> None:
    """Raises `DefinitionError` for targets that their policy does not take in these regions, with what to change."""
    pairs, name = _pairs(params, regions, here), params.name
    if params.policy == "failover":
        roles = [_role(region, target, regions[0]) for region, target in pairs]
        if sorted(roles) != ["PRIMARY", "SECONDARY"]:
            why = f"the policy failover takes one primary and one secondary record, and there are {', '.join(roles)}"
            raise _wrong(name, why, "Set the workshop up in two regions, or choose another policy.")
    if params.policy == "weighted" and pairs and all(target.weight == 0 for _, target in pairs):
        raise _wrong(name, "every weight is 0", "Give one target a weight above 0.")
    if params.policy == "geolocation":
        _places(pairs)


def _pairs(params: RecordsParams, regions: Sequence[str], here: str) -> list[tuple[str, RecordTarget]]:
    """The targets that become records, each with its region."""
    every = zip(regions, params.targets, strict=True)
    return [(region, target) for region, target in every if params.policy != "simple" or region == here]


def _role(region: str, target: RecordTarget, home: str) -> str:
    """PRIMARY or SECONDARY: as it is given, else the home region is the primary."""
    return target.role.upper() or ("PRIMARY" if region == home else "SECONDARY")


def _places(pairs: Sequence[tuple[str, RecordTarget]]) -> dict[str, dict[str, str]]:
    """The place of each region: as it is given; else everywhere for home, the continent that it is in for the others."""
    found: dict[str, dict[str, str]] = {}
    for number, (region, target) in enumerate(pairs):
        place = target.place or ("*" if number == 0 else f"continent:{CONTINENTS.get(region.partition('-')[0], 'NA')}")
        taken = next((other for other, known in found.items() if known == _location(place)), "")
        if taken:
            raise _wrong(region, f"{place} is the place of {taken} already", "Give each target a `place` of its own.")
        found[region] = _location(place)
    return found


def _location(place: str) -> dict[str, str]:
    if place.startswith("continent:"):
        return {"ContinentCode": place.partition(":")[2]}
    country, _, subdivision = place.partition("-")
    return {"CountryCode": country, **({"SubdivisionCode": subdivision} if subdivision else {})}


def _routing(policy: Policy, region: str, target: RecordTarget, *, is_first: bool, place: Mapping[str, str]) -> dict[str, Any]:
    match policy:
        case "weighted":
            return {"Weight": target.weight}
        case "latency":
            return {"Region": region}
        case "geolocation":
            return {"GeoLocation": dict(place)}
        case "failover":
            return {"Failover": _role(region, target, region if is_first else "")}
        case "multivalue":
            return {"MultiValueAnswer": True}
    return {}


def _content(params: RecordsParams, region: str, target: RecordTarget, alias_zone: Callable[[str, str], str]) -> dict[str, Any]:
    if not params.aliases:
        host = target.host.rstrip(".").lower()
        values = [{"Value": host}]
        return {"Type": _address_type(host) or "CNAME", "TTL": params.ttl, "ResourceRecords": values}
    zone = alias_zone(region, plain_name(target.host))
    if not zone:
        why = f"{shown(target.host)} is no custom domain's regional name in {region}, and only such a name takes an alias here"
        raise _wrong(params.name, why, "Leave `aliases` out: a CNAME leads to any name.")
    there = {"HostedZoneId": zone, "DNSName": f"{plain_name(target.host)}.", "EvaluateTargetHealth": False}
    return {"Type": "A", "AliasTarget": there}


def _address_type(host: str) -> str:
    """A or AAAA for an address, empty for a name."""
    try:
        return "A" if ipaddress.ip_address(host).version == 4 else "AAAA"
    except ValueError:
        return ""


def _wrong(name: str, why: str, fix: str) -> DefinitionError:
    return DefinitionError(what=f"The records of {shown(name)} cannot be written.", why=f"{why[0].upper()}{why[1:]}.", fix=fix)
