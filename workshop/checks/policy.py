"""From the permissions that steps and checks name to IAM policies that grant exactly them. Pure.

Statements hold together what has the same actions, so that a table in two regions is one of them; what IAM knows only as `*` is
narrowed by region instead.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from workshop.steps.base import Permission

__all__ = ["INLINE", "MANAGED", "Statement", "document", "policies", "size", "statements"]

MANAGED, INLINE = 6_144, 10_240
"""Characters, white space aside, of a managed policy and of a role's inline policies (docs/aws-behaviours.md, section 8)."""
VERSION = "2012-10-17"
Statement = dict[str, Any]
"""One statement in IAM's own form."""
NAMES = {
    "account": "Account", "apigateway": "ApiGateway", "cloudformation": "CloudFormation", "cloudwatch": "CloudWatch",
    "dynamodb": "DynamoDB", "iam": "Iam", "lambda": "Lambda", "logs": "Logs", "servicequotas": "ServiceQuotas", "ssm": "Claim",
    "tag": "Tagging",
}  # fmt: skip


def statements(permissions: Iterable[Permission]) -> list[Statement]:
    """The fewest statements that grant these permissions and nothing else, in a stable order."""
    actions: dict[tuple[str, str, bool], set[str]] = defaultdict(set)
    regions: dict[tuple[str, str, bool], set[str]] = defaultdict(set)
    for permission in permissions:
        service = permission.action.partition(":")[0]
        anywhere = permission.resource == "*"
        # A `*` in one region and a `*` in all are different grants; an ARN carries its region itself.
        key = (service, permission.resource, anywhere and bool(permission.region))
        actions[key].add(permission.action)
        if key[2]:
            regions[key].add(permission.region)
    grouped: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for key, wanted in actions.items():
        grouped[key[0], tuple(sorted(wanted)), tuple(sorted(regions[key]))].append(key[1])
    return _named([_statement(service, list(wanted), sorted(resources), list(where))
                   for (service, wanted, where), resources in sorted(grouped.items())])  # fmt: skip


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
        "Sid": NAMES.get(service, service.title().replace("-", "")), "Effect": "Allow", "Action": actions,
        "Resource": resources if len(resources) > 1 else resources[0],
    }  # fmt: skip
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
