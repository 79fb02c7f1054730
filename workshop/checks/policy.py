"""IAM policies that grant exactly what steps, commands and checks need. In: permissions. Out: statements and documents. Pure.

Resources with the same actions share a statement, so that a table in two regions is one; what IAM knows only as `*` is narrowed
by region instead.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from workshop.checks.claim import command_permissions
from workshop.checks.context import CheckContext
from workshop.checks.registry import all_checks
from workshop.steps.base import Permission, Phase

__all__ = ["INLINE", "MANAGED", "Statement", "document", "needed_permissions", "policies", "size", "statements"]

MANAGED = 6_144
"""Characters of a managed policy at most, not counting white space (docs/aws-behaviours.md, section 8)."""
INLINE = 10_240
"""Characters of all inline policies of a role at most, not counting white space (the same section)."""
VERSION = "2012-10-17"
Statement = dict[str, Any]
"""One statement in IAM's own form."""
NAMES = {
    "account": "Account",
    "apigateway": "ApiGateway",
    "cloudformation": "CloudFormation",
    "cloudwatch": "CloudWatch",
    "dynamodb": "DynamoDB",
    "iam": "Iam",
    "lambda": "Lambda",
    "logs": "Logs",
    "servicequotas": "ServiceQuotas",
    "ssm": "Claim",
    "tag": "Tagging",
}


def needed_permissions(context: CheckContext) -> list[Permission]:
    """What the steps need in all phases, and what the commands and the checks need themselves."""
    own = {p for check in all_checks(context) for p in check.permissions() if p.phase is Phase.CHECK}
    return sorted({*context.permissions(), *command_permissions(context), *own})


def statements(permissions: Iterable[Permission]) -> list[Statement]:
    """The fewest statements that grant these permissions and nothing else, in a stable order."""
    named: dict[tuple[str, str], set[str]] = defaultdict(set)
    anywhere: dict[tuple[str, str], set[str]] = defaultdict(set)
    for permission in permissions:
        service = permission.action.partition(":")[0]
        if permission.resource == "*" and permission.region:
            anywhere[service, permission.action].add(permission.region)
        else:  # an ARN carries its region itself
            named[service, permission.resource].add(permission.action)
    resources: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (service, resource), actions in named.items():
        resources[service, tuple(sorted(actions))].append(resource)
    narrowed: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (service, action), regions in anywhere.items():
        narrowed[service, tuple(sorted(regions))].append(action)
    parts = [_statement(service, list(actions), sorted(found), []) for (service, actions), found in resources.items()]
    parts += [_statement(service, sorted(actions), ["*"], list(regions)) for (service, regions), actions in narrowed.items()]
    return _named(sorted(parts, key=lambda part: (part["Sid"], part["Action"], str(part["Resource"]))))


def document(parts: Sequence[Statement]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": VERSION, "Statement": [dict(part) for part in parts]}


def size(policy: dict[str, Any]) -> int:
    """The characters that IAM counts: white space does not."""
    return len(json.dumps(policy, separators=(",", ":")))


def policies(parts: Sequence[Statement], most: int = MANAGED) -> list[dict[str, Any]]:
    """The statements as documents of at most `most` characters each; one statement is never cut."""
    found: list[list[Statement]] = [[]]
    for part in parts:
        if found[-1] and size(document([*found[-1], part])) > most:
            found.append([])
        found[-1].append(part)
    return [document(each) for each in found]


def _statement(service: str, actions: list[str], resources: list[str], regions: list[str]) -> Statement:
    statement: Statement = {
        "Sid": NAMES.get(service, service.title().replace("-", "")),
        "Effect": "Allow",
        "Action": actions,
        "Resource": resources if len(resources) > 1 else resources[0],
    }
    if regions:
        statement["Condition"] = {"StringEquals": {"aws:RequestedRegion": regions if len(regions) > 1 else regions[0]}}
    return statement


def _named(parts: list[Statement]) -> list[Statement]:
    """Sids have to differ: the second statement of a service is numbered."""
    seen: dict[str, int] = defaultdict(int)
    for part in parts:
        seen[part["Sid"]] += 1
        if seen[part["Sid"]] > 1:
            part["Sid"] = f"{part['Sid']}{seen[part['Sid']]}"
    return parts
