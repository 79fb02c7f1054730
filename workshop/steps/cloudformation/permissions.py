"""The IAM actions that a stack takes, derived from the resources that its rendered template declares.

In: an account, a region, a stack's name and its resources. Out: permissions. CloudFormation acts with the caller's permissions,
so the caller of setup needs them all. Which ones a type of resource takes is published in its schema, handler by handler
(docs/aws-behaviours.md, section 3.6); the parts of a schema that serve features no template here uses (keys, networks, code in
buckets) are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workshop.steps.base import Permission, Phase
from workshop.steps.cloudformation.actions import Actions, by_phase
from workshop.steps.cloudformation.hosting_permissions import BUCKET, BUCKET_POLICY, HOSTING, hosting_permissions
from workshop.steps.cloudformation.identity_permissions import IDENTITY, identity_permissions
from workshop.steps.cloudformation.template import FUNCTION_LOGS, Declared

__all__ = ["ACTIONS", "stack_permissions"]


STACK = Actions(
    make=(
        "CreateStack",
        "DescribeStackEvents",
        "CreateChangeSet",
        "DescribeChangeSet",
        "ExecuteChangeSet",
        "DeleteChangeSet",
        "ContinueUpdateRollback",
        "TagResource",
    ),
    remove=("DeleteStack", "DescribeStackEvents"),
    # The listing of resources and the events of a deleted stack show what it kept (section 9).
    look=("DescribeStacks", "GetTemplate", "ListStackResources", "DescribeStackEvents"),
)
ACTIONS = {
    "AWS::Lambda::Function": Actions(
        make=(
            "lambda:CreateFunction",
            "lambda:GetFunctionConfiguration",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            "lambda:TagResource",
            "lambda:UntagResource",
            "lambda:ListTags",
            "lambda:GetFunctionCodeSigningConfig",
            "lambda:GetFunctionRecursionConfig",
            "lambda:GetRuntimeManagementConfig",
        ),
        remove=("lambda:DeleteFunction",),
        drill=(
            "lambda:GetFunctionConcurrency",
            "lambda:PutFunctionConcurrency",
            "lambda:DeleteFunctionConcurrency",
            "lambda:GetFunctionConfiguration",
            "lambda:UpdateFunctionConfiguration",
        ),
        look=("lambda:GetFunction",),
    ),
    "AWS::Lambda::Permission": Actions(make=("lambda:AddPermission", "lambda:GetPolicy"), remove=("lambda:RemovePermission",)),
    "AWS::IAM::Role": Actions(
        make=(
            "iam:CreateRole",
            "iam:PutRolePolicy",
            "iam:GetRolePolicy",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:PassRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:ListRolePolicies",
            "iam:ListAttachedRolePolicies",
        ),
        remove=("iam:DeleteRole", "iam:DeleteRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"),
        look=("iam:GetRole", "iam:ListRoleTags"),
    ),
    "AWS::Logs::LogGroup": Actions(
        make=(
            "logs:CreateLogGroup",
            "logs:PutRetentionPolicy",
            "logs:TagResource",
            "logs:GetDataProtectionPolicy",
            "logs:DescribeIndexPolicies",
        ),
        remove=("logs:DeleteLogGroup",),
        look=("logs:ListTagsForResource",),
    ),
    "AWS::CertificateManager::Certificate": Actions(
        make=(
            "acm:RequestCertificate",
            "acm:DescribeCertificate",
            "acm:AddTagsToCertificate",
            "acm:ListTagsForCertificate",
        ),
        remove=("acm:DeleteCertificate", "acm:DescribeCertificate", "acm:RemoveTagsFromCertificate"),
        look=("acm:ListTagsForCertificate",),
    ),
}
"""By type, in IAM's names. API Gateway's actions are HTTP verbs on paths, see `_gateway` and `_domains`."""
PLAIN = {
    "AWS::DynamoDB::Table": Actions(
        make=("dynamodb:CreateTable", "dynamodb:TagResource"),
        remove=("dynamodb:DeleteTable",),
        look=("dynamodb:DescribeTable", "dynamodb:ListTagsOfResource"),
    ),
}
"""Types of which only the plainest form is known: most of their properties take an action of their own."""
OWNERS = {
    "AWS::ApiGateway::BasePathMapping": "AWS::ApiGateway::DomainName",
    "AWS::Lambda::Permission": "AWS::Lambda::Function",
    BUCKET_POLICY: BUCKET,
}
"""Types without an ARN of their own, and what they are a part of: a permission is a line in its function's policy."""
WRITER = Actions(remove=("lambda:GetFunction",), look=("lambda:GetFunction",))
"""Before a log group is deleted, the tags of the function that it is named after are read (section 4)."""
LISTED = {
    "AWS::CertificateManager::Certificate": ("acm:ListCertificates", "region"),
    "AWS::IAM::Role": ("iam:ListRoles", ""),
    "AWS::Logs::LogGroup": ("logs:DescribeLogGroups", "region"),
}
"""Listings, which IAM knows for everything or nothing, with `region` where they belong to one."""
EVERY_PHASE = tuple(Phase)
VALIDATION = Permission("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/*", "", Phase.SETUP)
"""CloudFormation writes the record that validates a certificate into the zone that the template names (section 6.7)."""


def stack_permissions(account: str, region: str, stack: str, resources: Sequence[Declared]) -> list[Permission]:
    """What setup, teardown, drill and check of this stack need in this region."""
    arn = f"arn:aws:cloudformation:{region}:{account}:stack/{stack}/*"
    prefixed = Actions(make=_cloudformation(STACK.make), remove=_cloudformation(STACK.remove), look=_cloudformation(STACK.look))
    needed = by_phase(prefixed, [arn], region)
    # Deleted stacks are found by a listing, when another machine made them.
    needed.add(Permission("cloudformation:ListStacks", "*", region, Phase.TEARDOWN))
    needed.add(Permission("cloudformation:ListStacks", "*", region, Phase.SETUP))
    for resource in resources:
        owners = [each for each in resources if each.type == OWNERS.get(resource.type)]
        for owner in owners if resource.type in OWNERS else [resource]:
            needed |= _of(resource.type, owner, account, region, stack)
    return sorted(needed)


def _of(kind: str, owner: Declared, account: str, region: str, stack: str) -> set[Permission]:
    if kind in ("AWS::ApiGateway::DomainName", "AWS::ApiGateway::BasePathMapping"):
        return _domains(region, owner.name or "*")
    if kind.startswith("AWS::ApiGateway::"):
        return _gateway(region)
    if kind in IDENTITY:
        return identity_permissions(kind, account, region)
    if kind in HOSTING:
        return hosting_permissions(kind, owner, account, region, stack)
    actions = ACTIONS.get(kind) or PLAIN.get(kind)
    if actions is None:
        return set()
    where = "" if kind == "AWS::IAM::Role" else region
    needed = {_passing(each, owner) for each in by_phase(actions, _arns(owner, account, region, stack), where)}
    if kind == "AWS::Logs::LogGroup" and owner.name.startswith(FUNCTION_LOGS):
        writer = f"arn:aws:lambda:{region}:{account}:function:{owner.name.removeprefix(FUNCTION_LOGS)}"
        needed |= by_phase(WRITER, [writer], region)
    if kind == "AWS::CertificateManager::Certificate":
        needed.add(VALIDATION)
    if kind in LISTED:
        listing, place = LISTED[kind]
        needed |= {Permission(listing, "*", region if place else "", phase) for phase in EVERY_PHASE if phase is not Phase.DRILL}
    return needed


def _passing(permission: Permission, role: Declared) -> Permission:
    """The permission to give a role to a service, for the services alone that may assume it."""
    return replace(permission, passed_to=role.trusts) if permission.action == "iam:PassRole" else permission


def _gateway(region: str) -> set[Permission]:
    """API Gateway's actions: HTTP verbs. An API's id is not known before it exists, so its parts are those of any API."""
    apis, parts, tags = (f"arn:aws:apigateway:{region}::/{path}" for path in ("restapis", "restapis/*", "tags/*"))
    verbs = {
        (Phase.SETUP, apis): ("GET", "POST"),
        (Phase.SETUP, parts): ("GET", "POST", "PUT", "PATCH", "DELETE"),
        (Phase.SETUP, tags): ("GET", "POST", "PUT"),
        (Phase.TEARDOWN, apis): ("GET",),
        (Phase.TEARDOWN, parts): ("GET", "DELETE"),
        (Phase.DRILL, parts): ("GET", "POST", "PATCH", "DELETE"),
        (Phase.CHECK, apis): ("GET",),
    }
    return {Permission(f"apigateway:{verb}", arn, region, phase) for (phase, arn), names in verbs.items() for verb in names}


def _domains(region: str, name: str) -> set[Permission]:
    """A custom domain and its mappings, whose paths are known beforehand."""
    every, own, mappings = (
        f"arn:aws:apigateway:{region}::/domainnames{path}" for path in ("", f"/{name}", f"/{name}/basepathmappings")
    )
    tags = f"arn:aws:apigateway:{region}::/tags/*"
    verbs = {
        (Phase.SETUP, every): ("GET", "POST"),
        (Phase.SETUP, own): ("GET", "PUT", "PATCH", "DELETE"),
        (Phase.SETUP, mappings): ("GET", "POST"),
        (Phase.SETUP, f"{mappings}/*"): ("GET", "PATCH", "DELETE"),
        (Phase.SETUP, tags): ("GET", "POST", "PUT", "DELETE"),
        (Phase.TEARDOWN, own): ("GET", "DELETE"),
        (Phase.TEARDOWN, f"{mappings}/*"): ("GET", "DELETE"),
        (Phase.CHECK, every): ("GET",),
        (Phase.CHECK, own): ("GET",),
    }
    return {Permission(f"apigateway:{verb}", arn, region, phase) for (phase, arn), names in verbs.items() for verb in names}


def _arns(resource: Declared, account: str, region: str, stack: str) -> list[str]:
    # CloudFormation names what the template does not: STACK-LOGICAL-RANDOM.
    name = resource.name or f"{stack}-*"
    match resource.type:
        case "AWS::IAM::Role":
            return [f"arn:aws:iam::{account}:role/{name}"]
        case "AWS::Logs::LogGroup":
            # Some actions mean the group, others the streams below it.
            group = f"arn:aws:logs:{region}:{account}:log-group:{name}"
            return [group, f"{group}:*"]
        case "AWS::CertificateManager::Certificate":
            return [f"arn:aws:acm:{region}:{account}:certificate/*"]  # ACM makes the id up
        case "AWS::DynamoDB::Table":
            return [f"arn:aws:dynamodb:{region}:{account}:table/{name}"]
    return [f"arn:aws:lambda:{region}:{account}:function:{name}"]


def _cloudformation(actions: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"cloudformation:{action}" for action in actions)
