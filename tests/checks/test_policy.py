"""The policy: small, narrow, whole, and in step with what CloudFormation's own schemas say."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.checks.strict import policy_of
from workshop.checks.policy import MANAGED, document, policies, size, statements
from workshop.steps.base import Permission, Phase
from workshop.steps.cloudformation.hosting_permissions import BUCKET, HOSTING, PROPERTIES
from workshop.steps.cloudformation.identity_permissions import IDENTITY
from workshop.steps.cloudformation.permissions import ACTIONS, stack_permissions
from workshop.steps.cloudformation.template import Declared

ARN = "arn:aws:dynamodb:{region}:111122223333:table/t"


def need(action: str, resource: str, region: str = "us-west-2", phase: Phase = Phase.SETUP) -> Permission:
    return Permission(action, resource, region, phase)


def test_the_same_actions_in_two_regions_are_one_statement() -> None:
    (one,) = statements(
        need("dynamodb:CreateTable", ARN.format(region=region), region) for region in ("us-west-2", "eu-west-1")
    )  # fmt: skip
    assert one["Resource"] == [ARN.format(region="eu-west-1"), ARN.format(region="us-west-2")]


def test_what_iam_knows_as_everything_is_narrowed_by_region_unless_it_is_global() -> None:
    regional, everywhere = statements([need("dynamodb:ListTables", "*"), need("iam:ListRoles", "*", "")])
    assert regional["Condition"] == {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}
    assert "Condition" not in everywhere


def test_a_permission_of_two_phases_is_listed_once() -> None:
    (one,) = statements([need("dynamodb:DescribeTable", "a", phase=phase) for phase in Phase])
    assert one["Action"] == ["dynamodb:DescribeTable"]


def test_statements_have_names_of_their_own_that_iam_takes() -> None:
    parts = statements([need("dynamodb:A", "a"), need("dynamodb:B", "b"), need("some-service:C", "c")])
    sids = [part["Sid"] for part in parts]
    assert len(set(sids)) == len(sids)
    assert all(sid.isalnum() for sid in sids)


def granted(part: dict[str, Any]) -> set[tuple[str, str, str]]:
    resources = part["Resource"] if isinstance(part["Resource"], list) else [part["Resource"]]
    where = part.get("Condition", {}).get("StringEquals", {}).get("aws:RequestedRegion", [""])
    return {(a, r, w) for a in part["Action"] for r in resources for w in ([where] if isinstance(where, str) else where)}


permissions = st.lists(
    st.builds(
        need,
        st.sampled_from(["dynamodb:A", "dynamodb:B", "lambda:A", "iam:C"]),
        st.sampled_from(["*", "x", "y"]),
        st.sampled_from(["", "us-west-2", "eu-west-1"]),
        st.sampled_from(list(Phase)),
    )
)


@given(permissions)
def test_statements_grant_exactly_what_was_named(wanted: list[Permission]) -> None:
    expected = {(p.action, p.resource, p.region if p.resource == "*" else "") for p in wanted}
    found: set[tuple[str, str, str]] = set()
    for part in statements(wanted):
        found |= granted(part)
    assert found == expected


def test_a_large_policy_is_split_into_parts_that_fit_and_lose_nothing() -> None:
    parts = statements(need(f"dynamodb:Action{n}", f"{ARN}-{n}") for n in range(200))
    found = policies(parts)
    assert len(found) > 1
    assert all(size(policy) <= MANAGED for policy in found)
    assert [part for policy in found for part in policy["Statement"]] == document(parts)["Statement"]


@pytest.mark.parametrize("domain", ["", "a07.event.example.com"])
@pytest.mark.parametrize("account", ["", "111122223333"])
def test_the_policy_of_a_workshop_with_names_is_whole_with_and_without_an_account(account: str, domain: str) -> None:
    parts = policy_of("--workshop", "multi-region-backend", "--param", f"domain={domain}", account=account)["Statement"]
    actions = {action for part in parts for action in part["Action"]}
    names = {
        "route53:CreateHostedZone",
        "route53:CreateHealthCheck",
        "route53:GetHealthCheckStatus",
        "route53:ListResourceRecordSets",
    }
    assert names <= actions and not any("*" in action for action in actions)
    assert ("acm:RequestCertificate" in actions) is bool(domain)
    name = f"api.{domain}" if domain else f"api.multi-region-backend-{account or '*'}.example.net"
    assert f"arn:aws:apigateway:us-east-1::/domainnames/{name}" in json.dumps(parts)


def test_the_printed_policy_names_account_regions_and_names() -> None:
    text = json.dumps(policy_of("--region", "us-east-1", "--region", "eu-central-1", "--param", "table=mine"))
    assert "arn:aws:dynamodb:us-east-1:000000000000:table/mine" in text
    assert "us-west-2" not in text
    assert '"Resource": "*", "Condition"' in text


@pytest.mark.parametrize(
    ("phase", "has", "lacks"),
    [
        ("setup", "cloudformation:CreateStack", "lambda:PutFunctionConcurrency"),
        ("teardown", "dynamodb:DeleteTableReplica", "dynamodb:CreateTable"),
        ("drill", "lambda:PutFunctionConcurrency", "cloudformation:DeleteStack"),
        ("check", "servicequotas:GetServiceQuota", "dynamodb:CreateTable"),
    ],
)
def test_each_phase_gets_its_own(phase: str, has: str, lacks: str) -> None:
    actions = {action for part in policy_of("--phase", phase)["Statement"] for action in part["Action"]}
    assert has in actions
    assert lacks not in actions


def test_looking_never_allows_changing() -> None:
    actions = {action.partition(":")[2] for part in policy_of("--phase", "check")["Statement"] for action in part["Action"]}
    assert {name for name in actions if not name.startswith(("Get", "List", "Describe", "BatchGet", "Simulate", "GET"))} == set()


KNOWN = (*ACTIONS, *IDENTITY, *sorted(HOSTING))
UNUSED = {
    "lambda:PutFunctionConcurrency": "no reserve in a template",
    "lambda:PutRuntimeManagementConfig": "no runtime management",
    "lambda:PutFunctionRecursionConfig": "no recursion setting",
    "lambda:PutFunctionScalingConfig": "no scaling setting",
    "lambda:GetLayerVersion": "no layers",
    "lambda:GetCodeSigningConfig": "no code signing",
    "lambda:PassCapacityProvider": "no capacity provider",
    "lambda:AssociateRuntimeAlias": "no runtime alias",
    "iam:AttachRolePolicy": "no managed policies",
    "iam:DetachRolePolicy": "no managed policies",
    "cloudfront:CreateConnectionGroup": "no tenants",
    "cloudfront:GetConnectionGroup": "no tenants",
    "cloudfront:GetVpcOrigin": "no origin in a VPC",
    "logs:PutDataProtectionPolicy": "no data protection",
    "logs:DeleteDataProtectionPolicy": "no data protection",
    "logs:CreateLogDelivery": "no delivery",
    "logs:PutResourcePolicy": "no resource policy",
    "logs:DescribeResourcePolicies": "no resource policy",
    "logs:PutIndexPolicy": "no index policy",
    "logs:PutBearerTokenAuthentication": "no bearer tokens",
}
"""What the schemas name for features that the templates here do not use."""


OTHER_PROPERTIES = {
    "s3:PutBucketAbac": "AbacStatus",
    "s3:PutAnalyticsConfiguration": "AnalyticsConfigurations",
    "s3:PutBucketCORS": "CorsConfiguration",
    "s3:PutInventoryConfiguration": "InventoryConfigurations",
    "s3:PutLifecycleConfiguration": "LifecycleConfiguration",
    "s3:PutMetricsConfiguration": "MetricsConfigurations",
    "s3:PutBucketNotification": "NotificationConfiguration",
    "s3:PutBucketReplication": "ReplicationConfiguration",
    "s3:PutReplicationConfiguration": "ReplicationConfiguration",
    "s3:PutBucketWebsite": "WebsiteConfiguration",
    "s3:PutAccelerateConfiguration": "AccelerateConfiguration",
    "s3:PutObjectAcl": "AccessControl",
    "s3:GetBucketAcl": "AccessControl",
    "s3:PutBucketObjectLockConfiguration": "ObjectLockConfiguration",
    "s3:PutObjectLockConfiguration": "ObjectLockConfiguration",
    "s3:PutBucketLogging": "LoggingConfiguration",
    "s3:PutIntelligentTieringConfiguration": "IntelligentTieringConfigurations",
    "s3:GetBucketMetadataTableConfiguration": "MetadataTableConfiguration",
    "s3:CreateBucketMetadataTableConfiguration": "MetadataTableConfiguration",
}
"""What the schema of a bucket names for properties that no bucket here has, each with the property."""


def published() -> dict[str, dict[str, Any]]:
    """The handlers of the types that the permissions know, as the CloudFormation registry publishes them."""
    found: dict[str, dict[str, Any]] = {}
    cfn_lint = find_spec("cfnlint")  # not imported: that takes a second
    assert cfn_lint is not None and cfn_lint.origin is not None
    for file in (Path(cfn_lint.origin).parent / "data" / "schemas" / "resources").glob("*.json"):
        schema = json.loads(file.read_text())
        if schema.get("typeName") in KNOWN and "handlers" in schema:
            found[schema["typeName"]] = schema["handlers"]
    return found


def test_a_stack_may_do_what_the_published_handlers_of_its_types_do() -> None:
    handlers = published()
    assert set(handlers) == set(KNOWN)
    resources = [Declared(f"R{n}", kind, "name", _properties(kind)) for n, kind in enumerate(KNOWN)]
    needed = stack_permissions("111122223333", "us-west-2", "stack", resources)
    for phase, verb in ((Phase.SETUP, "create"), (Phase.SETUP, "delete"), (Phase.TEARDOWN, "delete")):
        allowed = {p.action for p in needed if p.phase is phase}
        for kind, named in handlers.items():
            service = kind.split("::")[1].lower().replace("certificatemanager", "acm").replace("cognito", "cognito-idp")
            own = {action for action in named[verb]["permissions"] if action.startswith(f"{service}:")}
            missing = own - allowed - set(UNUSED) - (set(OTHER_PROPERTIES) if kind == BUCKET else set())
            assert not missing - {"iam:TagRole", "iam:UntagRole"} or (phase is Phase.SETUP and not missing), (kind, verb, missing)


def _properties(kind: str) -> frozenset[str]:
    """Every property of a bucket that the permissions know."""
    return frozenset(PROPERTIES if kind == BUCKET else ())


def test_no_bucket_of_a_workshop_has_a_property_whose_action_is_left_out() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (Path(__file__).parents[2] / "templates").glob("*/*.yaml.j2")]
    assert any(BUCKET in text for text in texts)
    assert not {name for text in texts if f"{BUCKET}\n" in text for name in OTHER_PROPERTIES.values() if f"{name}:" in text}


def test_the_policy_of_a_setup_covers_undoing_what_failed() -> None:
    needed = stack_permissions("111122223333", "us-west-2", "stack", [Declared("F", "AWS::Lambda::Function", "f")])
    setup = {(p.action, p.resource) for p in needed if p.phase is Phase.SETUP}
    assert {(p.action, p.resource) for p in needed if p.phase is Phase.TEARDOWN} <= setup


def test_the_policy_that_deletes_a_log_group_reads_its_tags_too() -> None:
    needed = stack_permissions("111122223333", "us-west-2", "stack", [Declared("L", "AWS::Logs::LogGroup", "/aws/lambda/f")])
    teardown = {(p.action, p.resource) for p in needed if p.phase is Phase.TEARDOWN}
    assert ("lambda:GetFunction", "arn:aws:lambda:us-west-2:111122223333:function:f") in teardown


def test_a_permission_is_a_line_of_its_functions_policy() -> None:
    resources = [Declared("F", "AWS::Lambda::Function", "f"), Declared("P", "AWS::Lambda::Permission", "")]
    needed = stack_permissions("111122223333", "us-west-2", "stack", resources)
    assert {p.resource for p in needed if p.action == "lambda:AddPermission"} == {
        "arn:aws:lambda:us-west-2:111122223333:function:f"
    }


def bucket_actions(bucket: Declared, stack: str = "wild-rydes-hosting") -> dict[str, set[str]]:
    needed = stack_permissions("111122223333", "us-west-2", stack, [bucket, Declared("P", "AWS::S3::BucketPolicy", "")])
    found: dict[str, set[str]] = {}
    for each in needed:
        if each.action.startswith("s3:") and each.phase is Phase.SETUP:
            found.setdefault(each.resource.removeprefix("arn:aws:s3:::"), set()).add(each.action)
    return found


def test_each_property_of_a_bucket_takes_its_own_action_on_this_bucket_alone() -> None:
    plain = bucket_actions(Declared("Bucket", "AWS::S3::Bucket", ""))
    assert set(plain) == {"*", "wild-rydes-hosting-*", "wild-rydes-hosting-*/*"} and plain["*"] == {"s3:ListAllMyBuckets"}
    given = frozenset({"BucketEncryption", "OwnershipControls", "PublicAccessBlockConfiguration", "VersioningConfiguration"})
    whole = bucket_actions(Declared("Bucket", "AWS::S3::Bucket", "", given))
    assert whole["wild-rydes-hosting-*"] - plain["wild-rydes-hosting-*"] == {
        "s3:PutEncryptionConfiguration", "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketVersioning",
    }  # fmt: skip
    assert "s3:PutBucketPolicy" in plain["wild-rydes-hosting-*"]


def test_the_name_that_a_stack_makes_up_for_its_bucket_is_cut_where_it_is_too_long() -> None:
    long = bucket_actions(Declared("BucketOfThePages", "AWS::S3::Bucket", ""), "Wild-Rydes-of-the-Second-Event-hosting")
    assert set(long) == {"*", "wild-rydes-of-the-second*", "wild-rydes-of-the-second*/*"}


def domain_permissions(*resources: Declared) -> set[tuple[str, str, Phase]]:
    needed = stack_permissions("111122223333", "us-west-2", "edge", resources)
    return {(p.action, p.resource.removeprefix("arn:aws:apigateway:us-west-2::"), p.phase) for p in needed}


def test_a_custom_domain_may_be_made_under_its_own_name_only() -> None:
    domain = Declared("D", "AWS::ApiGateway::DomainName", "api.example.com")
    needed = domain_permissions(domain, Declared("M", "AWS::ApiGateway::BasePathMapping", ""))
    assert ("apigateway:POST", "/domainnames", Phase.SETUP) in needed
    assert ("apigateway:DELETE", "/domainnames/api.example.com", Phase.TEARDOWN) in needed
    assert ("apigateway:POST", "/domainnames/api.example.com/basepathmappings", Phase.SETUP) in needed
    assert not [resource for _, resource, _ in needed if "/domainnames/*" in resource or "/restapis" in resource]


def test_a_certificate_takes_its_calls_and_the_record_that_validates_it() -> None:
    needed = domain_permissions(Declared("C", "AWS::CertificateManager::Certificate", "api.example.com"))
    assert ("acm:RequestCertificate", "*", Phase.SETUP) in needed
    assert ("acm:DescribeCertificate", "arn:aws:acm:us-west-2:111122223333:certificate/*", Phase.SETUP) in needed
    assert ("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/*", Phase.SETUP) in needed
    assert ("acm:DeleteCertificate", "arn:aws:acm:us-west-2:111122223333:certificate/*", Phase.TEARDOWN) in needed
    assert ("acm:ListCertificates", "*", Phase.CHECK) in needed
