"""What a stack calls and makes, as its kind declares it: services, resource types, quotas (docs/aws-behaviours.md, section 8)."""

from __future__ import annotations

from typing import Any

from workshop.aws.client import AwsClient
from workshop.aws.resources.edges import certificate_count, custom_domain_count
from workshop.steps.cloudformation.hosting import (
    ACCESS_CONTROL,
    CLOUDFRONT,
    DISTRIBUTION,
    HEADERS_POLICY,
    S3,
    DistributionQuota,
)
from workshop.steps.cognito.service import COGNITO, USER_POOL, PoolQuota
from workshop.steps.declarations import SERVICE_QUOTAS, AccessProof, Quota, ResourceType, Service
from workshop.steps.dynamodb.service import DYNAMODB, TABLE
from workshop.steps.route53.service import ACM

__all__ = ["QUOTAS", "RESOURCE_TYPES", "SERVICES", "ApiQuota", "CertificateQuota", "DomainQuota", "RoleQuota", "StackQuota"]

APIS = "arn:aws:apigateway:{region}::/restapis"
"""What IAM checks a listing of APIs on: the other services here know `*` only."""
DOMAINS = "arn:aws:apigateway:{region}::/domainnames"
SERVICES = (
    ACM,
    Service("apigateway", AccessProof("get_rest_apis", "apigateway:GET", {"limit": 1}, APIS)),
    Service(
        "cloudformation",
        AccessProof("list_stacks", "cloudformation:ListStacks", {"StackStatusFilter": ["CREATE_COMPLETE"]}),
    ),
    DYNAMODB,
    Service("iam", AccessProof("list_roles", "iam:ListRoles", {"MaxItems": 1})),
    Service("lambda", AccessProof("list_functions", "lambda:ListFunctions", {"MaxItems": 1})),
    Service("logs", AccessProof("describe_log_groups", "logs:DescribeLogGroups", {"limit": 1})),
    S3,
    CLOUDFRONT,
    COGNITO,
)
RESOURCE_TYPES = (
    ResourceType("stack", "stack", unique=True, upkeep="a stack itself is free; what it holds is listed by itself"),
    ResourceType("function", "function", unique=True),
    ResourceType("rest-api", "REST API"),
    ResourceType("role", "role"),
    ResourceType("app-client", "app client of a drill", usd_a_month=6.0, upkeep="$6 for a client that gets tokens for itself"),
    ResourceType("custom-domain", "custom domain", unique=True),
    ResourceType("certificate", "certificate", upkeep="nothing: public certificates are free"),
    ResourceType("log-group", "log group", unique=True, usd_a_month=0.03, upkeep="storage, up to 1 GB at $0.03"),
    ResourceType("bucket", "bucket", unique=True, usd_a_month=0.03, upkeep="storage, up to 1 GB at $0.023"),
    DISTRIBUTION,
    ACCESS_CONTROL,
    HEADERS_POLICY,
    USER_POOL,
    TABLE,
)


class StackQuota(Quota):
    """Stacks of a region, those that failed included."""

    name = "stacks"
    what = "stacks"
    action = "cloudformation:CreateStack"
    service = "cloudformation"
    code = "L-0485CB21"
    default = 2000
    actions = (("cloudformation:DescribeAccountLimits", "*"), ("cloudformation:DescribeStacks", "*"))

    async def used(self, aws: AwsClient, region: str) -> int:
        return await _count(aws, region, "cloudformation", "describe_stacks", "Stacks", "NextToken")

    async def limit(self, aws: AwsClient, region: str) -> int:
        found = await aws.call("cloudformation", region, "describe_account_limits")
        limits = (int(entry["Value"]) for entry in found.get("AccountLimits", []) if entry.get("Name") == "StackLimit")
        return next(limits, self.default)


class ApiQuota(Quota):
    """Regional REST APIs."""

    name = "rest-apis"
    what = "REST APIs"
    action = "apigateway:POST"
    service = "apigateway"
    code = "L-AA0FF27B"
    default = 600
    actions = (SERVICE_QUOTAS, ("apigateway:GET", APIS))

    def counts(self, resource: str) -> bool:
        """The same verb makes an API, its parts and its tags; only the first is counted."""
        return resource.endswith("/restapis")

    async def used(self, aws: AwsClient, region: str) -> int:
        return await _count(aws, region, "apigateway", "get_rest_apis", "items", "position", limit=500)


class RoleQuota(Quota):
    """Roles of the account: IAM is global."""

    name = "roles"
    what = "roles"
    action = "iam:CreateRole"
    service = "iam"
    code = "L-FE177D64"
    default = 1000
    is_global = True
    actions = (("iam:GetAccountSummary", "*"),)

    async def used(self, aws: AwsClient, region: str) -> int:
        return int((await _summary(aws, region)).get("Roles", 0))

    async def limit(self, aws: AwsClient, region: str) -> int:
        return int((await _summary(aws, region)).get("RolesQuota", self.default))


class DomainQuota(Quota):
    """Custom domains of a region."""

    name = "custom-domains"
    what = "custom domains"
    action = "apigateway:POST"
    service = "apigateway"
    code = "L-A93447B8"
    default = 120
    actions = (SERVICE_QUOTAS, ("apigateway:GET", DOMAINS))

    def counts(self, resource: str) -> bool:
        """The same verb makes a domain, its mappings and its tags; counted is where a domain gets its mappings."""
        return resource.endswith("/basepathmappings")

    async def used(self, aws: AwsClient, region: str) -> int:
        return await custom_domain_count(aws, region)


class CertificateQuota(Quota):
    """Certificates of a region, those that expired or were given up included."""

    name = "certificates"
    what = "certificates"
    action = "acm:RequestCertificate"
    service = "acm"
    code = "L-F141DD1D"
    default = 2500
    actions = (SERVICE_QUOTAS, ("acm:ListCertificates", "*"))

    async def used(self, aws: AwsClient, region: str) -> int:
        return await certificate_count(aws, region)


QUOTAS = (StackQuota(), ApiQuota(), RoleQuota(), DomainQuota(), CertificateQuota(), DistributionQuota(), PoolQuota())


async def _summary(aws: AwsClient, region: str) -> dict[str, Any]:
    found = await aws.call("iam", region, "get_account_summary")
    return dict(found.get("SummaryMap", {}))


async def _count(aws: AwsClient, region: str, service: str, operation: str, member: str, cursor: str, **parameters: Any) -> int:
    """The number of entries in all pages of a listing."""
    count, page = 0, dict(parameters)
    while True:
        found = await aws.call(service, region, operation, **page)
        count += len(found.get(member, []))
        if not found.get(cursor):
            return count
        page = {**parameters, cursor: found[cursor]}
