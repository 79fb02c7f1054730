"""Route 53 as the step kinds declare it: the service, its resource types, its quotas (docs/aws-behaviours.md, section 6.5)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from workshop.aws.client import AwsClient
from workshop.aws.resources.route53 import account_limit
from workshop.steps.base import Permission, Phase
from workshop.steps.declarations import AccessProof, Quota, ResourceType, Service

__all__ = [
    "ACM",
    "GLOBAL",
    "RECORD",
    "ROUTE53",
    "ZONE",
    "ZONE_ARNS",
    "AccountQuota",
    "DomainName",
    "ZoneQuota",
    "route53_permissions",
]

ROUTE53 = Service("route53", AccessProof("list_hosted_zones", "route53:ListHostedZones", {"MaxItems": "1"}))
ACM = Service("acm", AccessProof("list_certificates", "acm:ListCertificates", {"MaxItems": 1}))
DomainName = Annotated[str, Field(max_length=255, pattern=r"^[A-Za-z0-9_*][A-Za-z0-9_*-]*(\.[A-Za-z0-9_*-]+)+\.?$")]
"""A name with two labels at least; no program takes it for an option. A star is a wildcard, or in a policy for any account the
number of the account."""
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


class AccountQuota(Quota):
    """A quota that Route 53 itself counts."""

    service = "route53"
    is_global = True
    actions = (("route53:GetAccountLimit", "*"),)
    counted: ClassVar[str]
    """What GetAccountLimit calls it."""

    async def used(self, aws: AwsClient, region: str) -> int:  # noqa: ARG002
        return (await account_limit(aws, self.counted))[0]

    async def limit(self, aws: AwsClient, region: str) -> int:  # noqa: ARG002
        return (await account_limit(aws, self.counted))[1]


class ZoneQuota(AccountQuota):
    """Hosted zones of the account."""

    name = "hosted-zones"
    what = "hosted zones"
    action = "route53:CreateHostedZone"
    code = "L-4EA4796A"
    default = 500
    counted = "MAX_HOSTED_ZONES_BY_OWNER"
