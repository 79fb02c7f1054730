"""Custom domains of API Gateway and certificates of ACM: those of a name, with their tags, and how many there are.

In: an `AwsClient`, a region, a domain name. Out: `Found` values. Reads only (docs/aws-behaviours.md, sections 6.7 and 6.8).
"""

from __future__ import annotations

from datetime import UTC, datetime

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.aws.resources.certificates import certificate_summaries
from workshop.aws.resources.listing import Found
from workshop.shell import aws_line

__all__ = ["certificate_count", "certificates", "custom_domain", "custom_domain_count"]


async def custom_domain(aws: AwsClient, region: str, name: str) -> list[Found]:
    """The custom domain of that name, when there is one in the region."""
    try:
        domain = await aws.call("apigateway", region, "get_domain_name", domainName=name)
    except AwsError as error:
        if error.code == "NotFoundException":
            return []
        raise
    return [
        Found(
            "custom-domain",
            name,
            region,
            name,
            dict(domain.get("tags") or {}),
            aws_line("apigateway delete-domain-name", region=region, domain_name=name),
            aws_line("apigateway get-domain-name", region=region, domain_name=name),
            size=str(domain.get("domainNameStatus", "")),
        )
    ]


async def certificates(aws: AwsClient, region: str, name: str) -> list[Found]:
    """The certificates of the region whose first name is that one; `name` may also be the ARN of one."""
    listed = [each for each in await certificate_summaries(aws, region) if name in (each["DomainName"], each["CertificateArn"])]
    found = []
    for each in listed:
        arn = each["CertificateArn"]
        tags = await _tags(aws, region, arn)
        if tags is None:
            continue
        fix = aws_line("acm delete-certificate", region=region, certificate_arn=arn)
        show = aws_line("acm describe-certificate", region=region, certificate_arn=arn)
        created = each.get("CreatedAt")
        moment = created.astimezone(UTC).isoformat(timespec="seconds") if isinstance(created, datetime) else ""
        found.append(Found("certificate", each["DomainName"], region, arn, tags, fix, show, moment, str(each.get("Status", ""))))
    return found


async def custom_domain_count(aws: AwsClient, region: str) -> int:
    """How many custom domains the region has."""
    count = 0
    page: dict[str, str] = {}
    while True:
        response = await aws.call("apigateway", region, "get_domain_names", limit=500, **page)
        count += len(response.get("items", []))
        if not response.get("position"):
            return count
        page = {"position": response["position"]}


async def certificate_count(aws: AwsClient, region: str) -> int:
    """How many certificates the region has."""
    return len(await certificate_summaries(aws, region))


async def _tags(aws: AwsClient, region: str, arn: str) -> dict[str, str] | None:
    """The tags of a certificate, or None when it went away since it was listed."""
    try:
        response = await aws.call("acm", region, "list_tags_for_certificate", CertificateArn=arn)
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise
    return {tag["Key"]: tag.get("Value", "") for tag in response.get("Tags", [])}
