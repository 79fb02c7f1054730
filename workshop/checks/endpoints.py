"""Where calls go, whether a service answers there, and how quickly. In: addresses. Out: findings. Needs no credentials."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Sequence
from typing import ClassVar

import httpx

from workshop.checks.base import Check, Family, Finding, Key, failed, passed, skipped, warned
from workshop.checks.context import CheckContext

__all__ = ["FAMILY", "EndpointOverride", "ReachableServices", "probe"]

SLOW = 1.5
"""Seconds for one response above which a room full of people will notice."""


async def probe(context: CheckContext, address: str) -> httpx.Response:
    """Send an unsigned request to an endpoint and return the response, whatever its status. Proxies of the environment are used
    on AWS only.

    Sends two, because the first also pays for the connection, and returns the quicker one. Raises `httpx.HTTPError`.
    """
    async with httpx.AsyncClient(timeout=12.0, trust_env=context.on_aws, verify=_trusted()) as client:
        responses = [await client.head(address) for _ in range(2)]
    return min(responses, key=lambda response: response.elapsed)


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The trusted certificates, read once: that takes longer than most responses."""
    return ssl.create_default_context()


class ReachableServices(Check):
    """Every service that the steps use in a region answers."""

    name = "reach"
    title = "The services answer"
    needs_credentials: ClassVar[bool] = False
    deadline: ClassVar[float] = 30.0

    @classmethod
    def instances(cls, context: CheckContext) -> Sequence[Check]:
        """One for each region, and one for the global services if the steps use any."""
        return [cls(context, region) for region in (*context.regions, *([""] if context.services("") else []))]

    @property
    def depends_on(self) -> tuple[Key, ...]:
        return (("regions.name", self.region),) if self.region else ()

    async def run(self) -> Finding:
        services = self.context.services(self.region) or ["sts"]
        found = await asyncio.gather(*(self._latency(service) for service in services))
        lost = [f"{service}: {why}" for service, why in zip(services, found, strict=True) if isinstance(why, str)]
        times = {service: took for service, took in zip(services, found, strict=True) if isinstance(took, float)}
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
        """Seconds, or why there was no response."""
        address = self.context.address(service, self._where)
        try:
            response = await probe(self.context, address)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"{type(error).__name__} at {address}"
        return response.elapsed.total_seconds()


class EndpointOverride(Check):
    """No setting of this shell sends calls elsewhere unnoticed (docs/aws-behaviours.md, section 10.1)."""

    name = "override"
    title = "Calls go to AWS itself"
    needs_credentials: ClassVar[bool] = False

    async def run(self) -> Finding:
        if not self.context.on_aws:
            return skipped("The local target uses the local cloud, whatever is set in the shell.")
        if not self.context.override:
            return passed()
        return warned(
            f"NOT AWS: your settings send every call to {self.context.override}. This report is about that endpoint.",
            "unset AWS_ENDPOINT_URL (or remove endpoint_url from the profile), then run: workshop check --target aws",
        )


FAMILY = Family("endpoints", "Endpoints", (EndpointOverride, ReachableServices))
