"""Cognito's user pools and their users, as the steps and a sweep need them (docs/aws-behaviours.md, section 7).

In: an `AwsClient`, a region, ids and names. Out: frozen descriptions, or the change made. It decides and waits for nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.aws.resources.listing import Found
from workshop.shell import aws_line

__all__ = ["PoolUser", "create_user", "delete_user", "find_user", "set_password", "user_pool_count", "user_pools"]

MOST_POOLS = 60
"""Pools of one page, the most that ListUserPools gives."""
GONE = ("ResourceNotFoundException", "UserNotFoundException")


@dataclass(frozen=True, slots=True)
class PoolUser:
    """A user of a pool. `id` is the `sub` of its tokens, which no later user of the name gets."""

    name: str
    id: str
    status: str
    attributes: Mapping[str, str]


async def user_pools(aws: AwsClient, region: str) -> list[Found]:
    """The user pools of a region with their tags. Several may have one name."""
    return [pool async for listed in _listed(aws, region) for pool in await _described(aws, region, listed["Id"])]


async def user_pool_count(aws: AwsClient, region: str) -> int:
    """How many user pools a region has."""
    return sum([1 async for _ in _listed(aws, region)])


async def find_user(aws: AwsClient, region: str, pool: str, name: str) -> PoolUser | None:
    """The user of that name; None when there is none, or no such pool."""
    try:
        response = await aws.call("cognito-idp", region, "admin_get_user", UserPoolId=pool, Username=name)
    except AwsError as error:
        if error.code in GONE:
            return None
        raise
    attributes = {each["Name"]: each.get("Value", "") for each in response.get("UserAttributes", [])}
    return PoolUser(response["Username"], attributes.get("sub", ""), response.get("UserStatus", ""), attributes)


async def create_user(aws: AwsClient, region: str, pool: str, name: str, attributes: Mapping[str, str]) -> None:
    """Make a user, without a message to it; raises `AwsError` with `UsernameExistsException` when there is one."""
    await aws.call(
        "cognito-idp",
        region,
        "admin_create_user",
        UserPoolId=pool,
        Username=name,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
    )


async def set_password(aws: AwsClient, region: str, pool: str, name: str, password: str) -> None:
    """Give a user a password that it need not change."""
    await aws.call(
        "cognito-idp",
        region,
        "admin_set_user_password",
        UserPoolId=pool,
        Username=name,
        Password=password,
        Permanent=True,
    )


async def delete_user(aws: AwsClient, region: str, pool: str, name: str) -> None:
    """Delete a user; one that is gone already, with its pool or without, is fine."""
    try:
        await aws.call("cognito-idp", region, "admin_delete_user", UserPoolId=pool, Username=name)
    except AwsError as error:
        if error.code not in GONE:
            raise


async def _listed(aws: AwsClient, region: str) -> AsyncIterator[dict[str, Any]]:
    page: dict[str, str] = {}
    while True:
        response = await aws.call("cognito-idp", region, "list_user_pools", MaxResults=MOST_POOLS, **page)
        for pool in response.get("UserPools", []):
            yield pool
        if not response.get("NextToken"):
            return
        page = {"NextToken": response["NextToken"]}


async def _described(aws: AwsClient, region: str, pool: str) -> list[Found]:
    """The pool, unless it went away since it was listed."""
    try:
        about = (await aws.call("cognito-idp", region, "describe_user_pool", UserPoolId=pool))["UserPool"]
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return []
        raise
    protected = about.get("DeletionProtection") == "ACTIVE"
    users = about.get("EstimatedNumberOfUsers", 0)
    size = f"about {users:,} {'user' if users == 1 else 'users'}"
    created = about.get("CreationDate")
    return [
        Found(
            "user-pool",
            about.get("Name", pool),
            region,
            pool,
            dict(about.get("UserPoolTags") or {}),
            " && ".join(_removal(region, pool, about, protected=protected)),
            aws_line("cognito-idp describe-user-pool", region=region, user_pool_id=pool),
            created.astimezone(UTC).isoformat(timespec="seconds") if isinstance(created, datetime) else "",
            size,
            "deletion protection is on" if protected else "",
        )
    ]


def _removal(region: str, pool: str, about: Mapping[str, Any], *, protected: bool) -> list[str]:
    """The lines that delete a pool: what protects it first, then its domains."""
    lines = []
    if protected:
        lines.append(aws_line("cognito-idp update-user-pool", region=region, user_pool_id=pool, deletion_protection="INACTIVE"))
    for domain in (about.get("Domain"), about.get("CustomDomain")):
        if domain:
            lines.append(aws_line("cognito-idp delete-user-pool-domain", region=region, user_pool_id=pool, domain=domain))
    return [*lines, aws_line("cognito-idp delete-user-pool", region=region, user_pool_id=pool)]
