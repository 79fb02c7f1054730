"""Where the calls go, whether anybody answers there, and how far away it is. Asked without credentials."""

from __future__ import annotations

import asyncio
import functools
import ssl
from typing import ClassVar

import httpx

from workshop.checks.base import Check, Finding, Key, failed, passed, skipped, warned
from workshop.checks.context import CheckContext

__all__ = ["TITLE", "Override", "Reachable", "checks", "knock"]

TITLE = "Endpoints"
SLOW = 1.5
"""Seconds for one answer above which a room full of people will notice."""


async def knock(context: CheckContext, address: str) -> httpx.Response:
    """An unsigned request to an endpoint; any answer will do. Proxies of the user's settings count on AWS only.

    Sent twice, because the first one also pays for the connection; the answer is the quicker one.
    """
    async with httpx.AsyncClient(timeout=12.0, trust_env=context.on_aws, verify=_trusted()) as client:
        answers = [await client.head(address) for _ in range(2)]
    return min(answers, key=lambda answer: answer.elapsed)


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The certificates that count, read once: that takes longer than most answers."""
    return ssl.create_default_context()


class Reachable(Check):
    """Every service that the steps use in a region answers."""

    family = "endpoints"
    name = "reach"
    title = "The services answer"
    needs_credentials: ClassVar[bool] = False
    deadline: ClassVar[float] = 30.0

    @property
    def depends_on(self) -> tuple[Key, ...]:
        return (("regions.name", self.region),) if self.region else ()

    async def run(self) -> Finding:
        services = self.context.services(self.region) or ["sts"]
        answers = await asyncio.gather(*(self._latency(service) for service in services))
        lost = [f"{service}: {found}" for service, found in zip(services, answers, strict=True) if isinstance(found, str)]
        times = {service: found for service, found in zip(services, answers, strict=True) if isinstance(found, float)}
        shown = ", ".join(f"{service} {seconds * 1000:.0f} ms" for service, seconds in times.items())
        if lost:
            return failed(
                f"No answer from {len(lost)} of {len(services)}: {'; '.join(lost)}",
                f"Check network, proxy and firewall: curl -sI {self.context.address(lost[0].partition(':')[0], self._where)}",
            )
        if max(times.values()) > SLOW:
            return warned(f"Slow: {shown}", "Try another network; everything will work, and feel slow")
        return passed(shown)

    @property
    def _where(self) -> str:
        return self.region or self.context.home

    async def _latency(self, service: str) -> float | str:
        address = self.context.address(service, self._where)
        try:
            answer = await knock(self.context, address)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"{type(error).__name__} at {address}"
        return answer.elapsed.total_seconds()


class Override(Check):
    """No setting of this shell sends calls elsewhere without anybody noticing (docs/aws-behaviours.md, section 10.1)."""

    family = "endpoints"
    name = "override"
    title = "Calls go to AWS itself"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        if not self.context.on_aws:
            return skipped("The local target goes to the local cloud whatever the shell says.")
        if not self.context.override:
            return passed()
        return warned(
            f"NOT AWS: your settings send every call to {self.context.override}. What this report says, it says of that.",
            "unset AWS_ENDPOINT_URL (or remove endpoint_url from the profile), then run: workshop check --target aws",
        )


def checks(context: CheckContext) -> list[Check]:
    """The checks of this family; the global services are asked once."""
    places = [*context.regions, *([""] if context.services("") else [])]
    return [Override(context), *(Reachable(context, region) for region in places)]
