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

__all__ = [
    "INLINE",
    "MANAGED",
    "Statement",
    "document",
    "everywhere",
    "needed_permissions",
    "policies",
    "size",
    "statements",
    "why_everything",
]

MANAGED = 6_144
"""Characters of a managed policy at most, not counting white space (docs/aws-behaviours.md, section 8)."""
INLINE = 10_240
"""Characters of all inline policies of a role at most, not counting white space (the same section)."""
VERSION = "2012-10-17"
Statement = dict[str, Any]
"""One statement in IAM's own form."""
LISTING_BY_NAME = {
    "cloudformation:DescribeStacks": "asked for the stacks of every name; what IAM checks that on is not documented",
}
"""Actions for which IAM knows resources that mean another use of them, each with why `*` is needed here."""
NAMES = {
    "account": "Account",
    "apigateway": "ApiGateway",
    "cloudformation": "CloudFormation",
    "cloudfront": "CloudFront",
    "cloudwatch": "CloudWatch",
    "cognito-idp": "Cognito",
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
    named: dict[tuple[str, str, tuple[str, ...]], set[str]] = defaultdict(set)
    anywhere: dict[tuple[str, str], set[str]] = defaultdict(set)
    for permission in permissions:
        service = permission.action.partition(":")[0]
        if permission.resource == "*" and permission.region:
            anywhere[service, permission.action].add(permission.region)
        else:  # an ARN carries its region itself
            named[service, permission.resource, permission.passed_to].add(permission.action)
    resources: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for (service, resource, passed_to), actions in named.items():
        resources[service, tuple(sorted(actions)), passed_to].append(resource)
    narrowed: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (service, action), regions in anywhere.items():
        narrowed[service, tuple(sorted(regions))].append(action)
    parts = [
        _statement(service, list(actions), sorted(found), "iam:PassedToService", passed_to)
        for (service, actions, passed_to), found in resources.items()
    ]
    parts += [
        _statement(service, sorted(actions), ["*"], "aws:RequestedRegion", regions)
        for (service, regions), actions in narrowed.items()
    ]
    return _named(sorted(parts, key=lambda part: (part["Sid"], part["Action"], str(part["Resource"]))))


def document(parts: Sequence[Statement]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": VERSION, "Statement": [dict(part) for part in parts]}


def size(policy: dict[str, Any]) -> int:
    """The characters that IAM counts: white space does not."""
    return len(json.dumps(policy, separators=(",", ":")))


def policies(parts: Sequence[Statement], most: int = MANAGED) -> list[dict[str, Any]]:
    """The statements as documents of at most `most` characters each. One that does not fit by itself is cut: its resources, then
    its actions, are shared among several, which allow the same together."""
    found: list[list[Statement]] = [[]]
    for part in (each for whole in parts for each in _cut(whole, most)):
        if found[-1] and size(document([*found[-1], part])) > most:
            found.append([])
        found[-1].append(part)
    return [document(each) for each in found]


def everywhere(parts: Iterable[Statement]) -> dict[str, str]:
    """The actions that these statements allow on `*`, each with why."""
    return {action: why_everything(action) for part in parts if part["Resource"] == "*" for action in part["Action"]}


def why_everything(action: str) -> str:
    """Why a statement allows an action on `*`, for people."""
    verb = action.partition(":")[2]
    if action in LISTING_BY_NAME:
        return LISTING_BY_NAME[action]
    if verb.startswith(("Create", "Request")):
        return "what it makes has no ARN before it exists, and IAM knows no other resource for it"
    return "it only reads, and IAM knows no resource for it"


def _cut(part: Statement, most: int) -> list[Statement]:
    """The statement, or halves of it where it does not fit into a document by itself; what cannot be halved stays as it is."""
    if size(document([part])) <= most:
        return [part]
    for key in ("Resource", "Action"):
        values = part[key]
        if isinstance(values, list) and len(values) > 1:
            middle = len(values) // 2
            halves = {"A": values[:middle], "B": values[middle:]}
            return [
                each
                for letter, half in halves.items()
                for each in _cut({**part, "Sid": part["Sid"] + letter, key: _plain(half) if key == "Resource" else half}, most)
            ]
    return [part]


def _statement(service: str, actions: list[str], resources: list[str], key: str, values: Sequence[str]) -> Statement:
    """Under the condition that `key` has one of the values, where there are any."""
    statement: Statement = {
        "Sid": NAMES.get(service, service.title().replace("-", "")),
        "Effect": "Allow",
        "Action": actions,
        "Resource": _plain(resources),
    }
    if values:
        statement["Condition"] = {"StringEquals": {key: _plain(list(values))}}
    return statement


def _plain(values: list[str]) -> str | list[str]:
    return values if len(values) > 1 else values[0]


def _named(parts: list[Statement]) -> list[Statement]:
    """Sids have to differ: the second statement of a service is numbered."""
    seen: dict[str, int] = defaultdict(int)
    for part in parts:
        seen[part["Sid"]] += 1
        if seen[part["Sid"]] > 1:
            part["Sid"] = f"{part['Sid']}{seen[part['Sid']]}"
    return parts
