"""Regions whose API asks for tokens, in virtual time, and the user pool in a third region that gives them.

`SignedInRegions` is the client of AWS, the APIs, the name servers and the token endpoint at once, `SignedInSandbox`
a drill with a load like that of the third workshop: the API chooses the ids, home is primary and has the only health check.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.drill.named_regions import NAME, NamedRegions, NamedSandbox
from tests.drill.regions import WEST
from workshop.aws.errors import AwsError
from workshop.definition.drill_model import LoadSpec
from workshop.drill.api_client import ApiResponse
from workshop.drill.load_requests import LoadRequests
from workshop.drill.machine_client import MachineAccess
from workshop.drill.routed_name import RoutedName
from workshop.drill.tokens import TokenEndpoint

__all__ = ["ACCESS", "IDENTITY", "POOL", "SCOPES", "SignedInRegions", "SignedInSandbox"]

IDENTITY, POOL = "eu-central-1", "eu-central-1_AbCdEf123"
SCOPES = ("tickets/read", "tickets/write")
ENDPOINT = "http://pool/oauth2/token"
ACCESS = MachineAccess(IDENTITY, POOL, TokenEndpoint(ENDPOINT, "tickets.auth.eu-central-1.localhost"), SCOPES)
TEXT = "drill {{ run }} {{ value }}"
TICKETS = LoadSpec.model_validate(
    {
        "write": {"path": "ticket", "token": "machine", "body": {"description": TEXT}, "id": "{{ response.id }}"},
        "read": {"path": "ticket/{{ id }}", "token": "machine"},
        "health": {"path": "health"},
        "rows": {"table": "{{ table }}", "key": {"id": "{{ id }}"}, "holds": {"description": TEXT}},
    }
)


class SignedInRegions(NamedRegions):
    """`life` is for how many seconds a token is valid; `known_after` how long the endpoint does not know a new client."""

    def __init__(self, *, life: int = 600, known_after: float = 0.0, **more: Any) -> None:
        super().__init__(policy="failover", **more)
        self.life, self.known_after = life, known_after
        self.clients: dict[str, dict[str, Any]] = {
            "pages": {"ClientName": "pages", "AllowedOAuthFlows": ["code"]},
        }
        self.tokens: dict[str, float] = {}
        """When each ends."""
        self.pool_gone = False
        self.silent_pool = False
        self.unauthorized = 0
        """Requests without a valid token."""
        self._made = 0

    # The user pool

    async def call(self, service: str, region: str, operation: str, **given: Any) -> dict[str, Any]:
        if service != "cognito-idp":
            return await super().call(service, region, operation, **given)
        assert (region, given.pop("UserPoolId")) == (IDENTITY, POOL)
        self.require_alive()
        self.calls.add((service, operation))
        if self.pool_gone:
            raise self._refusal("ResourceNotFoundException", operation)
        if self.refuse and operation.startswith(self.refuse):
            raise self._refusal("AccessDeniedException", operation)
        changing = operation.startswith(("create", "delete"))
        if changing:
            self.changes.append(f"{region} {operation}")
            self.maybe_die("before")
        response: dict[str, Any] = getattr(self, f"_{operation}")(**given)
        if changing:
            self.maybe_die("after")
        return response

    def _create_user_pool_client(self, **client: Any) -> dict[str, Any]:
        if not set(client["AllowedOAuthScopes"]) <= set(SCOPES):
            raise self._refusal("ScopeDoesNotExistException", "CreateUserPoolClient")
        assert client["GenerateSecret"]
        self._made += 1
        now = asyncio.get_running_loop().time()
        made = {**client, "ClientId": f"c{self._made}", "ClientSecret": f"secret-of-client-{self._made}", "since": now}
        self.clients[made["ClientId"]] = made
        return {"UserPoolClient": made}

    def _list_user_pool_clients(self, MaxResults: int, NextToken: str = "0") -> dict[str, Any]:
        """Pages of one client, so that a reader of the first page alone is found out."""
        number, every = int(NextToken), list(self.clients.items())
        page = [{"ClientId": key, "ClientName": client["ClientName"]} for key, client in every[number : number + 1]]
        return {"UserPoolClients": page, **({"NextToken": str(number + 1)} if number + 1 < len(every) else {})}

    def _describe_user_pool_client(self, ClientId: str) -> dict[str, Any]:
        return {"UserPoolClient": self.clients[ClientId]}

    def _delete_user_pool_client(self, ClientId: str) -> dict[str, Any]:
        del self.clients[ClientId]
        return {}

    def _refusal(self, code: str, operation: str) -> AwsError:
        return AwsError(code, "refused", service="cognito-idp", operation=operation, region=IDENTITY, status=400)

    def _token(self, form: Mapping[str, str], headers: Mapping[str, str]) -> ApiResponse:
        now = asyncio.get_running_loop().time()
        name, _, secret = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode().partition(":")
        client = self.clients.get(name)
        if self.silent_pool or client is None or client.get("ClientSecret") != secret or now - client["since"] < self.known_after:
            return ApiResponse("status 400", 400, {"error": "invalid_client"})
        assert form == {"grant_type": "client_credentials", "scope": " ".join(SCOPES)}
        token = f"token-{len(self.tokens) + 1}-of-{name}"
        self.tokens[token] = now + self.life
        return ApiResponse(status=200, body={"access_token": token, "expires_in": self.life, "token_type": "Bearer"})

    # The APIs

    async def __call__(
        self,
        url: str,
        deadline: float,
        *,
        method: str = "GET",
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> ApiResponse:
        if url == ENDPOINT:
            self.require_alive()
            return self._token(form or {}, headers or {})
        region, _, path = url.removeprefix("http://").partition("/")
        if path == "health":
            return await super().__call__(url, deadline, method=method, **more)
        given = (headers or {}).get("Authorization", "").removeprefix("Bearer ")
        if self.tokens.get(given, -1.0) <= asyncio.get_running_loop().time():
            self.require_alive()
            self.unauthorized += 1
            return ApiResponse("status 401: Unauthorized", 401)
        if method == "POST":
            assert path == "ticket" and body is not None
            self._made += 1
            stored = {"item_id": f"t{self._made}", **body}
            found = await super().__call__(f"http://{region}/", deadline, method=method, body=stored)
            return replace(found, body={**body, "id": stored["item_id"]}) if found.ok else found
        return await super().__call__(f"http://{region}/{path.removeprefix('ticket/')}", deadline, method=method)

    # The table, whose key is the id

    def _stored(self, region: str, key: Any) -> dict[str, Any] | None:
        found = super()._stored(region, {"item_id": key["id"]})
        return None if found is None else {**found, "id": key["id"]}

    def _batch_write_item(self, here: Any, region: str, RequestItems: Any) -> dict[str, Any]:
        keys = [request["DeleteRequest"]["Key"]["id"] for request in RequestItems["t"]]
        return super()._batch_write_item(here, region, {"t": [{"DeleteRequest": {"Key": {"item_id": key}}} for key in keys]})

    def _scan(self, here: Any, region: str, ExpressionAttributeValues: Any, **_: Any) -> dict[str, Any]:
        (mark,) = (value["S"] for value in ExpressionAttributeValues.values())
        found = [item for item in self.table.items(region) if mark in item["description"]["S"]]
        return {"Items": [{**item, "id": item["item_id"]} for item in found]}


class SignedInSandbox(NamedSandbox):
    """A drill with tokens."""

    regions: SignedInRegions
    machine = ACCESS

    def load(self) -> LoadRequests:
        return LoadRequests(TICKETS, {"table": "t", "home": WEST}, self.run)

    @property
    def routed(self) -> RoutedName:
        """Home is watched; the other region is the last resort."""
        whole = super().routed
        home = self.regions.names[0]
        wires = [wire if wire.region == home else replace(wire, check="", asks="", watches=None) for wire in whole.proof.wires]
        proof = replace(whole.proof, wires=tuple(wires))
        return replace(whole, name=NAME, checks={home: whole.checks[home]}, proof=proof)

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "clients": sorted(self.regions.clients)}

    def next_process(self) -> SignedInSandbox:
        self.journal.close()
        self.regions.dead, self.regions.dies_at = False, None
        return SignedInSandbox(Path(self.folder), self.regions, run="r2")
