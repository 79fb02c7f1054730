"""CloudFront as the steps need it: distributions and what belongs to them, listed with whose they are, and invalidations.

In: an `AwsClient`, an id, paths. Out: `Found` values and plain ones. CloudFront is global; its API is called in us-east-1
(docs/aws-behaviours.md, section 14). Access controls and header policies have no tags: their description shows whose they are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from workshop.aws.client import AwsClient, AwsResponse
from workshop.aws.errors import AwsError
from workshop.aws.resources.listing import Found
from workshop.shell import aws as aws_words
from workshop.shell import aws_line, captured, with_captured

__all__ = [
    "CONTROL_REGION",
    "GLOBAL",
    "access_controls",
    "create_invalidation",
    "distribution_count",
    "distribution_tags",
    "distributions",
    "headers_policies",
    "is_invalidated",
]

CONTROL_REGION = "us-east-1"
"""The region in which CloudFront's API is called; what it manages belongs to none."""
GLOBAL = "global"
"""In place of a region, of resources that belong to none."""
MARK = "workshop="
"""What the description of a thing without tags begins with, before the name of its workshop."""


async def distributions(aws: AwsClient) -> list[Found]:
    """Every distribution of the account with its tags; its name is its host."""
    found = []
    async for page in _pages(aws, "list_distributions", "DistributionList"):
        for each in page.get("Items") or []:
            name = each["Id"]
            tags = await distribution_tags(aws, name)
            if tags is None:
                continue
            state = (
                "enabled: disable it and wait until it is deployed, before it can be deleted" if each["Enabled"] else "disabled"
            )
            show = aws_line("cloudfront get-distribution", id=name)
            fix = _removal("distribution", name)
            found.append(Found("distribution", each["DomainName"], GLOBAL, name, tags, fix, show, _moment(each), state))
    return found


async def distribution_count(aws: AwsClient) -> int:
    """How many distributions the account has."""
    return sum([len(page.get("Items") or []) async for page in _pages(aws, "list_distributions", "DistributionList")])


async def distribution_tags(aws: AwsClient, distribution: str) -> dict[str, str] | None:
    """The tags of a distribution of this account; None when there is none with this id."""
    arn = f"arn:aws:cloudfront::{aws.account}:distribution/{distribution}"
    try:
        response = await aws.call("cloudfront", CONTROL_REGION, "list_tags_for_resource", Resource=arn)
    except AwsError as error:
        if error.code in ("NoSuchResource", "NoSuchDistribution"):
            return None
        raise
    return {tag["Key"]: tag.get("Value", "") for tag in response.get("Tags", {}).get("Items", [])}


async def access_controls(aws: AwsClient) -> list[Found]:
    """Every origin access control of the account, with the tag that its description stands for."""
    return [
        Found(
            "access-control",
            each["Name"],
            GLOBAL,
            each["Id"],
            _marked(each.get("Description", "")),
            _removal("origin-access-control", each["Id"]),
            aws_line("cloudfront get-origin-access-control", id=each["Id"]),
        )
        async for page in _pages(aws, "list_origin_access_controls", "OriginAccessControlList")
        for each in page.get("Items") or []
    ]


async def headers_policies(aws: AwsClient) -> list[Found]:
    """The response headers policies of the account, without AWS's own, with the tag that their comment stands for."""
    found = []
    async for page in _pages(aws, "list_response_headers_policies", "ResponseHeadersPolicyList", Type="custom"):
        for each in page.get("Items") or []:
            policy, config = each["ResponseHeadersPolicy"], each["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]
            show = aws_line("cloudfront get-response-headers-policy", id=policy["Id"])
            fix = _removal("response-headers-policy", policy["Id"])
            tags = _marked(config.get("Comment", ""))
            found.append(Found("headers-policy", config["Name"], GLOBAL, policy["Id"], tags, fix, show, _moment(policy)))
    return found


async def create_invalidation(aws: AwsClient, distribution: str, paths: Sequence[str], reference: str) -> str:
    """Have every edge drop its copies of these paths; returns the invalidation's id. The same reference is the same one."""
    batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": reference}
    response = await aws.call(
        "cloudfront", CONTROL_REGION, "create_invalidation", DistributionId=distribution, InvalidationBatch=batch
    )
    return str(response["Invalidation"]["Id"])


async def is_invalidated(aws: AwsClient, distribution: str, invalidation: str) -> bool:
    """Whether an invalidation is done; one that is not known any more was done long ago."""
    try:
        response = await aws.call("cloudfront", CONTROL_REGION, "get_invalidation", DistributionId=distribution, Id=invalidation)
    except AwsError as error:
        if error.code == "NoSuchInvalidation":
            return True
        raise
    return bool(response["Invalidation"]["Status"] == "Completed")


def _removal(kind: str, name: str) -> str:
    """The line that deletes it: each needs the ETag that it has at that moment."""
    tag = captured("etag", aws_words(f"cloudfront get-{kind}", id=name, query="ETag", output="text"))
    return f"{tag} && {with_captured(aws_words(f'cloudfront delete-{kind}', id=name), '--if-match', 'etag')}"


def _marked(description: str) -> dict[str, str]:
    return {"workshop": description.removeprefix(MARK).strip()} if description.startswith(MARK) else {}


def _moment(each: Mapping[str, Any]) -> str:
    """When it was last changed, ISO 8601 in UTC; CloudFront does not report when it was created."""
    time = each.get("LastModifiedTime")
    return time.astimezone(UTC).isoformat(timespec="seconds") if isinstance(time, datetime) else ""


async def _pages(aws: AwsClient, operation: str, member: str, **parameters: str) -> AsyncIterator[AwsResponse]:
    page: dict[str, str] = {}
    while True:
        response = (await aws.call("cloudfront", CONTROL_REGION, operation, **parameters, **page)).get(member, {})
        yield response
        if not response.get("NextMarker"):
            return
        page = {"Marker": response["NextMarker"]}
