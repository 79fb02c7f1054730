"""What one type of resource takes in IAM's actions, and the permissions that follow for each phase.

In: actions by purpose, ARNs, a region. Out: permissions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workshop.steps.base import Permission, Phase

__all__ = ["ANYWHERE", "Actions", "by_phase"]

ANYWHERE = frozenset(
    {
        "acm:RequestCertificate",
        "cloudfront:CreateDistribution",
        "cloudfront:CreateDistributionWithTags",
        "cloudfront:CreateOriginAccessControl",
        "cloudfront:CreateResponseHeadersPolicy",
        "cognito-idp:CreateUserPool",
        "cognito-idp:DescribeUserPoolDomain",
        "logs:DescribeIndexPolicies",
    }
)
"""Actions that IAM knows on no resource: a statement with an ARN would not allow them (docs/aws-behaviours.md, section 8)."""


@dataclass(frozen=True, slots=True)
class Actions:
    """What one type of resource takes: to be made or changed, to be removed, to be drilled, and to be looked for."""

    make: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    drill: tuple[str, ...] = ()
    look: tuple[str, ...] = ()


def by_phase(actions: Actions, arns: Sequence[str], region: str) -> set[Permission]:
    """Setup needs what removal needs: a creation that fails is rolled back, a dead stack is deleted and made again."""
    phases = {
        Phase.SETUP: (*actions.make, *actions.remove, *actions.look),
        Phase.TEARDOWN: (*actions.remove, *actions.look),
        Phase.DRILL: (*actions.drill, *actions.look),
        Phase.CHECK: actions.look,
    }
    return {
        Permission(action, "*" if action in ANYWHERE else arn, region, phase)
        for phase, names in phases.items()
        for action in names
        for arn in arns
    }
