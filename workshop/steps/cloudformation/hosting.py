"""S3 and CloudFront as kinds declare them: the services, what is made of them, the quota of distributions.

In: nothing. Out: declarations (docs/aws-behaviours.md, section 14).
"""

from __future__ import annotations

from workshop.aws.client import AwsClient
from workshop.aws.resources.distributions import distribution_count
from workshop.steps.declarations import SERVICE_QUOTAS, AccessProof, Quota, ResourceType, Service

__all__ = ["ACCESS_CONTROL", "CLOUDFRONT", "DISTRIBUTION", "HEADERS_POLICY", "S3", "DistributionQuota"]

S3 = Service("s3", AccessProof("list_buckets", "s3:ListAllMyBuckets"))
CLOUDFRONT = Service("cloudfront", AccessProof("list_distributions", "cloudfront:ListDistributions", {"MaxItems": "1"}))
DISTRIBUTION = ResourceType("distribution", "distribution", upkeep="nothing while no page is read")
ACCESS_CONTROL = ResourceType("access-control", "origin access control", unique=True)
HEADERS_POLICY = ResourceType("headers-policy", "response headers policy", unique=True)


class DistributionQuota(Quota):
    """Distributions of the account: CloudFront is global."""

    name = "distributions"
    what = "distributions"
    action = "cloudfront:CreateDistribution"
    service = "cloudfront"
    code = "L-24B04930"
    default = 200
    is_global = True
    actions = (SERVICE_QUOTAS, ("cloudfront:ListDistributions", "*"))

    async def used(self, aws: AwsClient, region: str) -> int:  # noqa: ARG002
        return await distribution_count(aws)
