"""The name servers that decide about a name: of the zone of the account that covers it, on the local target the cloud's own.

In: a client, a target, a name or the id of a zone. Out: the zone and its servers, ready to be asked.
"""

from __future__ import annotations

from workshop.aws.client import AwsClient
from workshop.aws.dns import Authority
from workshop.aws.resources.route53 import HostedZone, covering_zone, find_zone
from workshop.aws.target import Target
from workshop.errors import WorkshopError
from workshop.steps.base import Permission, Phase
from workshop.steps.route53.service import route53_permissions

__all__ = ["authority_permissions", "zone_and_authority"]


async def zone_and_authority(aws: AwsClient, target: Target, name: str, zone_id: str = "") -> tuple[HostedZone, Authority]:
    """The zone that `name` is in (`zone_id` where it is known) and its name servers. Raises `WorkshopError` without one."""
    zone = await find_zone(aws, zone_id) if zone_id else await covering_zone(aws, name)
    if zone is None:
        raise WorkshopError(
            what=f"No public zone of this account has the name {name}.",
            why=f"The zone {zone_id} does not exist." if zone_id else "Neither it nor a name above it is a zone here.",
            fix="See the zones: aws route53 list-hosted-zones",
            code="NoZone",
        )
    return zone, target.authority(zone.servers)


def authority_permissions(*phases: Phase) -> list[Permission]:
    """What finding the zone of a name takes."""
    return route53_permissions(dict.fromkeys(phases, ("ListHostedZonesByName", "GetHostedZone")))
