"""Health checks as their kind declares them: service, resource type, quota (docs/aws-behaviours.md, sections 6.5 and 6.12)."""

from __future__ import annotations

from workshop.aws.client import AwsClient
from workshop.aws.resources.health_checks import health_check_limit
from workshop.steps.declarations import AccessProof, Quota, ResourceType, Service

__all__ = ["HEALTH_CHECK", "ROUTE53", "HealthCheckQuota"]

ROUTE53 = Service("route53", AccessProof("list_hosted_zones", "route53:ListHostedZones", {"MaxItems": "1"}))
HEALTH_CHECK = ResourceType(
    "health-check",
    "health check",
    usd_a_month=2.75,
    upkeep="a check at $0.75, HTTPS at $1, and fast checking at $1; it is paid whether records use it or not",
)


class HealthCheckQuota(Quota):
    """Health checks of the account."""

    name = "health-checks"
    what = "health checks"
    action = "route53:CreateHealthCheck"
    service = "route53"
    code = "L-ACB674F3"
    default = 200
    is_global = True
    actions = (("route53:GetAccountLimit", "*"),)

    async def used(self, aws: AwsClient, region: str) -> int:  # noqa: ARG002
        return (await health_check_limit(aws))[0]

    async def limit(self, aws: AwsClient, region: str) -> int:  # noqa: ARG002
        return (await health_check_limit(aws))[1]
