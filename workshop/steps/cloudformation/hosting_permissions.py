"""The IAM actions of what hosts pages in a stack: buckets and their policies, distributions and what belongs to them.

In: a resource of a template. Out: permissions. CloudFront is global and its ids are not known before they exist, so an action is
granted on all distributions of the account, or access controls, or header policies (docs/aws-behaviours.md, section 14).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workshop.steps.base import Permission, Phase
from workshop.steps.cloudformation.actions import ANYWHERE
from workshop.steps.cloudformation.template import Declared

__all__ = ["BUCKET", "BUCKET_POLICY", "HOSTING", "bucket_prefix", "hosting_permissions"]

BUCKET, BUCKET_POLICY = "AWS::S3::Bucket", "AWS::S3::BucketPolicy"
MOST_NAME, MOST_PART, RANDOM = 63, 24, 13
"""Characters of a bucket's name; of the stack's part in a long one that CloudFormation makes up; of its end."""
PROPERTIES = {
    "BucketEncryption": ("s3:PutEncryptionConfiguration",),
    "OwnershipControls": ("s3:PutBucketOwnershipControls",),
    "PublicAccessBlockConfiguration": ("s3:PutBucketPublicAccessBlock",),
    "VersioningConfiguration": ("s3:PutBucketVersioning",),
}
"""What setting one property of a bucket takes; the properties that no template here has are left out."""


@dataclass(frozen=True, slots=True)
class _Actions:
    """To be made or changed, to be removed, to be looked for; and the listing, which IAM knows for everything or nothing."""

    make: tuple[str, ...]
    remove: tuple[str, ...]
    look: tuple[str, ...] = ()
    listing: tuple[str, ...] = ()


PLAIN_BUCKET = _Actions(
    make=("s3:CreateBucket", "s3:PutBucketTagging", "s3:TagResource", "s3:UntagResource", "s3:ListBucket"),
    remove=("s3:DeleteBucket", "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"),
    look=("s3:GetBucketTagging", "s3:GetBucketLocation"),
    listing=("s3:ListAllMyBuckets",),
)
OBJECTS = _Actions(make=(), remove=("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"))
"""What emptying a bucket does to its objects: CloudFormation deletes only empty ones (section 9)."""
POLICY = _Actions(make=("s3:PutBucketPolicy", "s3:GetBucketPolicy"), remove=("s3:DeleteBucketPolicy", "s3:GetBucketPolicy"))
CLOUDFRONT: Mapping[str, tuple[str, _Actions]] = {
    "AWS::CloudFront::Distribution": (
        "distribution",
        _Actions(
            make=(
                "cloudfront:CreateDistribution",
                "cloudfront:CreateDistributionWithTags",
                "cloudfront:GetDistribution",
                "cloudfront:GetDistributionConfig",
                "cloudfront:TagResource",
                "cloudfront:UntagResource",
                "cloudfront:UpdateDistribution",
            ),
            # It is disabled first, which is an update.
            remove=(
                "cloudfront:DeleteDistribution",
                "cloudfront:GetDistribution",
                "cloudfront:GetDistributionConfig",
                "cloudfront:UpdateDistribution",
            ),
            look=("cloudfront:ListTagsForResource",),
            listing=("cloudfront:ListDistributions",),
        ),
    ),
    "AWS::CloudFront::OriginAccessControl": (
        "origin-access-control",
        _Actions(
            make=(
                "cloudfront:CreateOriginAccessControl",
                "cloudfront:GetOriginAccessControl",
                "cloudfront:UpdateOriginAccessControl",
            ),
            remove=("cloudfront:DeleteOriginAccessControl", "cloudfront:GetOriginAccessControl"),
            listing=("cloudfront:ListOriginAccessControls",),
        ),
    ),
    "AWS::CloudFront::ResponseHeadersPolicy": (
        "response-headers-policy",
        _Actions(
            make=(
                "cloudfront:CreateResponseHeadersPolicy",
                "cloudfront:GetResponseHeadersPolicy",
                "cloudfront:UpdateResponseHeadersPolicy",
            ),
            remove=("cloudfront:DeleteResponseHeadersPolicy", "cloudfront:GetResponseHeadersPolicy"),
            listing=("cloudfront:ListResponseHeadersPolicies",),
        ),
    ),
}
HOSTING = frozenset({BUCKET, BUCKET_POLICY, *CLOUDFRONT})
"""The types that are known here."""


def hosting_permissions(kind: str, resource: Declared, account: str, region: str, stack: str) -> set[Permission]:
    """What setup, teardown and check of one such resource need; for the policy of a bucket, `resource` is that bucket."""
    if kind in CLOUDFRONT:
        path, actions = CLOUDFRONT[kind]
        return _granted(actions, f"arn:aws:cloudfront::{account}:{path}/*", "")
    arn = f"arn:aws:s3:::{resource.name or f'{bucket_prefix(stack, resource.logical)}*'}"
    if kind == BUCKET_POLICY:
        return _granted(POLICY, arn, region)
    more = tuple(action for name, actions in PROPERTIES.items() if name in resource.properties for action in actions)
    own = _Actions((*PLAIN_BUCKET.make, *more), PLAIN_BUCKET.remove, PLAIN_BUCKET.look, PLAIN_BUCKET.listing)
    return _granted(own, arn, region) | _granted(OBJECTS, f"{arn}/*", region)


def bucket_prefix(stack: str, logical: str = "") -> str:
    """What the name that CloudFormation makes up for a bucket begins with: STACK-LOGICAL-RANDOM in small letters, the first two
    cut where that is too long for a bucket. Without a logical id, what holds for any."""
    cut = len(stack) + 1 + (len(logical) or MOST_PART) + RANDOM > MOST_NAME
    return stack[:MOST_PART].lower() if cut else f"{stack.lower()}-"


def _granted(actions: _Actions, arn: str, region: str) -> set[Permission]:
    """Setup needs what removal needs: a creation that fails is rolled back."""
    phases = {
        Phase.SETUP: (*actions.make, *actions.remove, *actions.look),
        Phase.TEARDOWN: (*actions.remove, *actions.look),
        Phase.DRILL: actions.look,
        Phase.CHECK: actions.look,
    }
    granted = {
        Permission(action, "*" if action in ANYWHERE else arn, region, phase)
        for phase, names in phases.items()
        for action in names
    }
    # A listing is of the whole account, whichever region it is asked in.
    listed = (Phase.SETUP, Phase.TEARDOWN, Phase.CHECK)
    return granted | {Permission(action, "*", "", phase) for action in actions.listing for phase in listed}
