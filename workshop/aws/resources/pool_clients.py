"""App clients of a Cognito user pool: found by name, made for a machine, deleted.

In: a client of AWS, the region and the id of the pool. Out: frozen values. App clients have no tags, and their names
need not be unique (docs/aws-behaviours.md, section 7.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError

__all__ = [
    "MACHINE_FLOW",
    "MachineCredentials",
    "PoolClient",
    "delete_client",
    "is_machine_client",
    "make_machine_client",
    "pool_clients",
]

MACHINE_FLOW = "client_credentials"
PAGE = 60
"""Clients that one listing returns at most."""
TOKEN_MINUTES = 10
"""For how long a token of a machine client is valid: it outlives its client."""
GONE = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class PoolClient:
    """One app client as a listing shows it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class MachineCredentials:
    """What a machine client identifies itself with. The secret is in no representation."""

    id: str
    secret: str = field(repr=False)


async def pool_clients(aws: AwsClient, region: str, pool: str) -> list[PoolClient]:
    """All app clients of the pool; raises `AwsError` (`ResourceNotFoundException` when there is no such pool)."""
    found: list[PoolClient] = []
    page: dict[str, Any] = {}
    while True:
        response = await aws.call("cognito-idp", region, "list_user_pool_clients", UserPoolId=pool, MaxResults=PAGE, **page)
        found += [PoolClient(each["ClientId"], each.get("ClientName", "")) for each in response.get("UserPoolClients", [])]
        if not response.get("NextToken"):
            return found
        page = {"NextToken": response["NextToken"]}


async def make_machine_client(aws: AwsClient, region: str, pool: str, name: str, scopes: Sequence[str]) -> MachineCredentials:
    """A confidential client that gets tokens of these scopes for itself; raises `AwsError` (`ScopeDoesNotExistException`)."""
    response = await aws.call(
        "cognito-idp",
        region,
        "create_user_pool_client",
        UserPoolId=pool,
        ClientName=name,
        GenerateSecret=True,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=[MACHINE_FLOW],
        AllowedOAuthScopes=list(scopes),
        AccessTokenValidity=TOKEN_MINUTES,
        TokenValidityUnits={"AccessToken": "minutes"},
    )
    made = response["UserPoolClient"]
    return MachineCredentials(made["ClientId"], made["ClientSecret"])


async def is_machine_client(aws: AwsClient, region: str, pool: str, client: str) -> bool:
    """Whether the client gets tokens for itself and for no person; False for one that is gone."""
    try:
        response = await aws.call("cognito-idp", region, "describe_user_pool_client", UserPoolId=pool, ClientId=client)
    except AwsError as error:
        if error.code != GONE:
            raise
        return False
    return list(response.get("UserPoolClient", {}).get("AllowedOAuthFlows", [])) == [MACHINE_FLOW]


async def delete_client(aws: AwsClient, region: str, pool: str, client: str) -> None:
    """Delete it; one that is gone is fine."""
    try:
        await aws.call("cognito-idp", region, "delete_user_pool_client", UserPoolId=pool, ClientId=client)
    except AwsError as error:
        if error.code != GONE:
            raise
