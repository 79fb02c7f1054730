"""What uploading a site takes: the IAM actions, and the AWS CLI lines of a person who does it by hand.

In: a step's context with a bucket and a distribution. Out: permissions, lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from workshop.shell import aws_line, command_line, into, prefixed
from workshop.steps.base import Context, Permission, Phase
from workshop.steps.cloudformation.declaring import stacks_declaring
from workshop.steps.cloudformation.hosting_permissions import BUCKET, bucket_prefix
from workshop.steps.web_site.pages import CONFIG, CONFIG_SCRIPT, GLOBAL_NAME, TEMPLATE, Page
from workshop.steps.web_site.params import Hosting, SiteParams

__all__ = ["hosted_commands", "hosted_permissions", "stacks_with_buckets"]

ALWAYS = ("s3:GetBucketTagging", "s3:ListBucket")
Actions = dict[Phase, tuple[str, ...]]
OF_OBJECTS: Actions = {
    Phase.SETUP: ("s3:PutObject", "s3:DeleteObject"),
    Phase.TEARDOWN: ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"),
}
OF_CONFIGURATION: Actions = dict.fromkeys((Phase.SETUP, Phase.TEARDOWN, Phase.CHECK), ("s3:GetObject",))
"""A provisional one is read, because a later step may have completed it."""
OF_BUCKET: Actions = {
    Phase.SETUP: ALWAYS,
    Phase.TEARDOWN: (*ALWAYS, "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"),
    Phase.CHECK: ALWAYS,
}
OF_DISTRIBUTION: Actions = {
    Phase.SETUP: ("cloudfront:CreateInvalidation", "cloudfront:GetInvalidation", "cloudfront:ListTagsForResource"),
}


def stacks_with_buckets(ctx: Context[SiteParams]) -> list[str]:
    """The names of the workshop's stacks whose templates declare a bucket."""
    return stacks_declaring(ctx, BUCKET)


def hosted_permissions(ctx: Context[SiteParams], hosting: Hosting) -> list[Permission]:
    """Before the stack exists neither name is known: of the bucket's, how it will begin."""
    prefixes = [bucket_prefix(stack) for stack in stacks_with_buckets(ctx)]
    own = not prefixes or hosting.bucket.startswith(tuple(prefixes))
    arns = [f"arn:aws:s3:::{name}" for name in ([hosting.bucket] if own else [f"{prefix}*" for prefix in prefixes])]
    distribution = f"arn:aws:cloudfront::{ctx.account}:distribution/*"
    needed = [(OF_BUCKET, arn, ctx.region) for arn in arns] + [(OF_OBJECTS, f"{arn}/*", ctx.region) for arn in arns]
    if ctx.params.provisional:
        needed += [(OF_CONFIGURATION, f"{arn}/{CONFIG}", ctx.region) for arn in arns]
    needed.append((OF_DISTRIBUTION, distribution, ""))
    return [
        Permission(action, arn, region, phase)
        for actions, arn, region in needed
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
