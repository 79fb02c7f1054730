"""Where a workshop is deployed, local cloud or AWS, and the addresses that follow from it.

In: endpoints, ids and names. Out: addresses and folders, and the name servers to ask; nothing is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from workshop.aws.dns import PUBLIC_RESOLVERS, Authority, Dns, NameServer

__all__ = ["Target"]

_SERVED = re.compile(
    r"(?P<own>[a-z0-9-]+\.cloudfront|(?:[a-z0-9-]+|\*)\.(?:auth|execute-api)\.[a-z0-9-]+)\.(?:net|amazonaws\.com|amazoncognito\.com)"
)
"""Hosts of AWS that the local cloud serves below `.localhost`: distributions, sign-in pages, APIs (`*`: all of a region)."""


@dataclass(frozen=True, slots=True)
class Target:
    """`name` is `local` or `aws`. API addresses are built from ids, because a stack's own output always ends in amazonaws.com.

    `endpoint` is the one address that all calls go to; empty on AWS proper. `gateway` is the local cloud's host and port.
    """

    name: str
    sites: Path
    """The folder whose sub-folders are the rendered sites."""
    endpoint: str = ""
    gateway: str = ""
    """`host:port` of an emulator that serves the APIs; empty when they are served by AWS."""
    serves_sites: bool = False
    """Whether the gateway serves the sites too."""
    site_path: str = ""
    """Where below the gateway's sites this target's own are; empty or ending in a slash."""
    name_server: NameServer | None = None
    """The local cloud's name server, which serves every zone; None on AWS, where each zone has servers of its own."""
    dns: Dns = field(default_factory=Dns, compare=False)
    """What asks name servers."""

    def for_account(self, account: str) -> Target:
        """The target of one account of several, whose sites are in a folder of their own: no workshop has an account's name."""
        if self.serves_sites:
            return replace(self, sites=self.sites / account, site_path=f"{account}/")
        return replace(self, sites=self.sites.with_name(f"{self.name}-{account}"))

    def api_host(self, api: str, region: str) -> str:
        """The host name of an API: what a record and a health check name."""
        return f"{api}.execute-api.{region}.{'localhost' if self.gateway else 'amazonaws.com'}"

    def api_url(self, api: str, region: str, stage: str) -> str:
        """The address for browsers and curl; ends in a slash."""
        if self.gateway and self.serves_sites:
            return f"http://{self.api_host(api, region)}:{self.port}/{stage}/"
        if self.gateway:
            return self.api_path_url(api, region, stage)
        return f"https://{self.api_host(api, region)}/{stage}/"

    def api_path_url(self, api: str, region: str, stage: str) -> str:
        """The address for everything that cannot resolve `*.localhost`; equal to `api_url` on AWS."""
        if self.gateway:
            return f"http://{self.gateway}/_aws/execute-api/{api}/{stage}/"
        return self.api_url(api, region, stage)

    def authority(self, servers: Iterable[str]) -> Authority:
        """The name servers of a zone with these names; those of the local cloud are one, whatever they are called."""
        if self.name_server is not None:
            return Authority(self.dns, (self.name_server,))
        return Authority(self.dns, tuple(NameServer(server) for server in servers))

    @property
    def resolvers(self) -> tuple[NameServer, ...]:
        """Public resolvers; on the local target its name server, since no resolver knows its zones."""
        return PUBLIC_RESOLVERS if self.name_server is None else (self.name_server,)

    def origin(self, host: str) -> str:
        """The address at which browsers find a host that AWS serves, without a path: on the local cloud its name below
        `.localhost`. `host` may begin with `*.`, as in a content security policy."""
        host = host.strip().rstrip(".").lower()
        if self.gateway and (served := _SERVED.fullmatch(host)):
            return f"http://{served['own']}.localhost:{self.port}"
        if self.gateway and (host == "localhost" or host.endswith(".localhost")):
            return f"http://{host}:{self.port}"
        return f"https://{host}"

    def reached_at(self, host: str) -> str:
        """What a program connects to for this host of an address: browsers alone resolve names below `.localhost`, all of which
        are served by the gateway."""
        gateway = self.gateway.rpartition(":")[0]
        return gateway if gateway and host.lower().rstrip(".").endswith(".localhost") else host

    def name_url(self, host: str, *, delegated: bool) -> str:
        """The address below a name that DNS routes; empty where no browser can resolve it, because its zone is not delegated."""
        if not delegated:
            return ""
        return f"http://{host}:{self.port}/" if self.gateway else f"https://{host}/"

    def site_folder(self, workshop: str) -> Path:
        """The folder of the rendered site of a workshop."""
        return self.sites / workshop

    def site_url(self, workshop: str) -> str:
        """The address of the rendered site, ending in a slash: served by the local cloud, else the folder itself."""
        if self.serves_sites:
            return f"http://{self.gateway}/_workshop/sites/{self.site_path}{workshop}/"
        return self.site_folder(workshop).as_uri() + "/"

    @property
    def port(self) -> str:
        return self.gateway.rpartition(":")[2]
