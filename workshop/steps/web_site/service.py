"""What uploading a site takes of S3 and CloudFront: the services, their resource types, the IAM actions, the AWS CLI lines.

In: a step's context with a bucket and a distribution. Out: values that kinds declare, permissions, lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from workshop.aws.client import AwsClient
from workshop.aws.resources.distributions import distribution_count
from workshop.errors import DefinitionError
from workshop.shell import aws_line, command_line, into, prefixed
from workshop.steps.base import Context, Permission, Phase
from workshop.steps.declarations import SERVICE_QUOTAS, AccessProof, Quota, ResourceType, Service
from workshop.steps.web_site.pages import CONFIG, CONFIG_SCRIPT, GLOBAL_NAME, TEMPLATE, Page
from workshop.steps.web_site.params import Hosting, SiteParams

__all__ = [
    "ACCESS_CONTROL",
    "CLOUDFRONT",
    "DISTRIBUTION",
    "HEADERS_POLICY",
    "S3",
    "DistributionQuota",
    "bucket_prefix",
    "hosted_commands",
    "hosted_permissions",
    "stacks_with_buckets",
]

S3 = Service("s3", AccessProof("list_buckets", "s3:ListAllMyBuckets"))
CLOUDFRONT = Service("cloudfront", AccessProof("list_distributions", "cloudfront:ListDistributions", {"MaxItems": "1"}))
DISTRIBUTION = ResourceType("distribution", "distribution", upkeep="nothing while no page is read")
ACCESS_CONTROL = ResourceType("access-control", "origin access control", unique=True)
HEADERS_POLICY = ResourceType("headers-policy", "response headers policy", unique=True)
STACK, BUCKET = "cloudformation.stack", "AWS::S3::Bucket"
LONGEST_PART, LONGEST_BUCKET, RANDOM_PART = 24, 63, 13
"""Characters of the name that CloudFormation makes up for a bucket: of the stack's part in a long one, of all, of the end."""
ALWAYS = ("s3:GetBucketTagging", "s3:ListBucket")
OF_OBJECTS = {
    Phase.SETUP: ("s3:PutObject", "s3:DeleteObject"),
    Phase.TEARDOWN: ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"),
}
OF_BUCKET = {
    Phase.SETUP: ALWAYS,
    Phase.TEARDOWN: (*ALWAYS, "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"),
    Phase.CHECK: ALWAYS,
}
OF_DISTRIBUTION = {
    Phase.SETUP: ("cloudfront:CreateInvalidation", "cloudfront:GetInvalidation", "cloudfront:ListTagsForResource"),
}


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


def bucket_prefix(stack: str, logical: str = "") -> str:
    """What the name of a bucket that CloudFormation makes up for a stack begins with (docs/aws-behaviours.md, section 14)."""
    whole = f"{stack}-{logical}" if logical else stack
    cut = stack[:LONGEST_PART] if len(whole) + RANDOM_PART > LONGEST_BUCKET else f"{stack}-"
    return cut.lower()


def stacks_with_buckets(ctx: Context[SiteParams]) -> list[str]:
    """The names of the workshop's stacks whose templates declare a bucket."""
    found = []
    for settings in ctx.others(STACK):
        try:
            text = ctx.files.path(str(settings["template"])).read_text(encoding="utf-8", errors="replace")
        except (DefinitionError, OSError):
            continue  # the stack's own step reports it
        if BUCKET in text:
            found.append(str(settings["name"]))
    return found


def hosted_permissions(ctx: Context[SiteParams], hosting: Hosting) -> list[Permission]:
    """Before the stack exists neither name is known: of the bucket's, how it will begin."""
    prefixes = [bucket_prefix(stack) for stack in stacks_with_buckets(ctx)]
    own = not prefixes or hosting.bucket.startswith(tuple(prefixes))
    arns = [f"arn:aws:s3:::{name}" for name in ([hosting.bucket] if own else [f"{prefix}*" for prefix in prefixes])]
    distribution = f"arn:aws:cloudfront::{ctx.account}:distribution/*"
    needed = [(OF_BUCKET, arn, ctx.region) for arn in arns] + [(OF_OBJECTS, f"{arn}/*", ctx.region) for arn in arns]
    return [
        Permission(action, arn, region, phase)
        for actions, arn, region in (*needed, (OF_DISTRIBUTION, distribution, ""))
        for phase, names in actions.items()
        for action in names
    ]


def hosted_commands(ctx: Context[SiteParams], hosting: Hosting) -> list[str]:
    """Render the configuration, upload it after the folders, and renew the copies."""
    bucket = f"s3://{hosting.bucket}"
    script = prefixed(f"window.{GLOBAL_NAME} = ", CONFIG, ";", CONFIG_SCRIPT)
    lines = [into(ctx.again("step", "show", ctx.step, "--file"), CONFIG), script]
    for folder in (ctx.params.shared, ctx.params.source):
        if folder is not None:
            lines += _copies(str(ctx.files.path(folder)), bucket)
    for name in (CONFIG, CONFIG_SCRIPT):
        page = Page(name, "")
        options = ["--cache-control", page.cache_control, "--content-type", page.content_type]
        lines.append(command_line(["aws", "s3", "cp", name, f"{bucket}/{name}", *options]))
    return [*lines, aws_line("cloudfront create-invalidation", distribution_id=hosting.distribution, paths=["/*"])]


def _copies(folder: str, bucket: str) -> Iterator[str]:
    """What a folder holds, without its templates: first what pages load, then the pages, each with its own Cache-Control."""
    copy = ["aws", "s3", "cp", "--recursive", folder, bucket]
    rest, page = Page("x.js", "").cache_control, Page("x.html", "").cache_control
    yield command_line([*copy, "--exclude", f"*{TEMPLATE}", "--exclude", "*.html", "--cache-control", rest])
    yield command_line([*copy, "--exclude", "*", "--include", "*.html", "--cache-control", page])
