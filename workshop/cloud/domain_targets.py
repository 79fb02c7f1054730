"""Which API a custom domain leads to: by its own name, or by the regional name that DNS records point at.

In: a host name and a path. Out: account, region, API and stage, in any account of this cloud. It reads MiniStack's API Gateway
and changes nothing (docs/aws-behaviours.md, section 6.8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.services import apigateway_v1

from workshop.cloud.hosts import endpoint_host
from workshop.cloud.names.records import plain_name
from workshop.cloud.patches import require_attribute

__all__ = ["ROOT", "ApiTarget", "api_behind", "domain_target", "region_of_domain_target"]

ROOT = "(none)"
"""The base path of a mapping that has none."""


@dataclass(frozen=True, slots=True)
class ApiTarget:
    """What a request by a custom domain calls; `path` is the rest of its path behind the base path, with a slash in front."""

    account: str
    region: str
    api: str
    stage: str
    path: str

    @property
    def staged_path(self) -> str:
        """The path at the API's own host."""
        return f"/{self.stage}{self.path}" if self.stage else self.path


def domain_target(host: str, region: str = "", path: str = "/") -> ApiTarget | None:
    """What a custom domain's name or its regional name calls at a path; None when no domain of that name maps it.

    A name that exists in several regions means the one in `region`, without one the first.
    """
    for (account, found, name), _ in _named(host):
        if region in ("", found):
            mappings = require_attribute(apigateway_v1, "_base_path_mappings").get_scoped(account, found, name, {})
            target = _mapped(account, found, mappings, path)
            if target is not None:
                return target
    return None


def api_behind(
    mapped: Callable[[str, str, str], ApiTarget | None], name: str, region: str, target: str, path: str
) -> tuple[str, str] | None:
    """The API, and the path there, of a request to `name`, which DNS leads to the endpoint `target` of a region.

    On AWS an endpoint takes its own name and the custom domains of its region alone. Here a record may also name an API's
    endpoint itself, which saves a workshop without a domain the certificate.
    """
    found, endpoint = mapped(name, region, path), endpoint_host(target)
    return (found.api, found.staged_path) if found else (endpoint.api, path) if endpoint else None


def region_of_domain_target(host: str) -> str:
    """The region of a custom domain's regional name; "" for any other name."""
    name = plain_name(host)
    return next((key[1] for key, record in _named(host) if plain_name(record["regionalDomainName"]) == name), "")


def _named(host: str) -> Iterator[tuple[tuple[str, str, str], Mapping[str, Any]]]:
    """The custom domains that a name means: its own, a wildcard's, or that of a regional name."""
    name = plain_name(host)
    for key, record in require_attribute(apigateway_v1, "_domain_names").all_items():
        stored = plain_name(key[2])
        wildcard = stored.startswith("*.") and name.partition(".")[2] == stored[2:]
        if wildcard or name in (stored, plain_name(record.get("regionalDomainName") or "")):
            yield key, record


def _mapped(account: str, region: str, mappings: Mapping[str, Any], path: str) -> ApiTarget | None:
    """The longest base path that the path begins with; a mapping without a stage takes it from the path."""
    prefixes = {base: "" if base in ("", ROOT) else f"/{base}" for base in mappings}
    fitting = [base for base, prefix in prefixes.items() if path == prefix or path.startswith(f"{prefix}/")]
    if not fitting:
        return None
    base = max(fitting, key=lambda each: len(prefixes[each]))
    stage, rest = mappings[base].get("stage") or "", path[len(prefixes[base]) :] or "/"
    if not stage:
        stage, _, rest = rest.lstrip("/").partition("/")
        rest = f"/{rest}"
    return ApiTarget(account, region, mappings[base]["restApiId"], stage, rest)
