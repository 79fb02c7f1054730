"""The access token that requests of a load carry: kept while it is valid, renewed before it ends.

In: what asks the token endpoint. Out: the header of a request. Tokens and the secret behind them are in memory alone, and
are masked in everything that this process shows or writes (workshop/redaction.py).
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workshop.aws.resources.pool_clients import MACHINE_FLOW, MachineCredentials
from workshop.drill.api_client import ApiClient, ApiResponse
from workshop.drill.load_requests import ApiCall
from workshop.errors import WorkshopError
from workshop.quoting import shown
from workshop.redaction import keep_secret
from workshop.waiting import monotonic

__all__ = ["MachineTokens", "TokenEndpoint", "send"]

DEADLINE = 10.0
"""Seconds for one request of a token."""
EARLY = 60.0
"""Seconds before its end from which a token is renewed, or a quarter of its life where that is shorter."""
LONGEST_LIFE = 86_400.0
"""Seconds that AWS lets a token be valid at most; more is not believed."""
UNTOLD_LIFE = 300.0
"""Where the response names no life: the shortest that AWS allows."""


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Where tokens are asked for: an address that can be connected to, and the host to ask for there where it is another one."""

    url: str
    host: str = ""


class MachineTokens:
    """The tokens of one machine client."""

    def __init__(
        self, client: ApiClient, endpoint: TokenEndpoint, credentials: MachineCredentials, scopes: Sequence[str]
    ) -> None:
        keep_secret(credentials.secret)
        self._client, self._endpoint = client, endpoint
        self._form = {"grant_type": MACHINE_FLOW, "scope": " ".join(scopes)}
        pair = base64.b64encode(f"{credentials.id}:{credentials.secret}".encode()).decode()
        keep_secret(pair)
        self._headers = {"Authorization": f"Basic {pair}"}
        self._lock = asyncio.Lock()
        self._token, self._renewed_at, self._ends = "", 0.0, 0.0
        self.requests = 0
        """How many tokens were asked for: AWS charges for each."""

    async def token(self) -> str:
        """A token that is valid; raises `WorkshopError` when there is none, for a load without one measures nothing."""
        async with self._lock:
            if monotonic() < self._renewed_at:
                return self._token
            why = await self._renew()
            if why and monotonic() >= self._ends:
                raise WorkshopError(
                    what="The drill got no token for its requests.",
                    why=f"The token endpoint of the user pool ({self._endpoint.host or self._endpoint.url}) returned: {why}.",
                    fix="Run the drill again. If it stays so, look at the domain of the user pool.",
                    code="NoToken",
                )
            return self._token

    async def _renew(self) -> str:
        """Ask for the next token; why there is none."""
        self.requests += 1
        asked, endpoint = monotonic(), self._endpoint
        response = await self._client(
            endpoint.url, DEADLINE, method="POST", form=self._form, headers=self._headers, host=endpoint.host
        )
        body = response.body or {}
        token = body.get("access_token")
        if not response.ok or not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token:
            reason = body.get("error")
            return f"{response.why or 'no token'}{f' ({shown(reason)})' if isinstance(reason, str) else ''}"
        keep_secret(token)
        life = _life(body.get("expires_in"))
        self._token, self._ends = token, asked + life
        self._renewed_at = self._ends - min(EARLY, life / 4)
        return ""


async def send(
    client: ApiClient, tokens: MachineTokens | None, url: str, call: ApiCall, deadline: float, host: str = ""
) -> ApiResponse:
    """Send one request of a load to the API at `url`, with a token where it needs one and there is one."""
    headers = {"Authorization": f"Bearer {await tokens.token()}"} if call.token and tokens is not None else {}
    return await client(url + call.path, deadline, method=call.method, body=call.body, headers=headers, host=host)


def _life(told: Any) -> float:
    """The seconds for which a token is valid."""
    return min(LONGEST_LIFE, max(1.0, float(told))) if isinstance(told, int) and not isinstance(told, bool) else UNTOLD_LIFE
