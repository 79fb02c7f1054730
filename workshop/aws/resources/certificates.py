"""ACM certificates of all regions, as far as their validation records go (docs/aws-behaviours.md, section 6.7).

In: an `AwsClient`, names of CNAME records. Out: which of them a certificate of the account still has as its validation record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Any

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.aws.resources.route53 import RecordSet, plain_name

__all__ = ["VALIDATION_SUFFIX", "certificate_summaries", "certificates_validated_by", "is_validation"]

VALIDATION_SUFFIX = ".acm-validations.aws"
KEY_TYPES = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]
"""A listing shows RSA_2048 alone unless it is asked for the others (docs/aws-behaviours.md, section 6.13)."""


def is_validation(record: RecordSet) -> bool:
    """Whether a record is one by which ACM validates a name."""
    return record.type == "CNAME" and record.name.startswith("_") and record.target.endswith(VALIDATION_SUFFIX)


async def certificates_validated_by(aws: AwsClient, regions: Iterable[str], names: Collection[str]) -> dict[str, list[str]]:
    """The ARNs of the account's certificates in these regions that have each of the records; those that none has are left out.

    Regions that the account has not enabled, or that its organization closes, hold none.
    """
    found: dict[str, list[str]] = {}
    for group in await asyncio.gather(*(_in_region(aws, region, names) for region in regions)):
        for name, arn in group:
            found.setdefault(name, []).append(arn)
    return found


async def _in_region(aws: AwsClient, region: str, names: Collection[str]) -> list[tuple[str, str]]:
    validated = [name.partition(".")[2] for name in names]
    found: list[tuple[str, str]] = []
    try:
        summaries = await certificate_summaries(aws, region)
    except AwsError as error:
        if error.not_enabled or error.closed:
            return []
        raise
    for summary in summaries:
        # A wildcard has the record of its base, so that both forms of a name count.
        covered = {summary.get("DomainName", ""), *summary.get("SubjectAlternativeNameSummaries", ())}
        partial = summary.get("HasAdditionalSubjectAlternativeNames", False)
        if partial or {plain_name(name).removeprefix("*.") for name in covered} & set(validated):
            records = await _records(aws, region, summary["CertificateArn"])
            found += [(name, summary["CertificateArn"]) for name in names if name in records]
    return found


async def certificate_summaries(aws: AwsClient, region: str) -> list[dict[str, Any]]:
    """Every certificate of the region, as ACM lists it."""
    found: list[dict[str, Any]] = []
    page: dict[str, str] = {}
    while True:
        response = await aws.call("acm", region, "list_certificates", Includes={"keyTypes": KEY_TYPES}, **page)
        found += response.get("CertificateSummaryList", [])
        if not response.get("NextToken"):
            return found
        page = {"NextToken": response["NextToken"]}


async def _records(aws: AwsClient, region: str, arn: str) -> set[str]:
    """The names of the validation records of a certificate; none when it went away."""
    try:
        response = await aws.call("acm", region, "describe_certificate", CertificateArn=arn)
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return set()
        raise
    options = response["Certificate"].get("DomainValidationOptions", [])
    return {plain_name(option["ResourceRecord"]["Name"]) for option in options if "ResourceRecord" in option}
