"""Route 53 as the step kinds declare it: the service, its resource types, its quotas (docs/aws-behaviours.md, section 6.5)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from workshop.aws.client import AwsClient
from workshop.aws.resources.route53 import CONTROL_REGION
from workshop.steps.base import Permission, Phase
from workshop.steps.declarations import AccessProof, Quota, ResourceType, Service

__all__ = ["ACM", "GLOBAL", "RECORD", "ROUTE53", "ZONE", "ZONE_ARNS", "DomainName", "ZoneQuota", "route53_permissions"]

ROUTE53 = Service("route53", AccessProof("list_hosted_zones", "route53:ListHostedZones", {"MaxItems": "1"}))
ACM = Service("acm", AccessProof("list_certificates", "acm:ListCertificates", {"MaxItems": 1}))
DomainName = Annotated[str, Field(max_length=255, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+\.?$")]
"""A name with two labels at least; no program takes it for an option."""
GLOBAL = "global"
"""In place of a region, of resources that belong to none."""
ZONE = ResourceType(
    "hosted-zone",
    "hosted zone",
    usd_a_month=0.50,
    upkeep="a hosted zone at $0.50; nothing when it is deleted within 12 hours",
)
RECORD = ResourceType("dns-record", "DNS record")
ZONE_ARNS = "arn:aws:route53:::hostedzone/*"
"""A zone's id is not known before it exists."""
CHANGE_ARNS = "arn:aws:route53:::change/*"
_RESOURCES = {
    "CreateHostedZone": "*",
    "ListHostedZones": "*",
    "ListHostedZonesByName": "*",
    "GetChange": CHANGE_ARNS,
}
"""What IAM checks an action on, where that is not a zone."""


def route53_permissions(actions: dict[Phase, tuple[str, ...]]) -> list[Permission]:
    """The permissions for actions of Route 53, named without its prefix."""
    return [
        Permission(f"route53:{action}", _RESOURCES.get(action, ZONE_ARNS), "", phase)
        for phase, names in actions.items()
        for action in names
    ]


class ZoneQuota(Quota):
    """Hosted zones of the account, by Route 53's own figures."""

    name = "hosted-zones"
    what = "hosted zones"
    action = "route53:CreateHostedZone"
    service = "route53"
    code = "L-4EA4796A"
    default = 500
    is_global = True
    actions = (("route53:GetAccountLimit", "*"),)

    async def used(self, aws: AwsClient, region: str) -> int:  # noqa: ARG002
        return int((await _limit(aws))["Count"])

    async def limit(self, aws: AwsClient, region: str) -> int:  # noqa: ARG002
        return int((await _limit(aws))["Limit"]["Value"])


async def _limit(aws: AwsClient) -> dict[str, Any]:
    return await aws.call("route53", CONTROL_REGION, "get_account_limit", Type="MAX_HOSTED_ZONES_BY_OWNER")
