"""Which regions there are: those that botocore knows, and those that an account may use.

In: an account. Out: region names. Nothing is changed anywhere.
"""

from __future__ import annotations

import asyncio
import functools

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError, CredentialsError
from workshop.aws.sessions import bare_session

__all__ = ["enabled_regions", "known_regions"]


async def known_regions() -> frozenset[str]:
    """The regions that botocore knows for DynamoDB, in every partition: a mistyped one fails only at connect otherwise."""

    return await asyncio.to_thread(_listed_regions)


@functools.cache
def _listed_regions() -> frozenset[str]:
    """Read once: botocore's list of endpoints is a megabyte of JSON."""
    session = bare_session()
    return frozenset(
        name for partition in session.get_available_partitions() for name in session.get_available_regions("dynamodb", partition)
    )


async def enabled_regions(aws: AwsClient, home: str) -> list[str]:
    """The regions that the account may use; without the permission to ask, all of the home region's partition."""
    try:
        regions: list[str] = []
        page: dict[str, str] = {}
        while True:
            wanted = ["ENABLED", "ENABLED_BY_DEFAULT"]
            response = await aws.call("account", home, "list_regions", RegionOptStatusContains=wanted, **page)
            regions += [region["RegionName"] for region in response.get("Regions", [])]
            if not response.get("NextToken"):
                return regions
            page = {"NextToken": response["NextToken"]}
    except CredentialsError:
        raise
    except AwsError:
        session = bare_session()
        partition = session.get_partition_for_region(home)
        return list(session.get_available_regions("dynamodb", partition))
