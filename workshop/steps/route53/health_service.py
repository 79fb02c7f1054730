"""Health checks as their kind declares them: service, resource type, quota (docs/aws-behaviours.md, sections 6.5 and 6.12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workshop.steps.base import Permission, Phase
from workshop.steps.declarations import ResourceType
from workshop.steps.route53.service import AccountQuota

__all__ = ["CHECK_ARNS", "HEALTH_CHECK", "HealthCheckQuota", "health_permissions"]

HEALTH_CHECK = ResourceType(
    "health-check",
    "health check",
    usd_a_month=2.75,
    upkeep="a check at $0.75, HTTPS at $1, and fast checking at $1; it is paid whether records use it or not",
)


CHECK_ARNS = "arn:aws:route53:::healthcheck/*"
"""A check's id is not known before it exists."""
_UNNAMED = ("ListHealthChecks", "CreateHealthCheck")
"""Actions that IAM checks on no particular health check."""


def health_permissions(actions: Mapping[Phase, Sequence[str]]) -> list[Permission]:
    """The permissions for actions on health checks, named without the prefix of Route 53."""
    return [
        Permission(f"route53:{action}", "*" if action in _UNNAMED else CHECK_ARNS, "", phase)
        for phase, names in actions.items()
        for action in names
    ]


class HealthCheckQuota(AccountQuota):
    """Health checks of the account."""

    name = "health-checks"
    what = "health checks"
    action = "route53:CreateHealthCheck"
    code = "L-ACB674F3"
    default = 200
    counted = "MAX_HEALTH_CHECKS_BY_OWNER"
