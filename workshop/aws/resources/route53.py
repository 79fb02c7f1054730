"""Hosted zones and record sets of Route 53 as the steps need them: listed page by page, changed in batches, tagged.

In: an `AwsClient`, a name, an id. Out: frozen values with names as people write them: small letters, no dot at the end, `*` for a
wildcard. Route 53 is global; its API is called in us-east-1 (docs/aws-behaviours.md, sections 6.4 and 6.5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workshop.aws.client import AwsClient, AwsResponse
from workshop.aws.errors import AwsError
from workshop.waiting import Waiting, wait_until

__all__ = [
    "CONTROL_REGION",
    "HostedZone",
    "RecordSet",
    "account_limit",
    "change_and_wait",
    "change_records",
    "covering_zone",
    "covering_zones",
    "create_zone",
    "delete_zone",
    "find_zone",
    "list_zones",
    "plain_name",
    "record_sets",
    "records_at",
    "tag_zone",
    "untag_zone",
    "wait_insync",
    "zone_tags",
    "zones_named",
]

CONTROL_REGION = "us-east-1"
"""The region in which Route 53's API is called; what it manages belongs to none."""
TAGS_PER_CALL = 10
"""Zones or health checks of one ListTagsForResources."""
INSYNC_DEADLINE = 600.0
"""Seconds until a change has to be INSYNC: mostly it is within 60 (section 6.4)."""
INSYNC_INTERVAL = 3.0
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class HostedZone:
    """A zone. `reference` is the CallerReference with which it was created: it is unique in the account and never changes.

    `servers` are its name servers, where the zone was described by itself; listings leave them out.
    """

    id: str
    name: str
    private: bool
    reference: str
    records: int
    comment: str = ""
    servers: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordSet:
    """One record set. `raw` is as ListResourceRecordSets has it: a deletion has to repeat it exactly."""

    name: str
    type: str
    raw: Mapping[str, Any]

    @property
    def values(self) -> tuple[str, ...]:
        """The values as they are stored; empty for an alias."""
        return tuple(value["Value"] for value in self.raw.get("ResourceRecords", ()))

    @property
    def target(self) -> str:
        """The name that it leads to: of a CNAME or an alias; empty for other records."""
        alias = self.raw.get("AliasTarget")
        if alias is not None:
            return plain_name(alias["DNSName"])
        return plain_name(self.values[0]) if self.type == "CNAME" and self.values else ""

    @property
    def ttl(self) -> int:
        """In seconds; 0 for an alias, which has that of its target."""
        return int(self.raw.get("TTL", 0))

    @property
    def set_identifier(self) -> str:
        """What distinguishes it in its group; empty for a simple record."""
        return str(self.raw.get("SetIdentifier", ""))

    @property
    def health_check(self) -> str:
        """The id of its health check, or an empty text."""
        return str(self.raw.get("HealthCheckId", ""))


def plain_name(name: str) -> str:
    """A domain name as people write it: small letters, no dot at the end, Route 53's octal escapes undone (`\\052` is `*`)."""
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), name).rstrip(".").lower()


async def list_zones(aws: AwsClient) -> list[HostedZone]:
    """All zones of the account."""
    found: list[HostedZone] = []
    page: dict[str, str] = {}
    while True:
        response = await _call(aws, "list_hosted_zones", **page)
        found += [_zone(zone) for zone in response.get("HostedZones", [])]
        if not response.get("IsTruncated"):
            return found
        page = {"Marker": response["NextMarker"]}


async def zones_named(aws: AwsClient, name: str) -> list[HostedZone]:
    """The public zones of exactly that name, the order is Route 53's. Two may have one name (section 6.5)."""
    wanted, found = plain_name(name), list[HostedZone]()
    page: dict[str, str] = {"DNSName": f"{wanted}."}
    while True:
        response = await _call(aws, "list_hosted_zones_by_name", **page)
        zones = [_zone(zone) for zone in response.get("HostedZones", [])]
        found += [zone for zone in zones if zone.name == wanted and not zone.private]
        # The listing is sorted by name, so that it is over when another name begins.
        if not response.get("IsTruncated") or any(zone.name != wanted for zone in zones):
            return found
        page = {"DNSName": response["NextDNSName"], "HostedZoneId": response["NextHostedZoneId"]}


async def covering_zones(aws: AwsClient, name: str) -> list[HostedZone]:
    """The public zones of the account with the longest name that `name` is in or below: mostly one, none when there is none."""
    labels = plain_name(name).split(".")
    for start in range(len(labels) - 1):
        found = await zones_named(aws, ".".join(labels[start:]))
        if found:
            return found
    return []


async def covering_zone(aws: AwsClient, name: str) -> HostedZone | None:
    """The first of these zones with its name servers; None when there is none."""
    found = await covering_zones(aws, name)
    return await find_zone(aws, found[0].id) if found else None


async def find_zone(aws: AwsClient, zone_id: str) -> HostedZone | None:
    """The zone with its name servers; None when it does not exist."""
    try:
        response = await _call(aws, "get_hosted_zone", Id=zone_id)
    except AwsError as error:
        if error.code == "NoSuchHostedZone":
            return None
        raise
    return _zone(response["HostedZone"], response.get("DelegationSet", {}).get("NameServers", ()))


async def create_zone(aws: AwsClient, name: str, reference: str, comment: str) -> tuple[HostedZone, str]:
    """A new public zone, and the id of its change.

    Raises `AwsError`; HostedZoneAlreadyExists means that the reference was used before, maybe by an attempt whose response was
    lost.
    """
    response = await _call(
        aws,
        "create_hosted_zone",
        Name=f"{plain_name(name)}.",
        CallerReference=reference,
        HostedZoneConfig={"Comment": comment, "PrivateZone": False},
    )
    zone = _zone(response["HostedZone"], response.get("DelegationSet", {}).get("NameServers", ()))
    return zone, _bare(response["ChangeInfo"]["Id"])


async def delete_zone(aws: AwsClient, zone_id: str) -> None:
    """Delete a zone; one that is gone is fine. Raises `AwsError`, HostedZoneNotEmpty for one with records."""
    try:
        await _call(aws, "delete_hosted_zone", Id=zone_id)
    except AwsError as error:
        if error.code != "NoSuchHostedZone":
            raise


async def record_sets(aws: AwsClient, zone_id: str) -> list[RecordSet]:
    """Every record set of a zone; none when the zone is gone."""
    return await _records(aws, zone_id, lambda _: False)


async def records_at(aws: AwsClient, zone_id: str, name: str, type: str = "") -> list[RecordSet]:
    """The record sets of one name, of one type or of all."""
    wanted = plain_name(name)
    start = {"StartRecordName": f"{wanted}.", **({"StartRecordType": type} if type else {})}

    def is_past(record: RecordSet) -> bool:
        return record.name != wanted or bool(type and record.type != type)

    found = await _records(aws, zone_id, is_past, **start)
    return [record for record in found if record.name == wanted and type in ("", record.type)]


async def change_records(
    aws: AwsClient, zone_id: str, changes: Iterable[tuple[str, Mapping[str, Any]]], comment: str = ""
) -> str:
    """Apply `(action, record set)` pairs as one batch: all or nothing; returns the id of the change.

    A zone with a change in progress refuses the next one with PriorRequestNotComplete, which the client waits out.
    """
    batch: dict[str, Any] = {
        "Changes": [{"Action": action, "ResourceRecordSet": dict(record)} for action, record in changes],
        **({"Comment": comment[:256]} if comment else {}),
    }
    response = await _call(aws, "change_resource_record_sets", HostedZoneId=zone_id, ChangeBatch=batch)
    return _bare(response["ChangeInfo"]["Id"])


async def wait_insync(aws: AwsClient, change: str, *, reason: str, waiting: Waiting) -> None:
    """Wait until every name server of Route 53 has a change; raises `WaitTimeout` after ten minutes."""

    async def insync() -> bool:
        response = await _call(aws, "get_change", Id=change)
        return bool(response["ChangeInfo"]["Status"] == "INSYNC")

    await wait_until(insync, reason=reason, deadline=INSYNC_DEADLINE, interval=INSYNC_INTERVAL, waiting=waiting)


async def change_and_wait(
    aws: AwsClient,
    zone_id: str,
    changes: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    reason: str,
    waiting: Waiting,
    comment: str = "",
) -> None:
    """`change_records`, then `wait_insync`. No changes, no call."""
    wanted = list(changes)
    if wanted:
        change = await change_records(aws, zone_id, wanted, comment)
        await wait_insync(aws, change, reason=reason, waiting=waiting)


async def zone_tags(aws: AwsClient, ids: Sequence[str], kind: str = "hostedzone") -> dict[str, dict[str, str]]:
    """The tags by id, ten ids a call; `kind` is hostedzone or healthcheck. An id that does not exist has none."""
    found: dict[str, dict[str, str]] = {each: {} for each in ids}
    for start in range(0, len(ids), TAGS_PER_CALL):
        for tagged in await _tags_of(aws, list(ids[start : start + TAGS_PER_CALL]), kind):
            found[tagged["ResourceId"]] = {tag["Key"]: tag.get("Value", "") for tag in tagged.get("Tags", [])}
    return found


async def tag_zone(aws: AwsClient, zone_id: str, tags: Mapping[str, str], kind: str = "hostedzone") -> None:
    """Add tags; `kind` as in `zone_tags`."""
    add = [{"Key": key, "Value": value} for key, value in tags.items()]
    await _call(aws, "change_tags_for_resource", ResourceType=kind, ResourceId=zone_id, AddTags=add)


async def untag_zone(aws: AwsClient, zone_id: str, keys: Sequence[str], kind: str = "hostedzone") -> None:
    """Remove the tags with these keys; those that it does not have are fine."""
    await _call(aws, "change_tags_for_resource", ResourceType=kind, ResourceId=zone_id, RemoveTagKeys=list(keys))


async def account_limit(aws: AwsClient, kind: str) -> tuple[int, int]:
    """How many of something the account has, and how many it may have; `kind` is as GetAccountLimit names it."""
    response = await _call(aws, "get_account_limit", Type=kind)
    return int(response["Count"]), int(response["Limit"]["Value"])


async def _tags_of(aws: AwsClient, ids: list[str], kind: str) -> list[dict[str, Any]]:
    """The tag sets of up to ten ids. One id that went away fails the whole call: then each is asked for by itself."""
    try:
        response = await _call(aws, "list_tags_for_resources", ResourceType=kind, ResourceIds=ids)
    except AwsError as error:
        if error.code not in ("NoSuchHostedZone", "NoSuchHealthCheck"):
            raise
        return [] if len(ids) == 1 else [tagged for each in ids for tagged in await _tags_of(aws, [each], kind)]
    return list(response.get("ResourceTagSets", []))


async def _records(aws: AwsClient, zone_id: str, is_past: Callable[[RecordSet], bool], **start: str) -> list[RecordSet]:
    """The record sets from `start` up to the page in which one `is_past`."""
    found: list[RecordSet] = []
    while True:
        try:
            response = await _call(aws, "list_resource_record_sets", HostedZoneId=zone_id, **start)
        except AwsError as error:
            if error.code == "NoSuchHostedZone":
                return []
            raise
        page = [RecordSet(plain_name(each["Name"]), each["Type"], each) for each in response.get("ResourceRecordSets", [])]
        found += page
        if not response.get("IsTruncated") or any(is_past(record) for record in page):
            return found
        start = {
            "StartRecordName": response["NextRecordName"],
            "StartRecordType": response["NextRecordType"],
            **({"StartRecordIdentifier": response["NextRecordIdentifier"]} if response.get("NextRecordIdentifier") else {}),
        }


async def _call(aws: AwsClient, operation: str, **parameters: Any) -> AwsResponse:
    return await aws.call("route53", CONTROL_REGION, operation, **parameters)


def _zone(found: Mapping[str, Any], servers: Iterable[str] = ()) -> HostedZone:
    config = found.get("Config", {})
    return HostedZone(
        _bare(found["Id"]),
        plain_name(found["Name"]),
        bool(config.get("PrivateZone")),
        found.get("CallerReference", ""),
        int(found.get("ResourceRecordSetCount", 0)),
        config.get("Comment", ""),
        tuple(plain_name(server) for server in servers),
    )


def _bare(identity: str) -> str:
    """An id without the prefix that some responses have (`/hostedzone/Z1`)."""
    return identity.rpartition("/")[2]
