"""The IAM actions that a stack takes, derived from the resources that its rendered template declares.

CloudFormation acts with the caller's permissions, so whoever sets up a stack needs them all
(docs/aws-behaviours.md, section 3.6).
"""

from __future__ import annotations

from collections.abc import Sequence

from workshop.steps.base import Permission, Phase
from workshop.steps.template import Declared

__all__ = ["stack_permissions"]

STACK = {
    Phase.SETUP: (
        "CreateStack", "DescribeStacks", "DescribeStackEvents", "GetTemplate", "CreateChangeSet", "DescribeChangeSet",
        "ExecuteChangeSet", "DeleteChangeSet", "ContinueUpdateRollback", "DeleteStack", "TagResource",
    ),
    Phase.TEARDOWN: ("DeleteStack", "DescribeStacks", "DescribeStackEvents", "GetTemplate"),
    Phase.CHECK: ("DescribeStacks", "GetTemplate"),
}  # fmt: skip
LAMBDA_SETUP = (
    "CreateFunction", "GetFunction", "GetFunctionConfiguration", "UpdateFunctionCode", "UpdateFunctionConfiguration",
    "TagResource", "ListTags", "AddPermission", "RemovePermission", "GetPolicy",
)  # fmt: skip
ROLE_SETUP = ("CreateRole", "GetRole", "PutRolePolicy", "GetRolePolicy", "PassRole", "TagRole", "UpdateAssumeRolePolicy")
ROLE_TEARDOWN = ("DeleteRole", "DeleteRolePolicy", "GetRole", "ListRoleTags")
LOGS_SETUP = ("CreateLogGroup", "PutRetentionPolicy", "TagResource", "DescribeLogGroups")
API_VERBS = {Phase.SETUP: ("GET", "POST", "PUT", "PATCH", "DELETE"), Phase.TEARDOWN: ("GET", "DELETE"), Phase.CHECK: ("GET",)}


def stack_permissions(account: str, region: str, stack: str, resources: Sequence[Declared]) -> list[Permission]:
    """What setup, teardown and check of this stack need in this region."""
    arn = f"arn:aws:cloudformation:{region}:{account}:stack/{stack}/*"
    needed: set[Permission] = set()
    for phase, actions in STACK.items():
        needed |= _phase("cloudformation", actions, arn, region, phase)
    for resource in resources:
        needed |= _of(resource, account, region, stack)
    return sorted(needed)


def _of(resource: Declared, account: str, region: str, stack: str) -> set[Permission]:
    match resource.type.split("::")[1:]:
        case ["Lambda", *_]:
            arn = f"arn:aws:lambda:{region}:{account}:function:{resource.name or f'{stack}-*'}"
            return _phase("lambda", LAMBDA_SETUP, arn, region, Phase.SETUP) | _phase(
                "lambda", ("DeleteFunction", "GetFunction", "RemovePermission"), arn, region, Phase.TEARDOWN
            )
        case ["IAM", "Role"]:
            arn = f"arn:aws:iam::{account}:role/{resource.name or f'{stack}-*'}"
            everything = f"arn:aws:iam::{account}:role/*"
            return (
                _phase("iam", ROLE_SETUP, arn, "", Phase.SETUP)
                | _phase("iam", ROLE_TEARDOWN, arn, "", Phase.TEARDOWN)
                | _phase("iam", ("ListRoles",), everything, "", Phase.TEARDOWN)
            )
        case ["Logs", "LogGroup"]:
            arn = f"arn:aws:logs:{region}:{account}:log-group:{resource.name or f'{stack}-*'}*"
            return _phase("logs", LOGS_SETUP, arn, region, Phase.SETUP) | _phase(
                "logs", ("DeleteLogGroup", "DescribeLogGroups"), arn, region, Phase.TEARDOWN
            )
        case ["ApiGateway", *_]:
            arns = (f"arn:aws:apigateway:{region}::/restapis", f"arn:aws:apigateway:{region}::/restapis/*",
                    f"arn:aws:apigateway:{region}::/tags/*")  # fmt: skip
            return {
                Permission(f"apigateway:{verb}", arn, region, phase)
                for phase, verbs in API_VERBS.items() for verb in verbs for arn in arns
            }  # fmt: skip
    return set()


def _phase(service: str, actions: Sequence[str], arn: str, region: str, phase: Phase) -> set[Permission]:
    return {Permission(f"{service}:{action}", arn, region, phase) for action in actions}
